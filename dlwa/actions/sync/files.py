"""Files as they cross: listing a folder, and sending what the other side lacks of one."""

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
from dlwa.actions.sync.wire import Wire

BLOCK_BYTES = 1 << 20
_MOST_BYTES = 1 << 63
_FARTHEST_NS = 1 << 90  # what a system takes for a time, and more than any clock shows
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
    if not 0 <= size < _MOST_BYTES or isinstance(size, bool):
        raise ValueError(f"no size: {document!r:.200}")
    if abs(mtime_ns) > _FARTHEST_NS:
        raise ValueError(f"no time: {document!r:.200}")
    return Entry(path, size, mtime_ns)


def scan(
    folder: Path, wanted: Callable[[str], bool], hidden: bool = False
) -> tuple[list[Entry], dict[str, str]]:
    """The files under a folder that are wanted, in order, and why some of them cannot cross."""
    found: dict[str, Entry] = {}
    refused: dict[str, str] = {}

    def shut(error: OSError) -> None:
        path = Path(error.filename).relative_to(folder).as_posix()
        refused[names.shown(path)] = f"cannot be read: {error.strerror}"

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
                refused[names.shown(path)] = "is a link"
            elif not stat.S_ISREG(info.st_mode):
                refused[names.shown(path)] = "is no ordinary file"
            elif wrong:
                refused[names.shown(path)] = wrong
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
            refused[names.shown(path)] = wrong
        elif (place / name).is_symlink():
            folders.remove(name)
            refused[path] = "is a link"
    folders.sort()


def open_file(path: Path) -> BinaryIO:
    """Open an ordinary file; raises `OSError` if by now a link, a pipe or the like is there.

    Opening a pipe that nobody writes would wait for ever.
    """
    flags = (getattr(os, name, 0) for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))
    try:
        handle = os.open(path, os.O_RDONLY | sum(flags))
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise OSError(errno.ELOOP, "it is a link by now", str(path)) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no ordinary file by now", str(path))
    return os.fdopen(handle, "rb")


def digest_of(path: Path) -> str:
    """The SHA-256 of a whole file."""
    with open_file(path) as stream:
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
    with contextlib.suppress(OSError), open_file(path) as stream:
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
