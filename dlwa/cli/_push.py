"""How `push` talks."""

import hashlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa.actions.sync import audit, files, near
from dlwa.actions.sync.near import Result, Shown
from dlwa.actions.sync.wire import Wire
from dlwa.cli import output
from dlwa.cli._carried import carried, where
from dlwa.cli._pipe import open_wire
from dlwa.cli._sync_told import list_some, tell
from dlwa.errors import ExitCode, NotFoundError, UsageError
from dlwa.labs import Lab
from dlwa.names import Name, parse_name, safe_spelling
from dlwa.settings import Settings
from dlwa.words import counted


@dataclass(frozen=True)
class Push:
    """What is to be sent."""

    folder: Path
    name: str
    home: str
    everything: bool
    delete: bool
    as_admin: bool


def push(asked: Push, *, dry_run: bool, yes: bool, no_input: bool) -> int:
    """Look at the recordings, send them, say what came of each; the exit code."""
    settings, lab = where()
    folder = asked.folder.expanduser()
    if not folder.is_dir():
        raise NotFoundError(f"folder={asked.folder} is not a folder", "push a folder: violin/")
    name = parse_name(asked.name or _own_name(folder, settings, lab), "name")
    if not _may_enter(name, asked, settings, yes=yes, no_input=no_input):
        output.say("nothing was done")
        return ExitCode.FAILED
    listed = _look(folder, asked)
    request: dict[str, Any] = {
        "home": asked.home,
        "name": str(name),
        "as_admin": asked.as_admin,
        "client": _client(settings),
        "here": _here(folder) if asked.delete else [],
    }
    if asked.delete and not (dry_run or yes):
        delete = _agreed(lab, settings, (folder, listed, request), no_input=no_input)
    else:
        delete = _always if asked.delete else _never

    def once(wire: Wire, shown: Shown, result: Result) -> Result:
        now = _scan(folder, asked)  # what was still being written is sent as it is by now
        return near.push(
            *(wire, folder, now, request, shown), delete=delete, dry_run=dry_run, result=result
        )

    place = f"{asked.home}/{name}"
    result, took_s = carried(
        ("push", place), (lab, settings), once, dry_run=dry_run, no_input=no_input
    )
    what = ("sent", f"{lab.name}:{place}", took_s)
    code = tell(result, what, dry_run=dry_run, delete=asked.delete)
    if code == ExitCode.OK and not dry_run:
        _tell_next(asked, name, result)
    return code


def _may_enter(name: Name, asked: Push, settings: Settings, *, yes: bool, no_input: bool) -> bool:
    """Whether to go on: into somebody else's folder only after a yes."""
    if not asked.as_admin or name.parts[0] == settings.owner:
        return True
    question = f"{name} belongs to {name.parts[0]}. Send into it all the same?"
    return output.confirm(question, assume_yes=yes, no_input=no_input)


def _tell_next(asked: Push, name: Name, result: Result) -> None:
    recorded = any(audit.is_audio(path) for path in (*result.sent, *result.same))
    if asked.home == "inputs" and recorded:
        words = f"ddsp make-dataset --input_name {name} --dataset_name {name}"
        output.say(f"next: {output.LAUNCHER} {words}")


def _own_name(folder: Path, settings: Settings, lab: Lab) -> str:
    """What a folder is called in a lab, unless somebody says."""
    if not (settings.owner_is_known or lab.is_local):
        raise UsageError(
            "nobody has said who you are",
            hint=f"{output.LAUNCHER} lab use {lab.name} --owner your_name   (once)",
        )
    return f"{settings.owner}/{_leaf(folder)}"


def _leaf(folder: Path) -> str:
    leaf = folder.resolve().name
    safe = safe_spelling(leaf).split("/")[-1]
    if safe != leaf:
        output.say(f"{leaf!r} will be called {safe}")
    return safe


def _scan(folder: Path, asked: Push) -> tuple[list[files.Entry], dict[str, str]]:
    """The files to send, and why others cannot be."""
    return files.scan(folder, audit.is_audio if _only_audio(asked) else _always)


def _here(folder: Path) -> list[str]:
    """All that lies here, sent or not: none of it is to be removed there."""
    entries, refused = files.scan(folder, _always)
    return [*(entry.path for entry in entries), *refused]


def _only_audio(asked: Push) -> bool:
    return asked.home == "inputs" and not asked.everything


def _look(folder: Path, asked: Push) -> tuple[list[files.Entry], dict[str, str]]:
    """The files to send, after a look at the recordings among them."""
    entries, refused = _scan(folder, asked)
    if not entries and not refused:
        kinds = "recordings" if _only_audio(asked) else "files"
        raise NotFoundError(f"folder={folder} holds no {kinds}", "wav, flac, mp3 ... or add --all")
    if asked.home == "inputs":
        seen = audit.look(folder, entries)
        output.say(seen.summary)
        for warning in seen.warnings:
            output.warn(warning)
    return entries, refused


def _always(path: str) -> bool:
    return True


def _never(path: str) -> bool:
    return False


def _agreed(
    lab: Lab,
    settings: Settings,
    what: tuple[Path, tuple[list[files.Entry], dict[str, str]], dict[str, Any]],
    *,
    no_input: bool,
) -> Callable[[str], bool]:
    """What may be removed there, after a yes: what was shown, not what came after that."""
    folder, listed, request = what
    with open_wire(lab, settings, no_input=no_input) as wire:
        shown = near.Shown(lambda *_: None, lambda _: None, lambda *_: None)
        extras = near.push(wire, folder, listed, request, shown, dry_run=True).extras
    if not extras:
        return extras.__contains__
    list_some(extras)
    question = f"Remove {counted(len(extras), 'file')} from {request['home']}/{request['name']}?"
    if not output.confirm(question, no_input=no_input):
        raise UsageError("nothing was done", "leave --delete out")
    return extras.__contains__


def _client(settings: Settings) -> str:
    """Names this workspace on this machine: the lab lets it take over from its own lost line."""
    text = f"{socket.gethostname()} {settings.root} {settings.owner}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
