"""A command as data: argv, environment, folder. The only place that quotes for a shell."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True)
class Command:
    """What to run: its argument list, what to set in its environment, and where to run it.

    An argument list goes to a program as it is; nothing in dlwa hands a string to a shell. A
    value of None in `env` takes the variable away.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str | None] = field(default_factory=dict)
    cwd: Path | None = None

    def __post_init__(self) -> None:
        if not self.argv:
            raise ValueError("argv=() must name a program")
        if any("\0" in part for part in self.argv):
            raise ValueError("argv must not contain the character NUL")
        object.__setattr__(self, "env", MappingProxyType(dict(self.env)))

    def __str__(self) -> str:
        """The command as one could paste it into a terminal."""
        words = [] if self.cwd is None else ["cd", quote(str(self.cwd)), "&&"]
        gone = [name for name, value in self.env.items() if value is None]
        pairs = [f"{name}={quote(value)}" for name, value in self.env.items() if value is not None]
        if gone:
            words += ["env", *(f"-u{name}" for name in gone)]
        return " ".join([*words, *pairs, join(self.argv)])


def quote(word: str) -> str:
    """One word, quoted for a POSIX shell where it needs to be, as a person would quote it."""
    if "'" in word and not any(char in word for char in '"$`\\!'):
        return f'"{word}"'
    return shlex.quote(word)


def join(argv: Iterable[str]) -> str:
    """An argument list as one line that a POSIX shell reads back as the same list."""
    return " ".join(quote(word) for word in argv)


def split(line: str) -> list[str]:
    """The argument list a POSIX shell would make of a line."""
    return shlex.split(line)
