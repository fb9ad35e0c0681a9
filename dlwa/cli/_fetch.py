"""How `fetch` talks."""

from dataclasses import dataclass
from pathlib import Path

from dlwa.actions.ownership import refuse_others_place
from dlwa.actions.sync import near
from dlwa.actions.sync.near import Result, Shown
from dlwa.actions.sync.wire import Wire
from dlwa.cli import output
from dlwa.cli._carried import carried, where
from dlwa.cli._sync_told import tell
from dlwa.errors import BusyError, ExitCode, UsageError
from dlwa.locks import is_locked
from dlwa.names import Name, parse_name
from dlwa.settings import Settings
from dlwa.shell import quote
from dlwa.workspace import RunPaths


@dataclass(frozen=True)
class Fetch:
    """What is to be brought."""

    name: str
    dest: Path | None
    home: str
    what: str


def fetch(asked: Fetch, *, dry_run: bool, no_input: bool) -> int:
    """Bring files and say what came of each; the exit code."""
    settings, lab = where()
    name = parse_name(asked.name, "name")
    home = settings.workspace.homes()[asked.home]
    if asked.dest is None and lab.is_local:
        raise UsageError(
            f"name={name} is here already, and no other lab is in use",
            hint=f"name a folder: {output.LAUNCHER} fetch {name} ~/Downloads, or add --lab NAME",
        )
    target = home / name.path if asked.dest is None else asked.dest.expanduser() / name.leaf
    _require_place(target, asked, settings)
    request = {"home": asked.home, "name": str(name), "what": asked.what}

    def once(wire: Wire, shown: Shown, result: Result) -> Result:
        together = asked.what != "all"
        return near.fetch(
            *(wire, target, request, shown), together=together, dry_run=dry_run, result=result
        )

    place = f"{asked.home}/{name}"
    result, took_s = carried(
        ("fetch", place), (lab, settings), once, dry_run=dry_run, no_input=no_input
    )
    what = ("fetched", str(target), took_s)
    code = tell(result, what, dry_run=dry_run, delete=False)
    if asked.what != "all" and not dry_run and (result.refused or result.bad):
        output.say(f"{target} stays as it was: a model is taken whole or not at all")
    if code == ExitCode.OK and not dry_run and asked.home == "models":
        _tell_how_to_hear(asked, name, target, result)
    return code


def _tell_how_to_hear(asked: Fetch, name: Name, target: Path, result: Result) -> None:
    if not any(map(_is_playable, (*result.sent, *result.same))):
        return
    # a path, not a name, to who reads it
    place = target if target.is_absolute() else f"./{target.as_posix()}"
    model = str(name) if asked.dest is None else quote(str(place))
    which = " --checkpoint latest" if asked.what == "latest" else ""
    words = f"ddsp timbre-transfer IN.wav --model_name {model}{which}"
    output.say(f"hear it: {output.LAUNCHER} {words}")


def _is_playable(path: str) -> bool:
    """Whether a file is a checkpoint's, or a bundle's."""
    return path == "bundle.json" or path.endswith(".index")


def _require_place(target: Path, asked: Fetch, settings: Settings) -> None:
    """Raise `DlwaError` where nothing should be brought to."""
    first = next(place for place in (target, *target.parents) if place.exists())
    if not first.is_dir():
        raise UsageError(f"{first} is a file, expected a folder", "name another folder")
    if asked.dest is not None:
        refuse_others_place(target, settings)
    if is_locked(RunPaths(target).lock):
        another = f"stop it first, or name a folder: fetch {asked.name} DEST"
        raise BusyError(f"a run goes on in {target}", another)
