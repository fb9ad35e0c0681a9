"""What was once measured of a recording is not measured again.

The cache is a folder of bounded size. Its entries are named by what they were made from: the
content of the recording, the settings and the code that measured (see ``_keys``). An entry is
written aside and renamed, so a reader sees all of it or nothing; one that cannot be read is
thrown away and made anew. A cache that cannot be written is left alone: it saves time, it must
never cost a dataset.
"""

import contextlib
import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from dlwa import runfiles

DEFAULT_LIMIT_BYTES = 5_000_000_000
_LEAST_FREE_BYTES = 500_000_000  # left to others on a disk that is nearly full
_FORGOTTEN_AFTER_S = 24 * 3600.0  # what a killed run left half-written
_LARGEST_SHARE = 4  # no file takes more than this part of the cache


def default_folder() -> Path:
    """The folder for caches of this user (of XDG, macOS or Windows); DLWA_CACHE_DIR moves it."""
    if os.environ.get("DLWA_CACHE_DIR"):
        return Path(os.environ["DLWA_CACHE_DIR"])
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "dlwa" / "datasets"


class Cache:
    """Entries by key: arrays, documents and files of samples. Without a folder it keeps nothing."""

    def __init__(self, folder=None, limit_bytes: int = DEFAULT_LIMIT_BYTES):
        self.folder = Path(folder).expanduser() if folder else None
        self.limit_bytes = limit_bytes

    def arrays(self, key: str) -> dict[str, np.ndarray] | None:
        """The arrays stored under a key, or None."""
        return self._read(key, ".npz", _load_arrays)

    def put_arrays(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Store arrays under a key."""

        def write(path: Path) -> None:
            with path.open("wb") as stream:
                np.savez(stream, **arrays)

        self._write(key, ".npz", write)

    def document(self, key: str) -> dict | None:
        """The document stored under a key, or None."""
        return self._read(key, ".json", lambda path: json.loads(path.read_text(encoding="utf-8")))

    def put_document(self, key: str, document: Mapping) -> None:
        """Store a document (anything JSON holds) under a key."""
        text = json.dumps(document)
        self._write(key, ".json", lambda path: path.write_text(text, encoding="utf-8"))

    def take_file(self, key: str, size: int, target: Path) -> bool:
        """Put the file of that size stored under a key at ``target``; False if there is none."""

        def take(path: Path) -> bool:
            if path.stat().st_size != size:
                raise ValueError(f"{path.stat().st_size} bytes instead of {size}")
            target.unlink(missing_ok=True)
            same_file(path, target)
            return True

        return bool(self._read(key, ".bin", take))

    def put_file(self, key: str, file: Path) -> None:
        """Store a file that nobody will change any more under a key."""
        if file.stat().st_size <= self.limit_bytes // _LARGEST_SHARE:
            self._write(key, ".bin", lambda path: same_file(file, path))

    def prune(self) -> None:
        """Remove the entries used longest ago until the rest keeps within the limit."""
        entries = sorted(_entries(self.folder)) if self.folder else []
        total = sum(size for _, size, _ in entries)
        for used_at, size, path in entries:
            forgotten = path.suffix == ".tmp" and time.time() - used_at > _FORGOTTEN_AFTER_S
            if forgotten or total > self.limit_bytes:
                with contextlib.suppress(OSError):
                    path.unlink()
                    total -= size

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / key[:2] / (key + suffix)

    def _read(self, key: str, suffix: str, read: Callable[[Path], Any]) -> Any:
        if not self.folder:
            return None
        path = self._path(key, suffix)
        try:
            found = read(path)
        except FileNotFoundError:
            return None
        except Exception as error:  # zip, zlib, JSON and NumPy each have errors of their own
            logging.warning("%s in the cache is damaged and made anew (%s)", path.name, error)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return found

    def _write(self, key: str, suffix: str, write: Callable[[Path], Any]) -> None:
        if not self.folder:
            return
        path = self._path(key, suffix)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(path.parent).free < _LEAST_FREE_BYTES:
                raise OSError(errno.ENOSPC, "the disk is nearly full")
            with runfiles.written_aside(path) as aside:
                write(aside)
        except OSError as error:
            logging.warning("no more is kept in %s: %s", self.folder, error.strerror or error)
            self.folder = None


def _load_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _entries(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of last use, size and path of every file below a folder; others may delete some."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            with contextlib.suppress(OSError):
                status = path.stat()
                yield status.st_mtime, status.st_size, path


def same_file(source: Path, target: Path) -> None:
    """A second name for a file where the disk allows it, else a copy."""
    try:
        os.link(source, target)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        shutil.copyfile(source, target)
