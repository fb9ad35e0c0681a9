"""Sending a folder: what the lab lacks of it, one file after the other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlwa.actions.sync import files
from dlwa.actions.sync.files import Entry
from dlwa.actions.sync.near._acks import Acks
from dlwa.actions.sync.near._answers import checked, require_room, understood
from dlwa.actions.sync.near._result import Result, Shown
from dlwa.actions.sync.wire import Wire

_Needed = list[tuple[int, list[str], str]]
"""The files the lab lacks: number, the digests of the blocks that are there, perhaps a digest."""


@understood()
def push(
    wire: Wire,
    folder: Path,
    listed: tuple[list[Entry], dict[str, str]],
    request: dict[str, Any],
    shown: Shown,
    *,
    delete: Callable[[str], bool] = lambda path: False,
    dry_run: bool = False,
    result: Result | None = None,
) -> Result:
    """Send what the lab does not have of a folder.

    `delete` says which files may be removed there, of those that are not here. A `result` that is
    given tells also after an error what was done. Raises `DlwaError` if the lab refuses it.
    """
    entries, refused = listed
    result = result or Result()
    result.refused |= refused
    wire.send(do="push", files=[entry.document() for entry in entries], **request)
    answer = checked(wire.message())
    needed = _needed(answer, entries, result)
    if dry_run:
        result.sent = [entries[number].path for number, _, _ in sorted(needed)]
        result.bytes = _size(needed, entries)
        wire.send(go=False)
        return result
    missing = sum(files.left_to_send(entries[number], blocks) for number, blocks, _ in needed)
    require_room(missing, int(answer["free"]), "the lab")
    shown.total(_size(needed, entries), len(needed))
    before = wire.sent_bytes
    try:
        wire.send(go=True, delete=[path for path in result.extras if delete(path)])
        _send_all(wire, folder, needed, Acks(wire, entries, result), shown)
    finally:
        result.bytes = wire.sent_bytes - before
    return result


def _needed(answer: dict[str, Any], entries: list[Entry], result: Result) -> _Needed:
    """What the lab lacks; what it has, refuses, or has more than we is put into the result."""
    needed = [(int(one[0]), list(one[1]), str(one[2])) for one in answer["needed"]]
    cannot = {int(number): str(why) for number, why in answer["refused"]}
    result.refused |= {entries[number].path: why for number, why in cannot.items()}
    kept = {number for number, _, _ in needed} | cannot.keys()
    result.same = [entry.path for number, entry in enumerate(entries) if number not in kept]
    result.extras = [str(path) for path in answer["extras"]]
    return needed


def _send_all(wire: Wire, folder: Path, needed: _Needed, acks: Acks, shown: Shown) -> None:
    for count, (number, blocks, sha256) in enumerate(needed, 1):
        entry = acks.entries[number]
        shown.file(entry.path, count, len(needed))
        _send_one(wire, folder, (number, entry), (blocks, sha256), (acks, shown))
        acks.require_alive()
    wire.send(finish=True)
    acks.wait()


def _size(needed: _Needed, entries: list[Entry]) -> int:
    return sum(entries[number].size for number in {number for number, _, _ in needed})


def _send_one(
    wire: Wire,
    folder: Path,
    one: tuple[int, Entry],
    there: tuple[list[str], str],
    told: tuple[Acks, Shown],
) -> None:
    (number, entry), (blocks, sha256), (acks, shown) = one, there, told
    try:
        with files.open_file(folder / (entry.source or entry.path)) as stream:
            if sha256 and files.digest_of_stream(stream) == sha256:
                acks.same.add(number)
                wire.send(touch=number)
                shown.moved(entry.size)
                return
            stream.seek(0)

            def moved(count: int) -> None:
                acks.require_alive()
                shown.moved(count)

            files.send_file(wire, stream, number, entry, blocks, moved)
    except OSError as error:
        acks.lost(number, f"cannot be read: {error.strerror}")
