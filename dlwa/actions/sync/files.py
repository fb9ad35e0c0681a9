"""Files as they cross: listing a folder, sending a part of one, receiving it aside.

What arrives is written into a hidden folder beside its place, under a name that depends on the
path alone, so that a later try finds it and goes on. It takes its place only when its SHA-256 is
that of the whole file on the other side.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from dlwa.actions.sync import names
from dlwa.actions.sync.wire import Bytes, Wire

BLOCK_BYTES = 1 << 20
_FLUSH_FROM_BYTES = 1 << 20
Moved = Callable[[int], None]


@dataclass(frozen=True)
class Entry:
    """One file of a folder, by its relative path; `source` is that path as spelt on the disk."""

    path: str
    size: int
    mtime_ns: int
    source: str = ""

    def document(self) -> list[Any]:
        """As it is sent."""
        return [self.path, self.size, self.mtime_ns]


def entry_from(document: Any) -> Entry:
    """An entry somebody sent; raises `ValueError` if it is none."""
    path, size, mtime_ns = document
    if not isinstance(path, str) or not isinstance(size, int) or not isinstance(mtime_ns, int):
        raise ValueError(f"no entry: {document!r}")
    if size < 0 or isinstance(size, bool):
        raise ValueError(f"no size: {size!r}")
    return Entry(path, size, mtime_ns)


def scan(
    folder: Path, wanted: Callable[[str], bool], hidden: bool = False
) -> tuple[list[Entry], dict[str, str]]:
    """The files under a folder that are wanted, in order, and why some of them cannot cross."""
    found: dict[str, Entry] = {}
    refused: dict[str, str] = {}

    def shut(error: OSError) -> None:
        path = Path(error.filename).relative_to(folder).as_posix()
        refused[path] = f"cannot be read: {error.strerror}"

    for place, folders, files in os.walk(folder, onerror=shut):
        below = Path(place).relative_to(folder)
        _leave_out(folders, Path(place), below, refused, hidden=hidden)
        for file in sorted(files):
            path = (below / file).as_posix()
            if (file.startswith(".") and not hidden) or not wanted(path):
                continue
            try:
                info = os.lstat(Path(place) / file)
            except OSError:
                continue  # gone meanwhile
            wrong = names.problem_of(names.normal(path))
            if stat.S_ISLNK(info.st_mode):
                refused[path] = "is a link"
            elif not stat.S_ISREG(info.st_mode):
                refused[path] = "is no ordinary file"
            elif wrong:
                refused[path] = wrong
            else:
                found[path] = Entry(names.normal(path), info.st_size, info.st_mtime_ns, path)
    for path, other in names.twins(found).items():
        refused[path] = names.not_apart_from(other)
        del found[path]
    return list(found.values()), refused


def _leave_out(
    folders: list[str], place: Path, below: Path, refused: dict[str, str], *, hidden: bool
) -> None:
    for name in list(folders):
        path = (below / name).as_posix()
        if name == names.PARTS or (name.startswith(".") and not hidden):
            folders.remove(name)
        elif wrong := names.problem_of(names.normal(path)):
            folders.remove(name)
            refused[path] = wrong
        elif (place / name).is_symlink():
            folders.remove(name)
            refused[path] = "is a link"
    folders.sort()


def digest_of(path: Path) -> str:
    """The SHA-256 of a whole file."""
    with path.open("rb") as stream:
        return digest_of_stream(stream)


def digest_of_stream(stream: BinaryIO) -> str:
    """The SHA-256 of what can still be read."""
    digest = hashlib.sha256()
    while data := stream.read(BLOCK_BYTES):
        digest.update(data)
    return digest.hexdigest()


def block_digests(path: Path, limit: int) -> list[str]:
    """The SHA-256 of each whole block of a file's first `limit` bytes."""
    found: list[str] = []
    with contextlib.suppress(OSError), path.open("rb") as stream:
        while len(found) < limit // BLOCK_BYTES:
            data = stream.read(BLOCK_BYTES)
            if len(data) < BLOCK_BYTES:
                break
            found.append(hashlib.sha256(data).hexdigest())
    return found


