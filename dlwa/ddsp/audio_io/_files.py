"""Which files of a folder are recordings."""

import os
from pathlib import Path

# Read by libsndfile itself.
_DIRECT = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc")
_DIRECT += (".caf", ".au", ".snd", ".w64", ".rf64")
# Read through ffmpeg or PyAV.
_FOREIGN = (".m4a", ".mp4", ".aac", ".wma", ".webm", ".mka", ".ac3", ".alac", ".mov", ".mkv")

AUDIO_SUFFIXES = frozenset(_DIRECT + _FOREIGN)
FOREIGN_SUFFIXES = frozenset(_FOREIGN)


def is_audio_name(path) -> bool:
    """Whether a file's name ends like a recording's, in capitals or not."""
    return Path(path).suffix.lower() in AUDIO_SUFFIXES


def find_audio_files(folder) -> list[Path]:
    """All recordings below a folder, sub-folders included, in an order that never changes.

    Hidden files and folders are left out (macOS leaves "._take.wav" beside "take.wav"); links to
    folders are not followed.
    """
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(root, n) for n in names if not n.startswith(".") and is_audio_name(n)]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())
