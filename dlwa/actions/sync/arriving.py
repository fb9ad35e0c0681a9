"""Files that arrive: kept aside until they are whole.

What arrives is written into a hidden folder beside its place, under a name that depends on the
path alone, so that a later try finds it and goes on. It takes its place only when its SHA-256 is
that of the whole file on the other side.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlwa.actions.sync import names
from dlwa.actions.sync.digest import Digest
from dlwa.actions.sync.files import BLOCK_BYTES, Entry, block_digests
from dlwa.actions.sync.wire import Bytes
from dlwa.errors import BusyError, UsageError
from dlwa.locks import FolderLock
from dlwa.shell import quote

_FLUSH_FROM_BYTES = 1 << 20


class Parts:
    """The hidden folder beside the files in which those that arrive are kept until whole."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, folder / names.PARTS
        self._lock = FolderLock(self.place)
        self._used: set[str] = set()

    def part_of(self, path: str) -> Path:
        """Where a file is kept until it is whole."""
        name = hashlib.sha256(path.encode()).hexdigest()[:32]
        self._used.add(name)
        return self.place / name

    def blocks(self, entry: Entry) -> list[str]:
        """The digests of what is there already of a file."""
        part = self.part_of(entry.path)
        return block_digests(part, entry.size) if part.exists() else []

    def loose(self, entry: Entry, blocks: list[str]) -> int:
        """How many bytes lie there behind a file's whole blocks: they make room for new ones."""
        with suppress(OSError):
            return max(0, self.part_of(entry.path).stat().st_size - BLOCK_BYTES * len(blocks))
        return 0

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder and keep it to ourselves meanwhile.

        Raises `OSError` where that is not allowed, `UsageError` if a link or a file is there,
        `BusyError` if another transfer is there: each would take the other's parts for old ones.
        """
        is_new = not self.folder.exists()
        with suppress(FileExistsError):
            self.place.mkdir(parents=True, exist_ok=True)
        if self.place.is_symlink() or not self.place.is_dir():
            what = "a link" if self.place.is_symlink() else "no folder"
            raise UsageError(f"{self.place} is {what}", f"remove it: rm {quote(str(self.place))}")
        if not self._lock.try_acquire():
            raise BusyError(f"another push or fetch goes on in {self.folder}", "wait for it")
        try:
            yield
        finally:
            with suppress(OSError):  # nothing is left where nothing came
                self.place.rmdir()
                if is_new:
                    self.folder.rmdir()
            self._lock.release()

    def tidy(self) -> None:
        """Remove what nobody needs any more."""
        if self.place.is_symlink():  # what it leads to is not ours
            return
        with suppress(OSError):
            for path in self.place.iterdir():
                if path.name not in self._used:
                    path.unlink()
        with suppress(OSError):
            self.place.rmdir()


class Arriving:
    """One file that arrives: written aside from an offset on, checked, moved into its place."""

    def __init__(self, parts: Parts, entry: Entry, offset: int) -> None:
        self.entry = entry
        self._part = parts.part_of(entry.path)
        self._place = names.inside(parts.folder, entry.path)
        self._digest = Digest()
        self._at = 0
        mode = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        self._stream = os.fdopen(os.open(self._part, mode, 0o664), "r+b", buffering=0)
        try:
            self._begin_at(offset)
        except BaseException:
            self._stream.close()
            raise

    def _begin_at(self, offset: int) -> None:
        if not 0 <= offset <= self.entry.size:
            raise ValueError(f"offset={offset} is outside of {self.entry.path}")
        while self._at < offset:
            data = self._stream.read(min(BLOCK_BYTES, offset - self._at))
            if not data:
                raise ValueError(f"{self.entry.path}: the part is shorter than was said")
            with self._digest.updated(data):
                self._at += len(data)
        self._stream.truncate(offset)
        self._stream.seek(offset)

    def take(self, data: Bytes) -> None:
        """Write the next piece; raises `ValueError` if it is more than was announced."""
        self._at += len(data)
        if self._at > self.entry.size:
            raise ValueError(f"{self.entry.path} is longer than was said")
        with self._digest.updated(data):
            left = memoryview(data)
            while left:
                left = left[self._stream.write(left) :]

    def is_whole(self, sha256: str) -> bool:
        """Close the part; whether it is what the other side has. If not, it is thrown away."""
        if self.entry.size >= _FLUSH_FROM_BYTES:
            os.fsync(self._stream.fileno())
        self._stream.close()
        whole = self._at == self.entry.size and self._digest.hexdigest() == sha256
        if not whole:
            self._part.unlink(missing_ok=True)
        return whole

    def put(self) -> None:
        """Move the checked file into its place."""
        self._place.parent.mkdir(parents=True, exist_ok=True)
        names.inside(self._place.parent, self._place.name)
        os.utime(self._part, ns=(self.entry.mtime_ns, self.entry.mtime_ns))
        self._part.replace(self._place)

    def close(self) -> None:
        """Leave the part as it is, for the next try."""
        self._stream.close()
