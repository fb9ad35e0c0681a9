"""Files as they come in, each kept aside until it is whole; then what is not wanted goes."""

import contextlib
import os

from dlwa.actions.sync import files, names
from dlwa.actions.sync.arriving import Arriving, Parts
from dlwa.actions.sync.far._places import reason_of
from dlwa.actions.sync.files import Entry
from dlwa.actions.sync.wire import Wire


class Receiving:
    """The files of one push as they arrive in a folder."""

    def __init__(self, wire: Wire, entries: list[Entry], parts: Parts) -> None:
        self._wire, self._entries, self._parts = wire, entries, parts
        self._folder = parts.folder

    def receive(self, extras: set[str]) -> list[str]:
        """Take all that comes and say what came of each file; then remove `extras`.

        Returns what is removed.
        """
        arriving: Arriving | None = None
        try:
            while True:
                frame = self._wire.receive()
                if isinstance(frame, memoryview):
                    arriving = self._write(arriving, frame)
                elif "file" in frame:
                    arriving = self._begin(int(frame["file"]), int(frame["offset"]))
                elif "end" in frame:
                    self._end(arriving, int(frame["end"]), str(frame["sha256"]))
                    arriving = None
                elif "touch" in frame:
                    self._touch(int(frame["touch"]))
                elif "finish" in frame:
                    return self._delete(extras)
        finally:
            if arriving:
                arriving.close()

    def _begin(self, number: int, offset: int) -> Arriving | None:
        try:
            return Arriving(self._parts, self._entries[number], offset)
        except ValueError:  # what was there of it is there no more: another try will find so
            self._wire.send(bad=number)
        except OSError as error:
            self._wire.send(failed=number, reason=reason_of(error))
        return None

    def _write(self, arriving: Arriving | None, data: memoryview) -> Arriving | None:
        if arriving is None:
            return None  # it has failed; the rest of it is read and forgotten
        try:
            arriving.take(data)
        except (OSError, ValueError) as error:
            with contextlib.suppress(OSError):
                arriving.close()
            number = self._entries.index(arriving.entry)
            self._wire.send(failed=number, reason=reason_of(error))
            return None
        return arriving

    def _end(self, arriving: Arriving | None, number: int, sha256: str) -> None:
        if arriving is None:
            return
        try:
            if arriving.is_whole(sha256):
                arriving.put()
                self._wire.send(done=number)
            else:
                self._wire.send(bad=number)
        except (OSError, ValueError) as error:
            self._wire.send(failed=number, reason=reason_of(error))

    def _touch(self, number: int) -> None:
        entry = self._entries[number]
        with contextlib.suppress(OSError):
            place = names.inside(self._folder, entry.path)
            os.utime(place, ns=(entry.mtime_ns, entry.mtime_ns))
        self._wire.send(done=number)

    def _delete(self, extras: set[str]) -> list[str]:
        gone = []
        for path in sorted(extras):
            with contextlib.suppress(OSError, ValueError):
                names.inside(self._folder, path).unlink()
                gone.append(path)
        if gone:
            files.remove_empty_folders(self._folder)
        return gone
