"""A map of notes and loudness in characters: which were played how much."""

from collections.abc import Mapping, Sequence
from typing import Any

_SHADES = " ░▒▓█"
_PLAIN_SHADES = " .:#@"
_CELL = 4
# Seconds from which on a cell gets the next shade.
_STEPS = (0.5, 3.0, 8.0, 20.0)


def draw(coverage: Mapping[str, Any], *, plain: bool = False) -> list[str]:
    """Lines of a map: a row a loudness, a column a few neighbouring notes, dark is much."""
    shades = _PLAIN_SHADES if plain else _SHADES
    names, rows = coverage["loudness"], coverage["seconds"]
    width = max(map(len, names)) + 2
    lines = [
        f"{name:>{width - 2}}  " + "".join(_cell(seconds, shades) for seconds in row) + "|"
        for name, row in zip(names, rows, strict=True)
    ]
    legend = ", ".join(f"{shades[i + 1]} {step:g} s" for i, step in enumerate(_STEPS))
    return [*lines, " " * width + _scale(coverage["from_note"]), f"{'':{width}}from {legend}"]


def _cell(seconds: float, shades: str) -> str:
    return shades[sum(seconds >= step for step in _STEPS)] * _CELL


def _scale(notes: Sequence[str]) -> str:
    """The lowest note of every column, as far as there is room."""
    return "".join(f"{note:<{_CELL}}" for note in notes).rstrip()
