"""Names of data sets, models and inputs: checked once, safe everywhere after.

A name is what a student types, `ann/violin` or deeper `ann/violin/v2`. It becomes a folder, a
part of a screen session's name and a word on command lines, so only spellings that mean the
same everywhere are let in. A `Name` cannot be built unchecked.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from dlwa.errors import UsageError

MAX_PART = 64
MAX_NAME = 200
ALLOWED = "letters a-z A-Z, digits, _ - and . (a part begins with a letter, a digit or _)"

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_DEVICES = {"con", "prn", "aux", "nul"} | {
    f"{port}{digit}" for port in ("com", "lpt") for digit in range(10)
}
_CHARACTERS = {
    " ": "a space",
    "\\": "a backslash",
    "\n": "a line break",
    "'": "a quote",
    '"': "a quote",
}


@dataclass(frozen=True, order=True)
class Name:
    """A checked name, made of one part or several: `Name(("ann", "violin"))`.

    Raises `UsageError` when a part could be mistaken for something else.
    """

    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        _check("/".join(self.parts), self.parts, "name")

    def __str__(self) -> str:
        return "/".join(self.parts)

    @property
    def path(self) -> PurePosixPath:
        """The name as a relative path."""
        return PurePosixPath(*self.parts)

    @property
    def leaf(self) -> str:
        """The last part."""
        return self.parts[-1]

    def owner(self, otherwise: str) -> str:
        """Whose it is: the first of several parts; a name of one part has nobody in it."""
        return self.parts[0] if len(self.parts) > 1 else otherwise

    def sibling(self, suffix: str) -> "Name":
        """The name beside this one: `ann/violin` with "-2" is `ann/violin-2`."""
        return Name((*self.parts[:-1], self.parts[-1] + suffix))


def parse_name(text: str, what: str = "name") -> Name:
    """Turn what a user typed into a `Name`; `what` is the option the error names.

    Raises `UsageError` naming the offending part, what is allowed and a safe spelling.
    """
    parts = tuple(text.split("/"))
    _check(text, parts, what)
    return Name(parts)


def parse_owner(text: str, what: str = "owner") -> str:
    """Check the name of a person: one part, no slash."""
    if "/" in text:
        raise UsageError(
            f"{what}={_shown(text)} has a slash, expected one part such as ann",
            hint=f"write: {_safe_part(text)}",
        )
    return parse_name(text, what).parts[0]


def safe_spelling(text: str) -> str:
    """The nearest spelling of `text` that is a name: `/Ann/My Violin.` is `Ann/My_Violin`."""
    parts = [_safe_part(part) for part in text.replace("\\", "/").split("/")]
    parts = [part for part in parts if part]
    while len(parts) > 1 and len("/".join(parts)) > MAX_NAME:
        parts.pop(-2)
    return "/".join(parts) or "your_name/violin"


def _safe_part(part: str) -> str:
    plain = unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).lstrip(".-").rstrip("._")
    if re.fullmatch(r"_*", plain):
        return ""
    plain = re.sub(r"^_+(?=[A-Za-z0-9])", "", plain) if not part.startswith("_") else plain
    if plain.split(".")[0].lower() in _DEVICES:
        plain = f"my_{plain}"
    return plain[:MAX_PART].rstrip(".")


def _shown(text: str) -> str:
    return ascii(text) if len(text) <= 80 else ascii(text[:60]) + f"... ({len(text)} characters)"


def _check(text: str, parts: tuple[str, ...], what: str) -> None:
    problem = _problem_of(text, parts)
    if problem:
        raise UsageError(
            f"{what}={_shown(text)} {problem}; allowed are {ALLOWED}, parts joined by /",
            hint=f"try: {safe_spelling(text)}",
        )


def _problem_of(text: str, parts: tuple[str, ...]) -> str:
    if not text:
        return "is empty"
    if text.startswith("/"):
        return "is an absolute path, expected a name inside the workspace"
    if len(text) > MAX_NAME:
        return f"has {len(text)} characters, at most {MAX_NAME} are allowed"
    return next((problem for part in parts if (problem := _problem_of_part(part))), "")


def _problem_of_part(part: str) -> str:
    shown = f"has the part {_shown(part)}"
    if not part:
        return "has an empty part (a slash too many)"
    if part in (".", ".."):
        return f"{shown}, which leads to another folder"
    if not _PART.match(part):
        return f"{shown}, which {_bad_character(part)}"
    if len(part) > MAX_PART:
        return f"{shown}, longer than {MAX_PART} characters"
    if part.endswith("."):
        return f"{shown}, which ends with a dot"
    if part.split(".")[0].lower() in _DEVICES:
        return f"{shown}, which is the name of a device on Windows"
    return ""


def _bad_character(part: str) -> str:
    if part[0] in ".-":
        return f"begins with {part[0]!r}"
    bad = next(char for char in part if not _PART.match("a" + char))
    if bad in _CHARACTERS:
        return f"contains {_CHARACTERS[bad]}"
    if unicodedata.category(bad).startswith("C"):
        return f"contains the control character {bad!a}"
    return f"contains {ascii(bad) if not bad.isprintable() else repr(bad)}"
