"""How `push` and `fetch` talk."""

import hashlib
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa.actions.sync import audit, files, near
from dlwa.actions.sync.files import BLOCK_BYTES
from dlwa.actions.sync.near import Result, Shown
from dlwa.actions.sync.wire import Wire
from dlwa.actions.users import refuse_others_place
from dlwa.cli import options, output
from dlwa.cli._pipe import open_wire
from dlwa.cli._sync_told import Bar, list_some, tell
from dlwa.errors import (
    BusyError,
    ExitCode,
    NetworkError,
    NotFoundError,
    UsageError,
)
from dlwa.labs import Lab, read_lab
from dlwa.locks import FileLock, is_locked
from dlwa.names import parse_name, safe_spelling
from dlwa.settings import Settings
from dlwa.shell import quote
from dlwa.words import counted
from dlwa.workspace import RunPaths

_WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_TIMES_BAD = 3
Once = Callable[[Wire, Shown], Result]


@dataclass(frozen=True)
class Push:
    """What is to be sent."""

    folder: Path
    name: str
    home: str
    everything: bool
    delete: bool
    as_admin: bool


@dataclass(frozen=True)
class Fetch:
    """What is to be brought."""

    name: str
    dest: Path | None
    home: str
    what: str


def push(asked: Push, *, dry_run: bool, yes: bool, no_input: bool) -> int:
    """Look at the recordings, send them, say what came of each; the exit code."""
    settings, lab = _where()
    folder = asked.folder.expanduser()
    if not folder.is_dir():
        raise NotFoundError(f"folder={asked.folder} is not a folder", "push a folder: violin/")
    name = parse_name(asked.name or _own_name(folder, settings, lab), "name")
    if asked.as_admin and name.parts[0] != settings.owner:
        question = f"{name} belongs to {name.parts[0]}. Send into it all the same?"
        if not output.confirm(question, assume_yes=yes, no_input=no_input):
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
        _agree_to_delete(lab, settings, (folder, listed, request), no_input=no_input)
    place = f"{asked.home}/{name}"

    def once(wire: Wire, shown: Shown) -> Result:
        now = _scan(folder, asked)  # what was still being written is sent as it is by now
        return near.push(wire, folder, now, request, shown, delete=asked.delete, dry_run=dry_run)

    result, took_s = _carried("push", place, (lab, settings), once, no_input=no_input)
    what = ("sent", f"{lab.name}:{place}", took_s)
    code = tell(result, what, dry_run=dry_run, delete=asked.delete)
    recorded = any(audit.is_audio(path) for path in (*result.sent, *result.same))
    if code == ExitCode.OK and not dry_run and asked.home == "inputs" and recorded:
        words = f"ddsp make-dataset --input_name {name} --dataset_name {name}"
        output.say(f"next: {output.LAUNCHER} {words}")
    return code


def fetch(asked: Fetch, *, dry_run: bool, no_input: bool) -> int:
    """Bring files and say what came of each; the exit code."""
    settings, lab = _where()
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

    def once(wire: Wire, shown: Shown) -> Result:
        together = asked.what != "all"
        return near.fetch(wire, target, request, shown, together=together, dry_run=dry_run)

    place = f"{asked.home}/{name}"
    result, took_s = _carried("fetch", place, (lab, settings), once, no_input=no_input)
    what = ("fetched", str(target), took_s)
    code = tell(result, what, dry_run=dry_run, delete=False)
    if asked.what != "all" and not dry_run and (result.refused or result.bad):
        output.say(f"{target} stays as it was: a model is taken whole or not at all")
    if code == ExitCode.OK and not dry_run and asked.home == "models":
        model = str(name) if asked.dest is None else quote(str(target))
        which = " --checkpoint latest" if asked.what == "latest" else ""
        words = f"ddsp timbre-transfer IN.wav --model_name {model}{which}"
        output.say(f"hear it: {output.LAUNCHER} {words}")
    return code


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


def _where() -> tuple[Settings, Lab]:
    settings = options.settings()
    return settings, read_lab(settings.workspace.labs, settings.lab)


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
    return files.scan(folder, audit.is_audio if _only_audio(asked) else lambda path: True)


def _here(folder: Path) -> list[str]:
    """All that lies here, sent or not: none of it is to be removed there."""
    entries, refused = files.scan(folder, lambda path: True)
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


def _agree_to_delete(
    lab: Lab,
    settings: Settings,
    what: tuple[Path, tuple[list[files.Entry], dict[str, str]], dict[str, Any]],
    *,
    no_input: bool,
) -> None:
    folder, listed, request = what
    with open_wire(lab, settings, no_input=no_input) as wire:
        shown = near.Shown(lambda *_: None, lambda _: None, lambda *_: None)
        extras = near.push(wire, folder, listed, request, shown, dry_run=True).extras
    if not extras:
        return
    list_some(extras)
    question = f"Remove {counted(len(extras), 'file')} from {request['home']}/{request['name']}?"
    if not output.confirm(question, no_input=no_input):
        raise UsageError("nothing was done", "leave --delete out")


def _carried(
    verb: str, place: str, where: tuple[Lab, Settings], once: Once, *, no_input: bool
) -> tuple[Result, float]:
    """Carry something to its end, under one bar; what came of it, and the seconds it took."""
    lab, settings = where
    with _alone(settings, f"{verb}.{place}"), ExitStack() as stack:
        bar = Bar(stack, verb)
        began = time.monotonic()
        result = _until_good(lab, settings, once, bar, no_input=no_input)
    return result, time.monotonic() - began


def _until_good(lab: Lab, settings: Settings, once: Once, bar: Bar, *, no_input: bool) -> Result:
    """Try until all that can arrive has arrived: lost lines and spoilt files are tried again.

    It gives up on a line over which nothing more arrives, however often it is opened.
    """
    tries = spoilt = 0
    bytes_before = furthest = 0
    while True:
        try:
            with open_wire(lab, settings, no_input=no_input) as wire:
                result = once(wire, bar.shown())
        except NetworkError as error:
            if bar.furthest >= furthest + BLOCK_BYTES:
                tries, furthest = 0, bar.furthest
            if tries == len(_WAITS_S) or lab.is_local:
                raise
            output.say(f"{error.message}; going on in {_WAITS_S[tries]:.0f} s ...")
            time.sleep(_WAITS_S[tries])
            tries += 1
            continue
        bytes_before += result.bytes
        result.bytes = bytes_before
        spoilt += 1
        if not result.bad or spoilt == _TIMES_BAD:
            return result
        output.say(f"{counted(len(result.bad), 'file')} changed on the way; sending them again ...")


def _client(settings: Settings) -> str:
    """Names this workspace on this machine: the lab lets it take over from its own lost line."""
    text = f"{socket.gethostname()} {settings.root} {settings.owner}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _alone(settings: Settings, title: str) -> Any:
    """Two transfers of the same thing on this machine would only disturb each other."""
    import os

    if os.name == "nt":
        return ExitStack()
    path = settings.workspace.state / "locks" / f"{title.replace('/', '+')}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    if not lock.try_acquire():
        verb, _, what = title.partition(".")
        raise BusyError(f"a {verb} of {what} goes on in another window", "wait for it")
    return lock
