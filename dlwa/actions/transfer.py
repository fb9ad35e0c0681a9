"""Timbre transfer: which model plays which recording into which file. Needs no screen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlwa.actions import attended, launch, ownership
from dlwa.actions.attended import Plan
from dlwa.actions.models import chosen
from dlwa.errors import BusyError, NotFoundError, UsageError
from dlwa.settings import Settings

MODULE = "dlwa.ddsp.timbre_transfer"
ENDINGS = (".wav", ".flac", ".ogg")


def plan(
    settings: Settings,
    source: Path,
    model_name: str,
    target: Path | None = None,
    *,
    knobs: Mapping[str, object] | None = None,
    overwrite: bool = False,
) -> Plan:
    """Check the recording, the model and the place of the sound, and spell out the command.

    `knobs` are flags of the module by name; those that are None are left to it. Without `target`
    the sound goes to outputs/OWNER/NAME, under a name that is free. Raises the `DlwaError` that
    fits what is wrong.
    """
    model, folder = chosen(settings, model_name)
    if not source.is_file():
        raise NotFoundError(f"recording={source} does not exist", "name a sound file, e.g. IN.wav")
    if target is None:
        target = free_target(ownership.results_of(model, settings), source.stem)
    elif target.suffix.lower() not in ENDINGS:
        raise UsageError(f"output={target} must end in {', '.join(ENDINGS)}")
    elif target.exists() and not overwrite:
        raise BusyError(f"output={target} exists already", "name another file, or add --yes")
    ownership.refuse_others_place(target, settings)
    words = [str(source), str(target), f"--model_dir={folder}", *flags(knobs or {})]
    return Plan(model, target, launch.module_argv(MODULE, words))


def run(planned: Plan, tell: attended.Tell, cwd: Path) -> dict[str, Any]:
    """Do a planned transfer and return its report; Ctrl-C ends it and leaves nothing behind.

    Raises `DlwaError` with what the program said when it fails.
    """
    planned.target.parent.mkdir(parents=True, exist_ok=True)
    return attended.run_module(planned.argv, tell, cwd, "the transfer").report


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
