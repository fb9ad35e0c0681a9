"""The near end of push and fetch: what to send, what came of each file."""

import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlwa.actions.sync import files, names
from dlwa.actions.sync.files import Arriving, Entry, Parts
from dlwa.actions.sync.wire import Wire
from dlwa.errors import (
    AccessError,
    BusyError,
    DlwaError,
    NetworkError,
    NotFoundError,
    UsageError,
)

_KINDS: dict[int, type[DlwaError]] = {
    2: UsageError,
    3: NotFoundError,
    4: AccessError,
    5: NetworkError,
    6: BusyError,
}
_SPARE = 1.02


@dataclass
class Result:
    """What came of each file; `bad` are those that did not arrive as they were sent."""

    sent: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    extras: list[str] = field(default_factory=list)
    bytes: int = 0
    step: int | None = None


@dataclass(frozen=True)
class Shown:
    """How progress is told: the bytes there are to move once, those moved again and again."""

    total: Callable[[int, int], None]
    moved: Callable[[int], None]
    file: Callable[[str, int, int], None]


@contextmanager
def _understood() -> Iterator[None]:
    """Turn what no dlwa would send into an error, whatever it broke here."""
    try:
        yield
    except (ValueError, LookupError, TypeError) as error:
        raise DlwaError(
            f"the lab answered in its own language ({type(error).__name__}: {error!a})",
            "./dlwa.py lab check",
        ) from error


@_understood()
def push(
    wire: Wire,
    folder: Path,
    listed: tuple[list[Entry], dict[str, str]],
    request: dict[str, Any],
    shown: Shown,
    *,
    delete: bool = False,
    dry_run: bool = False,
) -> Result:
    """Send what the lab does not have of a folder. Raises `DlwaError` if the lab refuses it."""
    entries, refused = listed
    result = Result(refused=dict(refused))
    wire.send(do="push", files=[entry.document() for entry in entries], **request)
    answer = _checked(wire.message())
    needed = [(int(one[0]), list(one[1]), str(one[2])) for one in answer["needed"]]
    numbers = {number for number, _, _ in needed}
    result.same = [entry.path for number, entry in enumerate(entries) if number not in numbers]
    result.extras = [str(path) for path in answer["extras"]]
    total = sum(entries[number].size for number in numbers)
    if dry_run:
        result.sent = [entries[number].path for number in sorted(numbers)]
        result.bytes = total
        wire.send(go=False)
        return result
    _require_room(total, int(answer["free"]), "the lab")
    shown.total(total, len(needed))
    before = wire.sent_bytes
    wire.send(go=True, delete=delete)
    acks = _Acks(wire, entries, result)
    for count, (number, blocks, sha256) in enumerate(needed, 1):
        shown.file(entries[number].path, count, len(needed))
        _send_one(wire, folder, (number, entries[number]), (blocks, sha256), (acks, shown))
        acks.require_alive()
    wire.send(finish=True)
    acks.wait()
    result.bytes = wire.sent_bytes - before
    return result


def _send_one(
    wire: Wire,
    folder: Path,
    one: tuple[int, Entry],
    there: tuple[list[str], str],
    told: tuple["_Acks", Shown],
) -> None:
    (number, entry), (blocks, sha256), (acks, shown) = one, there, told
    try:
        with (folder / (entry.source or entry.path)).open("rb") as stream:
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


class _Acks:
    """Reads what the lab says about each file while others are still being sent."""

    def __init__(self, wire: Wire, entries: list[Entry], result: Result) -> None:
        self.same: set[int] = set()
        self._wire, self._entries, self._result = wire, entries, result
        self._end: queue.Queue[BaseException | None] = queue.Queue()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def lost(self, number: int, reason: str) -> None:
        """Note that one of ours cannot be sent."""
        self._result.refused[self._entries[number].path] = reason

    def require_alive(self) -> None:
        """Raise what the lab has said that ends it all."""
        if self._failure:
            raise self._failure

    def wait(self) -> None:
        """Wait for the last word; raises what it is if it is an error."""
        failure = self._end.get()
        if failure:
            raise failure

    def _read(self) -> None:
        try:
            while not self._take(_checked(self._wire.message())):
                pass
        except BaseException as error:
            self._failure = error
            self._end.put(error)
        else:
            self._end.put(None)

    def _take(self, message: dict[str, Any]) -> bool:
        result = self._result
        if "done" in message:
            number = int(message["done"])
            (result.same if number in self.same else result.sent).append(self._path(number))
        elif "bad" in message:
            result.bad.append(self._path(int(message["bad"])))
        elif "failed" in message:
            result.refused[self._path(int(message["failed"]))] = str(message["reason"])
        elif "finished" in message:
            result.deleted = [str(path) for path in message["deleted"]]
            return True
        return False

    def _path(self, number: int) -> str:
        return self._entries[number].path


