"""Timbre transfer: which model plays which recording into which file. Needs no screen."""

import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions import launch
from dlwa.actions._places import refuse_nesting, things
from dlwa.actions.training import has_checkpoint, is_model
from dlwa.errors import BusyError, DlwaError, NotFoundError, UsageError
from dlwa.hosts.local import LocalHost, start_child
from dlwa.logtext import reason_in
from dlwa.names import Name, parse_name
from dlwa.settings import Settings, nearest
from dlwa.shell import Command

MODULE = "dlwa.ddsp.timbre_transfer"
ENDINGS = (".wav", ".flac", ".ogg")

Tell = Callable[[float, float | None, str], None]
_LOOK_EVERY_S = 0.1
_CODES: dict[int, type[DlwaError]] = {2: UsageError, 3: NotFoundError}


@dataclass(frozen=True)
class Plan:
    """What a transfer is about to do, checked but not begun."""

    source: Path
    target: Path
    model: Name
    argv: tuple[str, ...]


def plan(
    settings: Settings,
    source: Path,
    model_name: str,
    target: Path | None = None,
    *,
    knobs: Mapping[str, object] | None = None,
    extra: Sequence[str] = (),
    overwrite: bool = False,
) -> Plan:
    """Check the recording, the model and the place of the sound, and spell out the command.

    `knobs` are flags of the module by name; those that are None are left to it. Without `target`
    the sound goes to outputs/OWNER/NAME, under a name that is free. Raises the `DlwaError` that
    fits what is wrong.
    """
    model = parse_name(model_name, "model_name")
    folder = _model_folder(settings, model)
    if not source.is_file():
        raise NotFoundError(f"recording={source} does not exist", "name a sound file, e.g. IN.wav")
    if target is None:
        target = free_target(settings.workspace.output(model), source.stem)
    elif target.suffix.lower() not in ENDINGS:
        raise UsageError(f"output={target} must end in {', '.join(ENDINGS)}")
    elif target.exists() and not overwrite:
        raise BusyError(f"output={target} exists already", "name another file, or add --yes")
    words = [str(source), str(target), f"--model_dir={folder}", *flags(knobs or {}), *extra]
    return Plan(source, target, model, launch.module_argv(MODULE, words))


def run(planned: Plan, tell: Tell, cwd: Path) -> dict[str, Any]:
    """Do a planned transfer and return its report; Ctrl-C ends it and leaves nothing behind.

    Raises `DlwaError` with what the program said when it fails.
    """
    planned.target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dlwa-transfer-") as name:
        folder = Path(name)
        report = folder / "report.json"
        argv = (*planned.argv, f"--report={report}")
        child = start_child(Command(argv, {"DLWA_RUN_DIR": name}, cwd))
        said = _Said(child)
        told: dict[str, Any] = {}
        try:
            while child.poll() is None:
                told = _tell_progress(folder, tell, told)
                time.sleep(_LOOK_EVERY_S)
        except BaseException:
            _end(child)
            raise
        text = said.text()
        if child.returncode:
            raise _failure(folder, child.returncode, text)
        return runfiles.read_json(report) or {}


def flags(knobs: Mapping[str, object]) -> list[str]:
    """The knobs that were turned, as flags of the module."""
    words = []
    for name, value in knobs.items():
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        elif value is not None:
            words.append(f"--{name}={value}")
    return words


def free_target(folder: Path, stem: str) -> Path:
    """A name for a sound in a folder that no file there has."""
    number, target = 2, folder / f"{stem}.wav"
    while target.exists():
        target = folder / f"{stem}-{number}.wav"
        number += 1
    return target


def _model_folder(settings: Settings, model: Name) -> Path:
    workspace = settings.workspace
    folder = workspace.model(model)
    if has_checkpoint(folder):
        return folder
    refuse_nesting(model, workspace.model, is_model, "model")
    if is_model(folder):
        raise NotFoundError(
            f"model_name={model} has not saved anything yet: no {folder}/ckpt-*.index",
            "wait for its first checkpoint: ./dlwa.py status",
        )
    known = things(workspace.models, has_checkpoint)
    hint = nearest(str(model), known) if known else "train one first: ./dlwa.py ddsp train --help"
    raise NotFoundError(f"model_name={model}: there is no model in {folder}", hint)


def _tell_progress(folder: Path, tell: Tell, told: dict[str, Any]) -> dict[str, Any]:
    """Tell what the transfer last reported, unless that has been told already."""
    last = runfiles.last_line(folder / runfiles.METRICS_FILE) or told
    if last != told and isinstance(last.get("done"), int | float):
        total = last.get("total")
        known = round(float(total), 1) if isinstance(total, int | float) else None
        tell(round(float(last["done"]), 1), known, str(last.get("what", "")))
    return last


class _Said:
    """Reads what a child says while it works, so that it never waits for a reader."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._parts: list[bytes] = []
        self._child = child
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Everything said until the child closed its end."""
        self._thread.join(timeout=5.0)
        return b"".join(self._parts).decode("utf-8", "replace")

    def _read(self) -> None:
        pipe = self._child.stdout
        while pipe is not None and (data := pipe.read(1 << 16)):
            self._parts.append(data)


def _end(child: subprocess.Popen[bytes]) -> None:
    host = LocalHost()
    process = host.identify(child.pid)
    for signum in (signal.SIGINT, signal.SIGKILL):
        if process:
            host.signal(process, signum, group=True)
        try:
            child.wait(timeout=5.0)
            return
        except subprocess.TimeoutExpired:
            continue


def _failure(folder: Path, code: int, said: str) -> DlwaError:
    event = runfiles.last_line(folder / runfiles.EVENTS_FILE) or {}
    kind = _CODES.get(code, DlwaError)
    if event.get("event") == "failed":
        return kind(str(event.get("reason")), str(event.get("hint") or ""))
    return kind(reason_in(said) or f"the transfer ended with exit code {code} and no word")
