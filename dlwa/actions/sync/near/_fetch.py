"""Bringing a folder: what is missing here, and when it takes its place."""

import shutil
import stat
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from dlwa.actions.sync import files, names
from dlwa.actions.sync.arriving import Arriving, Parts
from dlwa.actions.sync.files import Entry
from dlwa.actions.sync.near._answers import checked, reason_of, require_room, understood
from dlwa.actions.sync.near._incoming import Incoming
from dlwa.actions.sync.near._result import Result, Shown
from dlwa.actions.sync.wire import Wire


@understood()
def fetch(
    wire: Wire,
    target: Path,
    request: dict[str, Any],
    shown: Shown,
    *,
    together: bool,
    dry_run: bool = False,
    result: Result | None = None,
) -> Result:
    """Receive what is missing here. `together`: all files take their places, or none does.

    A `result` that is given tells also after an error what was done. Raises `DlwaError` if the lab
    refuses it.
    """
    wire.send(do="fetch", **request)
    answer = checked(wire.message())
    result = result or Result()
    result.refused |= {str(path): str(why) for path, why in answer["refused"].items()}
    result.step = answer["step"]
    entries = _accepted([files.entry_from(one) for one in answer["files"]], result)
    parts = Parts(target)
    want = _wanted(entries, target, parts, result)
    total = sum(entries[number].size for number, _, _ in want)
    if dry_run:
        result.sent, result.bytes = [entries[number].path for number, _, _ in want], total
        wire.send(want=[])
        checked(wire.message())
        return result
    with parts.opened() if want else nullcontext():
        if want:
            _require_room([(entries[number], blocks) for number, blocks, _ in want], parts)
        shown.total(total, len(want))
        wire.send(want=[list(one) for one in want])
        whole = Incoming(wire, entries, parts, result, shown).receive(len(want))
        if not (together and (result.bad or result.refused)):
            _put(whole, result)
        if not result.bad:
            parts.tidy()
    return result


def _require_room(coming: list[tuple[Entry, list[str]]], parts: Parts) -> None:
    """Raise `DlwaError` if this disk is too full; loose bytes of parts make room for new ones."""
    missing = sum(files.left_to_send(entry, blocks) for entry, blocks in coming)
    loose = sum(parts.loose(entry, blocks) for entry, blocks in coming)
    require_room(missing, shutil.disk_usage(parts.folder).free + loose, "this machine")


def _put(whole: list[Arriving], result: Result) -> None:
    for arriving in whole:
        try:
            arriving.put()
        except (OSError, ValueError) as error:
            result.refused[arriving.entry.path] = reason_of(error)
        else:
            result.sent.append(arriving.entry.path)


def _accepted(entries: list[Entry], result: Result) -> dict[int, Entry]:
    """The files whose names are safe here."""
    twins = names.twins(entry.path for entry in entries)
    accepted = {}
    for number, entry in enumerate(entries):
        wrong = names.problem_of(entry.path)
        if entry.path in twins:
            wrong = names.not_apart_from(twins[entry.path])
        if wrong:
            result.refused[entry.path] = wrong
        else:
            accepted[number] = entry
    return accepted


def _wanted(
    entries: dict[int, Entry], target: Path, parts: Parts, result: Result
) -> list[tuple[int, list[str], str]]:
    want = []
    for number, entry in entries.items():
        try:
            place = names.inside(target, entry.path)
        except ValueError as error:
            result.refused[entry.path] = str(error)
            continue
        sha256 = ""
        with suppress(OSError):
            info = place.lstat()
            if not stat.S_ISREG(info.st_mode):
                result.refused[entry.path] = "is no ordinary file here"
                continue
            if info.st_size == entry.size:
                if info.st_mtime_ns // 1000 == entry.mtime_ns // 1000:
                    result.same.append(entry.path)
                    continue
                sha256 = files.digest_of(place)
        want.append((number, parts.blocks(entry), sha256))
    return want
