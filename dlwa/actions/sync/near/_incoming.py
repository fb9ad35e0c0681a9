"""Files as they come in, each kept aside until it is whole."""

from contextlib import suppress
from typing import Any

from dlwa.actions.sync.arriving import Arriving, Parts
from dlwa.actions.sync.files import Entry
from dlwa.actions.sync.near._answers import checked, reason_of
from dlwa.actions.sync.near._result import Result, Shown
from dlwa.actions.sync.wire import Wire


class Incoming:
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
                if isinstance(frame, memoryview):
                    self._take(frame)
                elif "finished" in checked(frame):
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
            self._gone(entry)
        else:
            self._end(entry, str(frame["sha256"]))

    def _begin(self, entry: Entry, offset: int) -> None:
        try:
            self._now = Arriving(self._parts, entry, offset)
        except ValueError:  # what was here of it is here no more: another try will find so
            self._result.bad.append(entry.path)
        except OSError as error:
            self._result.refused[entry.path] = reason_of(error)

    def _gone(self, entry: Entry) -> None:
        """It cannot be read there any more, perhaps in the middle of it."""
        if self._now:
            self._now.close()
            self._now = None
        self._result.bad.append(entry.path)

    def _take(self, data: memoryview) -> None:
        self._shown.moved(len(data))
        self._result.bytes += len(data)
        if self._now is None:
            return
        try:
            self._now.take(data)
        except (OSError, ValueError) as error:
            self._result.refused[self._now.entry.path] = reason_of(error)
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
            self._result.refused[entry.path] = reason_of(error)
            return
        if whole:
            self._whole.append(arriving)
        else:
            self._result.bad.append(entry.path)