def send_file(
    wire: Wire, stream: BinaryIO, number: int, entry: Entry, blocks: list[str], moved: Moved
) -> int:
    """Send what the other side does not have; `blocks` are the digests of what it says it has.

    Returns the offset the sending began at. The file is read once: what is there already is
    compared and counted into the digest on the way.
    """
    digest = hashlib.sha256()
    offset = 0
    for block in blocks:
        data = stream.read(BLOCK_BYTES)
        if len(data) < BLOCK_BYTES or hashlib.sha256(data).hexdigest() != block:
            break
        digest.update(data)
        offset += BLOCK_BYTES
        moved(BLOCK_BYTES)
    stream.seek(offset)
    wire.send(file=number, offset=offset)
    left = entry.size - offset
    while left > 0:
        piece = wire.send_piece_of(stream, left)
        if not piece:
            break
        digest.update(piece)
        moved(len(piece))
        left -= len(piece)
    whole = left == 0 and not stream.read(1) and _is_unchanged(stream, entry)
    wire.send(end=number, sha256=digest.hexdigest() if whole else "")
    return offset


def _is_unchanged(stream: BinaryIO, entry: Entry) -> bool:
    """Whether an open file is as it was when it was listed: half of it could be older than half."""
    try:
        return os.fstat(stream.fileno()).st_mtime_ns // 1000 == entry.mtime_ns // 1000
    except (OSError, ValueError):  # written for the copy, in memory
        return True


class Parts:
    """The hidden folder beside the files in which those that arrive are kept until whole."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, folder / names.PARTS
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
        with contextlib.suppress(OSError):
            return max(0, self.part_of(entry.path).stat().st_size - BLOCK_BYTES * len(blocks))
        return 0

    def open(self) -> None:
        """Make the folder; raises `OSError` where that is not allowed or a link is there."""
        self.place.mkdir(parents=True, exist_ok=True)
        if self.place.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, "is a link", str(self.place))

    def close(self) -> None:
        """Remove what nobody needs any more."""
        if self.place.is_symlink():  # what it leads to is not ours
            return
        with contextlib.suppress(OSError):
            for path in self.place.iterdir():
                if path.name not in self._used:
                    path.unlink()
        with contextlib.suppress(OSError):
            self.place.rmdir()


class Arriving:
    """One file that arrives: written aside from an offset on, checked, moved into its place."""

    def __init__(self, parts: Parts, entry: Entry, offset: int) -> None:
        self.entry = entry
        self._part = parts.part_of(entry.path)
        self._place = names.inside(parts.folder, entry.path)
        self._digest = hashlib.sha256()
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
            self._digest.update(data)
            self._at += len(data)
        self._stream.truncate(offset)
        self._stream.seek(offset)

    def take(self, data: Bytes) -> None:
        """Write the next piece; raises `ValueError` if it is more than was announced."""
        self._at += len(data)
        if self._at > self.entry.size:
            raise ValueError(f"{self.entry.path} is longer than was said")
        self._digest.update(data)
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


def of_the_system(error: OSError, where: str) -> str:
    """What the system refused about a file that arrives, to be said after "it"."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"does not fit: the disk of {where} is full"
    return f"cannot be written: {error.strerror}"


def left_to_send(entry: Entry, blocks: list[str]) -> int:
    """The bytes still missing of a file of which some blocks are there."""
    return max(0, entry.size - BLOCK_BYTES * len(blocks))


def remove_empty_folders(folder: Path) -> None:
    """Remove folders under this one that hold nothing."""
    for place in _deepest_first(folder):
        with contextlib.suppress(OSError):
            place.rmdir()


def _deepest_first(folder: Path) -> Iterator[Path]:
    for place, _, _ in os.walk(folder, topdown=False):
        if Path(place) != folder:
            yield Path(place)
