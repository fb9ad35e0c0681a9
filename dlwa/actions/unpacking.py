"""Recordings that came as an archive: unpacked beside it, if somebody agrees."""

import lzma
import os
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from dlwa.actions._places import GB
from dlwa.errors import BusyError, DlwaError, NotFoundError

ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")
_LEFT_FREE = 0.1 * GB
_ENCRYPTED = 0x1


class PackedError(NotFoundError):
    """Recordings were named, and an archive is there; `unpack` makes the folder `target`.

    `named` is what to give instead of what was given, once that is done.
    """

    def __init__(self, message: str, archive: Path, target: Path, named: str) -> None:
        self.archive, self.target, self.named = archive, target, named
        self.can_unpack = zipfile.is_zipfile(archive)
        if archive.suffix.lower() == ".zip":
            hint = f'unpack it first: python3 -m zipfile -e "{archive}" "{target}"'
        else:
            hint = f"unpack {archive} into {target} first"
        super().__init__(message, hint)


def unpack(archive: Path, target: Path) -> int:
    """Unpack a zip file into a new folder; returns how many files came out.

    What macOS and editors hide is left out. The folder appears when all is there. Raises
    `BusyError` if it exists, `DlwaError` for an archive that is damaged, needs a password, leads
    out of the folder or does not fit on the disk.
    """
    if target.exists():
        raise BusyError(f"{target} exists already", f"give this folder, or move {archive.name}")
    aside = target.with_name(f".{target.name}.unpacking-{os.getpid()}")
    try:
        with zipfile.ZipFile(archive) as packed:
            files = [one for one in packed.infolist() if not one.is_dir() and not _hidden(one)]
            _require_sane(archive, files, shutil.disk_usage(target.parent).free)
            for one in files:
                packed.extract(one, aside)
        aside.rename(target)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError) as error:
        raise DlwaError(f"{archive} cannot be unpacked: {error}", "pack it again") from None
    except OSError as error:
        raise DlwaError(f"{archive} cannot be unpacked: {error.strerror or error}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return len(files)


def _require_sane(archive: Path, files: list[zipfile.ZipInfo], free: int) -> None:
    if not files:
        raise NotFoundError(f"{archive} holds no files", "pack the recordings again")
    for one in files:
        if one.flag_bits & _ENCRYPTED:
            raise DlwaError(f"{archive} needs a password", "unpack it yourself")
        path = PurePosixPath(one.filename)
        if path.is_absolute() or ".." in path.parts:
            raise DlwaError(
                f"{archive} leads out of its folder: {one.filename!r}", "do not trust it"
            )
    needed = sum(one.file_size for one in files)
    if needed + _LEFT_FREE > free:
        raise DlwaError(
            f"{archive} needs {needed / GB:.2f} GB unpacked, {free / GB:.2f} GB are free",
            "make room: ./dlwa.py user usage shows who fills the disk",
        )


def _hidden(one: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(one.filename).parts
    return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts)
