"""Which file names may cross: the same check on both sides, whoever sends.

A path from another machine is only a claim. It is used when every part of it means the same on
Linux, macOS and Windows and leads nowhere but into the folder it is meant for.
"""

import os
import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"
}
_NOT_ON_WINDOWS = set('<>:"|?*\\')
PARTS = ".dlwa-parts"
MAX_PART_BYTES = 255
MAX_PATH_BYTES = 1000


def problem_of(path: str) -> str:
    """What is wrong with a relative path; empty if it may cross."""
    if not path:
        return "is empty"
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        return "is too long"
    return next((wrong for part in path.split("/") if (wrong := _problem_of_part(part))), "")


def _problem_of_part(part: str) -> str:
    if part in ("", ".", ".."):
        return "leads out of its folder"
    if any(unicodedata.category(char) in ("Cc", "Cs", "Cf", "Zl", "Zp") for char in part):
        return "holds characters that cannot be seen or are not UTF-8"
    bad = sorted(_NOT_ON_WINDOWS & set(part))
    if bad:
        return f"holds {' '.join(bad)}, which is not allowed everywhere"
    if part.split(".")[0].strip().lower() in _DEVICES:
        return "is the name of a device on Windows"
    if part.endswith((".", " ")) or part.startswith(" "):
        return "begins with a space, or ends with a space or a dot"
    if part == PARTS:
        return "is a name dlwa keeps for itself"
    if len(part.encode()) > MAX_PART_BYTES:
        return "is too long"
    return ""


def normal(path: str) -> str:
    """The spelling that is sent: accents as one character, as everywhere but on old macOS."""
    return unicodedata.normalize("NFC", path)


def shown(path: str) -> str:
    """A path in which what is not UTF-8 is spelt out: it could not be printed, nor be in JSON."""
    return path.encode("utf-8", "backslashreplace").decode()


def twins(paths: Iterable[str]) -> dict[str, str]:
    """Paths that some system could not keep apart from an earlier one, with that one."""
    seen: dict[str, str] = {}
    found: dict[str, str] = {}
    for path in paths:
        key = unicodedata.normalize("NFC", path).casefold()
        if key in seen:
            found[path] = seen[key]
        else:
            seen[key] = path
    for path in list(seen.values()):
        # a file where another path needs a folder
        for parent in Path(unicodedata.normalize("NFC", path).casefold()).parents:
            if str(parent) in seen and seen[str(parent)] != path:
                found.setdefault(path, seen[str(parent)])
    return found


def not_apart_from(other: str) -> str:
    """What is wrong with a path that has a twin."""
    return f"cannot be told apart from {other} on every system"


def inside(folder: Path, path: str) -> Path:
    """Where a checked path lies in a folder; no link on the way is followed.

    Raises `ValueError` when the path may not cross or something on its way is a link.
    """
    wrong = problem_of(path)
    if wrong:
        raise ValueError(wrong)
    place = folder
    *ways, leaf = path.split("/")
    for way in ways:
        place = place / way
        if _is_link(place):
            raise ValueError("goes through a link")
    place = place / leaf
    if _is_link(place):
        raise ValueError("is a link there")
    return place


def _is_link(place: Path) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(place).st_mode)
    except OSError:
        return False
