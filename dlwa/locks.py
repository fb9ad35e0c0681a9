"""A lock that dies with the process that holds it.

The kernel releases a `flock` whatever way a process ends, so no lock is ever left behind and
none has to be broken by hand.
"""

import errno
import os
import sys
import time
from pathlib import Path
from types import TracebackType

from dlwa.errors import AccessError
from dlwa.shell import quote

_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
# Everybody on the machine takes part, whatever the login.
_FILE_MODE = 0o666
_FOLDER_MODE = 0o1777
# Windows has neither; there only a laptop's own installation is locked, never a run.
_OURS_ALONE = getattr(os, "O_CLOEXEC", 0)
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)


class FileLock:
    """An exclusive lock on a file, which is made if need be and never removed.

    The file may carry a note about the holder. Child processes do not inherit the lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._handle is not None

    def try_acquire(self, within_s: float = 0.0) -> bool:
        """Take the lock if nobody has it, or gives it back in time; True if it is ours now.

        Where the file system knows no locks (some network folders) it is granted: callers
        check records besides. Somebody who asks `is_locked` is in the way for an instant.
        """
        if self.held:
            return True
        handle = open_shared(self.path)
        deadline = time.monotonic() + within_s
        while not _flock(handle, wait=False):
            if time.monotonic() >= deadline:
                os.close(handle)
                return False
            time.sleep(0.02)
        self._handle = handle
        return True

    def acquire(self) -> None:
        """Take the lock, waiting for it. Only for locks that are held for a moment."""
        if not self.held:
            handle = open_shared(self.path)
            _flock(handle, wait=True)
            self._handle = handle

    def release(self) -> None:
        """Give it back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def write(self, text: str) -> None:
        """Leave a note in the file, in place, because a new file would not be locked."""
        if self._handle is None:
            raise RuntimeError(f"{self.path} is not locked by this object")
        data = text.encode("utf-8")
        # in this order a full disk has room for what is no longer than the last note
        os.pwrite(self._handle, data, 0)
        os.ftruncate(self._handle, len(data))

    def touch(self) -> None:
        """Set the file's time to now, as a sign of life."""
        if self._handle is not None:
            os.utime(self._handle)

    def __enter__(self) -> "FileLock":
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class FolderLock:
    """An exclusive lock on a folder that is there; it may be removed by who holds the lock.

    Windows knows none: there it is always granted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it; True if it is ours now. Raises `OSError`."""
        if self._handle is not None or sys.platform == "win32":
            return True
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | _OURS_ALONE | _NO_LINKS)
        try:
            if self._lock(handle) and _is_there(self._folder, handle):
                self._handle, handle = handle, -1
        finally:
            if handle != -1:
                os.close(handle)
        return self._handle is not None

    def release(self) -> None:
        """Give it back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    @staticmethod
    def _lock(handle: int) -> bool:
        try:
            return _flock(handle, wait=False)
        except OSError as error:
            if error.errno == errno.EBADF:  # NFS locks only what is open for writing
                return True
            raise


def _is_there(folder: Path, handle: int) -> bool:
    """Whether it is still the same folder: who held the lock before may have removed it."""
    try:
        return os.path.samestat(os.lstat(folder), os.fstat(handle))
    except FileNotFoundError:
        return False


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock on that file now."""
    try:
        handle = os.open(path, os.O_RDONLY | _OURS_ALONE | _NO_LINKS)
    except OSError:
        return False
    try:
        # NFS grants an exclusive lock only on files opened for writing, a shared one on these
        return not _flock(handle, wait=False, shared=True)
    finally:
        os.close(handle)


def make_shared_folder(folder: Path) -> None:
    """Make a folder in which every login of the machine may make files, as in /tmp.

    One that is there stays as it is. Raises `AccessError` for a link or a file in its place.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir()
    except FileExistsError:
        refuse_link(folder)
        return
    # by a handle: whoever may rename things here could put a link in its place meanwhile
    handle = _open_folder(folder)
    try:
        if os.fstat(handle).st_uid == os.geteuid():
            os.fchmod(handle, _FOLDER_MODE)
    finally:
        os.close(handle)


def refuse_link(folder: Path) -> None:
    """Raise `AccessError` if a shared folder is a link or a file: somebody else may have put it."""
    os.close(_open_folder(folder))


def _open_folder(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _OURS_ALONE | _NO_LINKS)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        what = "a link" if folder.is_symlink() else "no folder"
        raise AccessError(
            f"{folder} is {what}: it must be a folder, lest runs touch what lies elsewhere",
            hint=f"remove it: rm {quote(str(folder))}   or choose another: DLWA_LOCK_DIR=FOLDER",
        ) from None


def open_shared(path: Path) -> int:
    """Open a file for writing that every login may lock; links are not followed.

    A file of somebody else is opened without O_CREAT: in a folder like /tmp the kernel refuses
    that combination.
    """
    flags = os.O_RDWR | _OURS_ALONE | _NO_LINKS
    for _ in range(10):
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            pass
        try:
            handle = os.open(path, flags | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        except FileExistsError:
            continue
        if hasattr(os, "fchmod"):
            os.fchmod(handle, _FILE_MODE)
        return handle
    raise FileNotFoundError(errno.ENOENT, "it comes and goes", str(path))


def _flock(handle: int, *, wait: bool, shared: bool = False) -> bool:
    if sys.platform == "win32":
        return _lock_on_windows(handle, wait=wait)
    import fcntl

    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(handle, kind | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return True
        raise
    return True


def _lock_on_windows(handle: int, *, wait: bool) -> bool:
    """The same by `msvcrt`, which waits ten seconds at most and then gives up."""
    import msvcrt

    while True:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            if not wait:
                return False
            time.sleep(0.2)
        else:
            return True
