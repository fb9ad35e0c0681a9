"""How `ddsp make-dataset` talks."""

from dataclasses import dataclass
from typing import Any

from dlwa.actions import datasets, progress
from dlwa.actions.runs import Run
from dlwa.cli import _runs, needs, options, output
from dlwa.cli._extra import require_flags
from dlwa.cli._follow import follow
from dlwa.errors import ExitCode
from dlwa.hosts.local import LocalHost
from dlwa.labs import read_lab
from dlwa.settings import Settings


@dataclass(frozen=True)
class Words:
    """What was asked for."""

    input_name: str
    dataset_name: str
    extra: tuple[str, ...]
    custom: bool
    cpu: bool


def make(words: Words, *, detach: bool, dry_run: bool, yes: bool, no_input: bool) -> int:
    """Check, start, follow and say what came of it; returns the exit code."""
    require_flags(words.extra)
    settings, host = options.settings(), LocalHost()
    planned = datasets.plan(
        settings,
        host,
        words.input_name,
        words.dataset_name,
        extra=words.extra,
        custom=words.custom,
        cpu=words.cpu,
    )
    count, size = len(planned.recordings), progress.size(planned.size_bytes)
    output.say(f"{count} recordings, {size}, in inputs/{words.input_name}")
    if output.only_shown(planned.job.argv, dry_run):
        return ExitCode.OK
    needs.ddsp(assume_yes=yes, no_input=no_input)
    limits = read_lab(settings.workspace.labs, settings.lab).limits
    run = datasets.start(planned, settings, host, limits)
    if detach and run.live:
        _runs.tell_how_to_go_on(run)
        output.answer(run.document())
        return ExitCode.OK
    return _to_the_end(run, settings, planned)


def _to_the_end(run: Run, settings: Settings, planned: datasets.Plan) -> int:
    try:
        run = follow(run, settings)
    except KeyboardInterrupt:
        output.say(f"\n{run.name} goes on without you.")
        _runs.tell_how_to_go_on(run)
        return ExitCode.INTERRUPTED
    folder = settings.workspace.dataset(planned.dataset)
    made = datasets.summary(folder) if run.state == "finished" else {}
    output.answer({**run.document(), "dataset": made})
    if run.state != "finished":
        _runs.tell_end(run)
        return _runs.exit_code(run)
    _tell_made(made, settings.workspace.shown(folder))
    output.say(
        f"next: {_runs.PROGRAM} ddsp train --dataset_name {planned.dataset} "
        f"--model_name {planned.dataset}"
    )
    return ExitCode.OK


def _tell_made(made: dict[str, Any], folder: str) -> None:
    for refused in made.get("refused") or []:
        output.warn(f"not used: {refused.get('file')}: {refused.get('reason')}")
    train, heldout = made.get("train") or {}, made.get("heldout") or {}
    told = ""
    if train.get("seconds"):
        told = f": {train['seconds']:.0f} s to learn from"
        told += f", {heldout.get('seconds', 0):.0f} s held out" if heldout.get("seconds") else ""
        told += f", of {len(made.get('used') or [])} recordings"
    judged = made.get("audit") or {}
    for line in [*(judged.get("missing") or []), *(judged.get("advice") or [])]:
        output.say(f"  {line}")
    output.done(f"{folder} is ready{told}")
