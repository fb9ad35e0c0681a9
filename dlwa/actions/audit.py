"""Judging recordings before anything is made of them. Needs no TensorFlow, no screen, no lab."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa.actions import attended, datasets, launch
from dlwa.actions.setup import constraints
from dlwa.errors import DlwaError
from dlwa.hosts.base import Host
from dlwa.hosts.local import LocalHost
from dlwa.names import parse_name
from dlwa.settings import Settings
from dlwa.shell import Command

MODULE = "dlwa.ddsp.audit"
LIBRARIES = ("numpy", "soundfile", "soxr")
LIBRARIES_SIZE = "about 25 MB to download"


@dataclass(frozen=True)
class Plan:
    """Which recordings are judged, and the command that does it."""

    place: Path
    argv: tuple[str, ...]


def plan(settings: Settings, where: str) -> Plan:
    """Find the recordings: a folder or file of this machine, else a name in inputs/.

    Raises `NotFoundError` where neither is, `UsageError` for a name that is none.
    """
    place = Path(where).expanduser()
    if not place.exists():
        source = parse_name(where, "input_name")
        place = settings.workspace.input(source)
        if not place.exists():
            datasets.find_recordings(settings.workspace, source)  # says what is wrong
    return Plan(place, launch.module_argv(MODULE, [str(place.absolute())]))


def run(planned: Plan, tell: attended.Tell, cwd: Path) -> dict[str, Any]:
    """Judge the recordings and return what was found.

    Raises `NotFoundError` where there are none, `DlwaError` with what was said when it fails.
    """
    return attended.run_module(planned.argv, tell, cwd, "the audit").report


def require_libraries(
    assume_yes: bool,
    ask: Callable[[str], bool] | None,
    tell: Callable[[str], None],
    host: Host | None = None,
) -> None:
    """Make sure that audio can be read here; far smaller than the whole DDSP half.

    Raises `DlwaError` with the command to type where nobody agrees or pip fails.
    """
    if not missing_libraries():
        return
    question = f"This needs libraries that read audio ({LIBRARIES_SIZE}). Install them now?"
    command = Command(
        (sys.executable, "-m", "pip", "install", "-c", str(constraints()), "dlwa[audio]")
    )
    if not assume_yes and (ask is None or not ask(question)):
        wanting = ", ".join(missing_libraries())
        raise DlwaError(f"libraries that read audio are not installed: {wanting}", str(command))
    tell(f"installing {', '.join(LIBRARIES)}")
    if (host or LocalHost()).attach(command):
        raise DlwaError("pip failed, the libraries are not installed", f"try again: {command}")


def missing_libraries() -> list[str]:
    """The libraries of the audit that cannot be found; none is imported."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
