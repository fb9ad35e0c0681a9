"""Judging recordings before anything is made of them. Needs no TensorFlow, no screen, no lab."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa.actions import attended, launch, recordings
from dlwa.actions.unpacking import ARCHIVES, PackedError
from dlwa.names import parse_name
from dlwa.settings import Settings

MODULE = "dlwa.ddsp.audit"


@dataclass(frozen=True)
class Plan:
    """Which recordings are judged, and the command that does it."""

    place: Path
    argv: tuple[str, ...]


def plan(settings: Settings, where: str) -> Plan:
    """Find the recordings: a folder or file of this machine, else a name in inputs/.

    Raises `NotFoundError` where neither is (`PackedError` where an archive is), `UsageError` for a
    name that is none.
    """
    place = Path(where).expanduser()
    if not place.exists():
        source = parse_name(where, "input_name")
        place = settings.workspace.input(source)
        if not recordings.is_audio(place):
            recordings.find(settings.workspace, source)  # says what is wrong
    elif place.is_dir():
        recordings.below(place, f"IN={where!r}", where)
    elif place.suffix.lower() in ARCHIVES:
        message = f"IN={where!r} is an archive, not a folder of recordings"
        raise PackedError(message, place, place.with_suffix(""), str(place.with_suffix("")))
    return Plan(place, launch.module_argv(MODULE, [str(place.absolute())]))


def run(planned: Plan, tell: attended.Tell, cwd: Path) -> dict[str, Any]:
    """Judge the recordings and return what was found.

    Raises `NotFoundError` where there are none, `DlwaError` with what was said when it fails.
    """
    return attended.run_module(planned.argv, tell, cwd, "the audit").report
