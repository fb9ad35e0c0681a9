"""How `dlwa demo` talks, step by step."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from dlwa import runfiles
from dlwa.actions import datasets, demo, progress, stopping, training, transfer
from dlwa.actions.demo import Place
from dlwa.actions.runs import Run, read_run
from dlwa.cli import _runs, needs, options, output
from dlwa.errors import DlwaError, ExitCode
from dlwa.hosts.local import LocalHost
from dlwa.labs import Limits
from dlwa.settings import Settings
from dlwa.words import span

AGAIN = f"{_runs.PROGRAM} demo"
_LOOK_EVERY_S = 0.25


class _Demo:
    """One demo on its way: the place, the machine, and when it began."""

    def __init__(self, settings: Settings, where: Place, limits: Limits) -> None:
        self.settings, self.where, self.limits = settings, where, limits
        self.host = LocalHost()
        self.name = str(where.name)
        self.begun = time.monotonic()

    def make_dataset(self) -> None:
        """Step 1: recordings -> data set."""
        _headline(1, "recordings -> data set (pitch by CREPE, loudness, windows)")
        demo.copy_recordings(self.where)
        if self.where.has_dataset:
            output.say(f"datasets/ddsp/{self.name} is there already")
            return
        _show("ddsp", "make-dataset", "--input_name", self.name, "--dataset_name", self.name)
        run = self._live(self.settings.workspace.runs.glob("*"), "make-dataset")
        if run is None:
            planned = datasets.plan(self.settings, self.host, self.name, self.name)
            run = datasets.start(planned, self.settings, self.host, self.limits)
        self._end_well(self._follow(run))

    def train(self) -> None:
        """Step 2: data set -> model, in a session of its own."""
        _headline(2, f"training, {demo.STEPS} steps, detached in a screen session")
        folder = self.settings.workspace.model(self.where.name)
        run = read_run(folder, self.host)
        if run is None or not run.live:
            planned = training.plan(
                self.settings, self.host, self.name, self.name, extra=demo.FLAGS, custom=True
            )
            if planned.already_done and run is not None:
                output.say(f"models/ddsp/{self.name} has all its steps already")
                return
            flags = ("--custom", "--", *demo.FLAGS)
            _show("ddsp", "train", "--dataset_name", self.name, "--model_name", self.name, *flags)
            run = training.start(planned, self.settings, self.host, self.limits)
        if run.live:
            output.say(f"{run.place}; look in: {_runs.PROGRAM} watch {self.name}")
        run = self._follow(run, demo.TRAINING_S)
        if run.state != "stopped" or not training.has_checkpoint(folder):
            self._end_well(run)

    def transfer(self, folder: Path, scratch: Path) -> Path:
        """Step 3: the model plays the other recording; returns the sound."""
        _headline(3, "timbre transfer: the violin model plays a flute's melody")
        sound = transfer.free_target(folder, f"{demo.OTHER_INSTRUMENT}_by_{demo.INSTRUMENT}")
        planned = transfer.plan(self.settings, self.where.other, self.name, sound)
        shown = self.settings.workspace.shown
        _show(
            "ddsp",
            "timbre-transfer",
            shown(self.where.other),
            shown(sound),
            "--model_name",
            self.name,
        )
        with output.telling("timbre transfer", "s of audio") as tell:
            report = transfer.run(planned, tell, self.settings.workspace.root)
        runfiles.write_json(scratch / "transfer.json", report)
        return sound

    def page(self, sound: Path, scratch: Path) -> None:
        """Step 4: everything to hear and see."""
        _headline(4, "a page to hear and see it")
        argv = demo.page_argv(self.where, sound, scratch / "transfer.json")
        with output.telling("page", "parts") as tell:
            demo.make_page(argv, tell, self.settings.workspace.root)

    def _live(self, folders: Iterable[Path], kind: str) -> Run | None:
        """A run of the demo that still goes on, left by a demo somebody left."""
        for folder in folders:
            run = read_run(folder, self.host)
            if run and run.live and run.kind == kind and run.name == self.name:
                return run
        return None

    def _follow(self, run: Run, at_most_s: float | None = None) -> Run:
        """Show a run's progress to its end; after `at_most_s` of work ask it to save and stop."""
        with output.progress(run.kind) as bar:
            while True:
                now = _runs.again(run, self.settings)
                if not now.live:
                    return now
                at = progress.progress_of(now)
                if at:
                    loss = f"loss {at.losses[-1][1]:.2f}" if at.losses else at.what
                    bar.describe(loss)
                    bar.update(at.done, at.total)
                began = now.record.get("started_at")
                if at_most_s and began and time.time() - float(began) > at_most_s:
                    return self._stop_early(now)
                time.sleep(_LOOK_EVERY_S)

    def _stop_early(self, run: Run) -> Run:
        output.say(
            f"enough for a demo after {demo.TRAINING_S / 60:.0f} minutes; it saves and stops here"
        )
        return stopping.stop(run, self.host, "the demo, which is to be short")

    def _end_well(self, run: Run) -> None:
        if run.state != "finished":
            _runs.tell_end(run)
            raise DlwaError(f"the demo's {run.kind} {run.state}: {run.reason}", AGAIN)


def run(how: options.Manner, *, fresh: bool) -> int:
    """Walk the whole path; returns the exit code."""
    settings = options.settings()
    where = demo.place(settings.workspace, fresh=fresh)
    if how.dry_run:
        output.say(f"would make {where.name} in inputs, datasets, models and outputs")
        output.answer({"dry_run": True, "name": str(where.name)})
        return ExitCode.OK
    needs.ddsp(how)
    limits = options.lab(settings).limits
    walk = _Demo(settings, where, limits)
    try:
        return _walk(walk)
    except KeyboardInterrupt:
        output.say(f"\nThe demo pauses; what has begun goes on. Continue with: {AGAIN}")
        output.say(f"see it: {_runs.PROGRAM} status    stop it: {_runs.PROGRAM} stop {walk.name}")
        return ExitCode.INTERRUPTED


def _walk(walk: _Demo) -> int:
    workspace = walk.settings.workspace
    walk.make_dataset()
    walk.train()
    folder = demo.free_folder(workspace, walk.where.name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dlwa-demo-") as scratch:
        sound = walk.transfer(folder, Path(scratch))
        walk.page(sound, Path(scratch))
    numbers = runfiles.read_json(folder / "numbers.json") or {}
    _tell_made(folder, workspace.shown(folder), time.monotonic() - walk.begun)
    output.answer(
        {
            "folder": str(folder),
            "page": str(folder / "index.html"),
            "sound": str(sound),
            "numbers": numbers,
            "seconds": round(time.monotonic() - walk.begun, 1),
            "commands": [command for _, command in demo.OWN_RECORDINGS],
        }
    )
    return ExitCode.OK


def _tell_made(folder: Path, shown: str, seconds: float) -> None:
    output.done(f"done in {span(seconds)}: {shown}")
    for path in sorted(folder.iterdir()):
        output.text(f"  {path}")
    output.say("open index.html in a browser. The same with your own recordings:")
    for number, (what, command) in enumerate(demo.OWN_RECORDINGS, 1):
        output.say(f"  {number}. {what}:")
        output.say(f"     {command}")


def _headline(number: int, text: str) -> None:
    output.say(f"\n[{number}/4] {text}")


def _show(*words: str) -> None:
    output.command([_runs.PROGRAM, *words])
