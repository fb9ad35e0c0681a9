"""Recordings that came as an archive: unpacked beside it, if somebody agrees."""

import lzma
import os
import shutil
import socket
import unicodedata
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from dlwa.actions._places import GB
from dlwa.errors import AccessError, BusyError, DlwaError, NotFoundError
from dlwa.hosts import processes
from dlwa.settings import Settings

ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")
_LEFT_FREE = 0.1 * GB
_ENCRYPTED = 0x1
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(NotImplementedError, EOFError, UnicodeDecodeError),
)


class PackedError(NotFoundError):
    """Recordings were named, and an archive is there; `unpack` makes the folder `target`.

    `named` is what to give instead of what was given, once that is done.
    """

    def __init__(self, message: str, archive: Path, target: Path, named: str) -> None:
        self.archive, self.target, self.named = archive, target, named
        self.can_unpack = zipfile.is_zipfile(archive)
        if self.can_unpack or archive.suffix.lower() == ".zip":
            hint = f'unpack it first: python3 -m zipfile -e "{archive}" "{target}"'
        else:
            hint = f"unpack {archive} into {target} first"
        super().__init__(message, hint)


def require_own(target: Path, settings: Settings, *, as_admin: bool = False) -> None:
    """Let nobody fill somebody else's folder in inputs/ without `as_admin`.

    Raises `AccessError`.
    """
    inputs = settings.workspace.homes()["inputs"]
    for place, home in (
        (target.absolute(), inputs.absolute()),
        (target.resolve(), inputs.resolve()),
    ):
        inside = place.relative_to(home).parts if place.is_relative_to(home) else ()
        if as_admin or len(inside) < 2 or not settings.owner_is_known:
            continue
        if inside[0] != settings.owner:
            raise AccessError(
                f"{target} belongs to {inside[0]}, you are {settings.owner}",
                f"copy the archive to {inputs / settings.owner} and give that; or make-dataset "
                "with --as-admin, if you look after this machine",
            )


def unpack(archive: Path, target: Path) -> int:
    """Unpack a zip file into a new folder; returns how many files came out.

    What macOS and editors hide is left out. The folder appears when all is there. Raises
    `BusyError` if it exists, `DlwaError` for an archive that is damaged, needs a password, leads
    out of the folder, holds a name twice or does not fit on the disk.
    """
    if target.exists():
        raise BusyError(f"{target} exists already", f"give this folder, or move {archive.name}")
    _sweep(target)
    aside = target.with_name(f"{_aside(target)}{os.getpid()}")
    try:
        with zipfile.ZipFile(archive) as packed:
            files = [one for one in packed.infolist() if not one.is_dir() and not _hidden(one)]
            _require_sane(archive, files, shutil.disk_usage(target.parent).free)
            for one in files:
                packed.extract(one, aside)
        aside.rename(target)
    except _DAMAGE as error:
        raise DlwaError(f"{archive} cannot be unpacked: {error}", "pack it again") from None
    except OSError as error:
        raise DlwaError(f"{archive} cannot be unpacked: {error.strerror or error}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return len(files)


def _aside(target: Path) -> str:
    """How the folder is called until all is there, but for the number of the process."""
    return f".{target.name}.unpacking-{socket.gethostname()}-"


def _sweep(target: Path) -> None:
    """Remove what processes of this machine left that were killed while they unpacked."""
    begin = _aside(target)
    for left in target.parent.iterdir() if target.parent.is_dir() else ():
        pid = left.name.removeprefix(begin)
        if pid != left.name and pid.isdecimal() and processes.identify(int(pid)) is None:
            shutil.rmtree(left, ignore_errors=True)


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
    _require_different(archive, files)
    needed = sum(one.file_size for one in files)
    if needed + _LEFT_FREE > free:
        raise DlwaError(
            f"{archive} needs {needed / GB:.2f} GB unpacked, {free / GB:.2f} GB are free",
            "make room: ./dlwa.py user usage shows who fills the disk",
        )


def _require_different(archive: Path, files: list[zipfile.ZipInfo]) -> None:
    """Refuse two files of one name, as disks see it that know no capitals."""
    seen: dict[str, str] = {}
    for one in files:
        key = unicodedata.normalize("NFC", str(PurePosixPath(one.filename))).casefold()
        if key in seen:
            twins = repr(one.filename)
            twins = f"{twins} twice" if seen[key] == one.filename else f"{seen[key]!r} and {twins}"
            raise DlwaError(f"{archive} holds {twins}", "give each file a name of its own")
        seen[key] = one.filename


def _hidden(one: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(one.filename).parts
    return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts)
