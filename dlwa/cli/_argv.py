"""What is done to the words of a command line before typer sees them.

Only words before `--` are touched; what follows belongs to another program.
"""

from collections.abc import Sequence

_ANYWHERE = ("--root", "--lab")


def normalise(argv: Sequence[str]) -> list[str]:
    """Accept `--input_name` for `--input-name`; `--root` and `--lab` may follow the command."""
    own, foreign = _split(argv)
    words = [_dashes(word) for word in own]
    front: list[str] = []
    rest: list[str] = []
    pending = iter(words)
    for word in pending:
        if word in _ANYWHERE:
            value = next(pending, None)
            if value is None:
                return [word]  # typer says that it wants a value
            front += [word, value]
        elif word.startswith(tuple(f"{name}=" for name in _ANYWHERE)):
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest, *foreign]


def wants_json(argv: Sequence[str]) -> bool:
    """Whether `--json` is among the words that are ours, so that even a usage error obeys it."""
    return "--json" in _split(argv)[0]


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    return words[:end], words[end:]


def _dashes(word: str) -> str:
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value
