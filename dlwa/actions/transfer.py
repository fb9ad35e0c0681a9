"""Timbre transfer: which model plays which recording into which file. Needs no screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa.actions import attended, launch
from dlwa.actions._places import refuse_nesting, things
from dlwa.actions.training import has_checkpoint, is_model
from dlwa.errors import BusyError, NotFoundError, UsageError
from dlwa.names import Name, parse_name
from dlwa.settings import Settings, nearest

MODULE = "dlwa.ddsp.timbre_transfer"
ENDINGS = (".wav", ".flac", ".ogg")


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
    folder = model_folder(settings, model)
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


def is_bundle(folder: Path) -> bool:
    """Whether a folder is an exported bundle."""
    return (folder / "bundle.json").is_file()


def model_folder(settings: Settings, model: Name) -> Path:
    """The folder of a model that can be played: checkpoints, or a bundle, which may be a zip.

    Raises `NotFoundError` with the nearest name where there is none.
    """
    workspace = settings.workspace
    folder = workspace.model(model)
    if _plays(folder):
        return folder
    zipped = folder.with_name(f"{folder.name}.zip")
    if not folder.exists() and zipped.is_file():
        return zipped
    refuse_nesting(model, workspace.model, is_model, "model")
    if is_model(folder):
        raise NotFoundError(
            f"model_name={model} has not saved anything yet: no {folder}/ckpt-*.index",
            "wait for its first checkpoint: ./dlwa.py status",
        )
    known = things(workspace.models, _plays)
    hint = nearest(str(model), known) if known else "train one first: ./dlwa.py ddsp train --help"
    raise NotFoundError(f"model_name={model}: there is no model in {folder}", hint)


def _plays(folder: Path) -> bool:
    return has_checkpoint(folder) or is_bundle(folder)