@_understood()
def fetch(
    wire: Wire,
    target: Path,
    request: dict[str, Any],
    shown: Shown,
    *,
    together: bool,
    dry_run: bool = False,
) -> Result:
    """Receive what is missing here. `together`: all files take their places, or none does.

    Raises `DlwaError` if the lab refuses it.
    """
    wire.send(do="fetch", **request)
    answer = _checked(wire.message())
    result = Result(refused={str(path): str(why) for path, why in answer["refused"].items()})
    result.step = answer["step"]
    entries = _accepted([files.entry_from(one) for one in answer["files"]], result)
    parts = Parts(target)
    want = _wanted(entries, target, parts, result)
    total = sum(entries[number].size for number, _, _ in want)
    if dry_run:
        result.sent, result.bytes = [entries[number].path for number, _, _ in want], total
        wire.send(want=[])
        _checked(wire.message())
        return result
    if want:
        parts.open()
        _require_room(total, shutil.disk_usage(target).free, "this machine")
    shown.total(total, len(want))
    wire.send(want=[list(one) for one in want])
    whole = _Incoming(wire, entries, parts, result, shown).receive(len(want))
    if not (together and (result.bad or result.refused)):
        for arriving in whole:
            arriving.put()
            result.sent.append(arriving.entry.path)
    if not result.bad:
        parts.close()
    return result


def _accepted(entries: list[Entry], result: Result) -> dict[int, Entry]:
    """The files whose names are safe here."""
    twins = names.twins(entry.path for entry in entries)
    accepted = {}
    for number, entry in enumerate(entries):
        wrong = names.problem_of(entry.path)
        if entry.path in twins:
            wrong = f"cannot be told apart from {twins[entry.path]} on every system"
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
            if info.st_size == entry.size:
                if info.st_mtime_ns // 1000 == entry.mtime_ns // 1000:
                    result.same.append(entry.path)
                    continue
                sha256 = files.digest_of(place)
        want.append((number, parts.blocks(entry), sha256))
    return want


class _Incoming:
    """Files as they come in."""

    def __init__(
        self, wire: Wire, entries: dict[int, Entry], parts: Parts, result: Result, shown: Shown
    ) -> None:
        self._wire, self._entries, self._parts = wire, entries, parts
        self._result, self._shown = result, shown
        self._whole: list[Arriving] = []
        self._now: Arriving | None = None
        self._count = 0

    def receive(self, total: int) -> list[Arriving]:
        """Take all that comes; the files that are whole, still aside."""
        try:
            while True:
                frame = self._wire.receive()
                if isinstance(frame, bytes):
                    self._take(frame)
                elif "finished" in _checked(frame):
                    return self._whole
                else:
                    self._message(frame, total)
        finally:
            if self._now:
                self._now.close()

    def _message(self, frame: dict[str, Any], total: int) -> None:
        number = int(next(frame[key] for key in ("file", "end", "same", "gone") if key in frame))
        entry = self._entries[number]
        if "file" in frame:
            self._count += 1
            self._shown.file(entry.path, self._count, total)
            self._shown.moved(int(frame["offset"]))
            self._begin(entry, int(frame["offset"]))
        elif "same" in frame:
            self._shown.moved(entry.size)
            self._result.same.append(entry.path)
        elif "gone" in frame:
            self._result.bad.append(entry.path)
        else:
            self._end(entry, str(frame["sha256"]))

    def _begin(self, entry: Entry, offset: int) -> None:
        try:
            self._now = Arriving(self._parts, entry, offset)
        except (OSError, ValueError) as error:
            self._result.refused[entry.path] = _reason(error)

    def _take(self, data: bytes) -> None:
        self._shown.moved(len(data))
        self._result.bytes += len(data)
        if self._now is None:
            return
        try:
            self._now.take(data)
        except (OSError, ValueError) as error:
            self._result.refused[self._now.entry.path] = _reason(error)
            with suppress(OSError):
                self._now.close()
            self._now = None

    def _end(self, entry: Entry, sha256: str) -> None:
        arriving, self._now = self._now, None
        if arriving is None:
            return
        try:
            whole = arriving.is_whole(sha256)
        except OSError as error:
            self._result.refused[entry.path] = _reason(error)
            return
        if whole:
            self._whole.append(arriving)
        else:
            self._result.bad.append(entry.path)


def _checked(message: dict[str, Any]) -> dict[str, Any]:
    """A message, unless it is the lab's error, which is raised here."""
    if "error" in message:
        told = message["error"]
        kind = _KINDS.get(int(told["code"]), DlwaError)
        raise kind(str(told["message"]), str(told["hint"]))
    return message


def _require_room(needed: int, free: int, where: str) -> None:
    if needed * _SPARE > free:
        raise DlwaError(
            f"the disk of {where} has {free / 1e9:.2f} GB free, {needed / 1e9:.2f} GB are needed",
            "make room: ./dlwa.py user usage shows who fills it",
        )


def _reason(error: Exception) -> str:
    return str(error.strerror) if isinstance(error, OSError) else str(error)
