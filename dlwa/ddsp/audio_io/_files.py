"""Which files of a folder are recordings."""

import os
import zipfile
from pathlib import Path

# Read by libsndfile itself.
_DIRECT = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc")
_DIRECT += (".caf", ".au", ".snd", ".w64", ".rf64")
# Read through ffmpeg or PyAV: other sounds, and the sound of videos.
_FOREIGN = (".m4a", ".mp4", ".aac", ".wma", ".webm", ".mka", ".ac3", ".alac", ".mov", ".mkv")
_FOREIGN += (".m4v", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".mts", ".ape", ".wv")
# Locked to the player of a shop.
_PROTECTED = (".m4p", ".aax", ".aa")
# What the lab half takes for archives too; a test compares this, and the hints.
_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")

AUDIO_SUFFIXES = frozenset(_DIRECT + _FOREIGN + _PROTECTED)
FOREIGN_SUFFIXES = frozenset(_FOREIGN)
PROTECTED_SUFFIXES = frozenset(_PROTECTED)


class NoRecordingsError(ValueError):
    """A folder that is none or holds no recordings; ``hint`` says what to type."""

    def __init__(self, reason: str, hint: str):
        super().__init__(reason)
        self.hint = hint


def is_audio_name(path) -> bool:
    """Whether a file's name ends like a recording's, in capitals or not."""
    return Path(path).suffix.lower() in AUDIO_SUFFIXES


def find_audio_files(folder) -> list[Path]:
    """All recordings below a folder, sub-folders included, in an order that never changes.

    Hidden files and folders are left out (macOS leaves "._take.wav" beside "take.wav"); links to
    folders are not followed.
    """
    return [path for path in _visible_files(folder) if is_audio_name(path)]


def told_name(path, folder=None) -> str:
    """What reports call a file: its path below ``folder``, with / between the parts.

    Bytes that are no UTF-8 (names out of old archives) and control characters are spelled out, as
    in ``caf\\xe9.wav``, so that the name fits into one line of any report.
    """
    path = Path(path)
    name = path.relative_to(Path(folder).expanduser()).as_posix() if folder else str(path)
    name = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def recordings_in(folder, called: str = "folder") -> list[Path]:
    """As ``find_audio_files``, but NoRecordingsError where there are none.

    ``called`` is the name of the argument that gave the folder, for the messages.
    """
    folder = Path(folder).expanduser()
    given = f"{called}={str(folder)!r}"
    if not folder.exists():
        raise NoRecordingsError(f"{given} does not exist", "put your recordings into this folder")
    if folder.is_file() and is_archive(folder):
        raise NoRecordingsError(f"{given} is an archive, not a folder", unpacking(folder))
    if not folder.is_dir():
        hint = "give the folder that holds the file"
        raise NoRecordingsError(f"{given} is not a folder", hint)
    files = _visible_files(folder)
    found = [path for path in files if is_audio_name(path)]
    if not found:
        archives = [path for path in files if is_archive(path)]
        hint = "put wav, flac, aiff, ogg, mp3 or m4a files there; sub-folders count too"
        hint = unpacking(archives[0]) if archives else hint
        raise NoRecordingsError(f"{given} holds no recordings{_what_else(files)}", hint)
    return found


def is_archive(path: Path) -> bool:
    """Whether a file is packed: by its name, or a zip file under any name."""
    return path.suffix.lower() in _ARCHIVES or zipfile.is_zipfile(path)


def unpacking(path: Path) -> str:
    """What to type to unpack an archive."""
    target = path.with_suffix("")
    target = target if target != path else path.with_name(path.name + " unpacked")
    if path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        return f'unpack it first: python3 -m zipfile -e "{path}" "{target}"'
    return f"unpack {path} into {target} first"


def _visible_files(folder) -> list[Path]:
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(root, name) for name in names if not name.startswith(".")]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _what_else(files: list[Path]) -> str:
    endings = {path.suffix.lower() or path.name for path in files}
    return f" (only {', '.join(sorted(endings)[:5])} files)" if endings else " (it is empty)"
