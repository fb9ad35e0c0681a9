"""Tables as text: in one piece where they fit, in lines beneath one another where they do not.

A column too wide for the terminal would be folded into a tower of a few letters. Instead prose at
the end goes beneath its row, what the first column already says is left out, and if that is not
enough, the first column gets a line of its own.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dlwa.words import printable

Row = Sequence[str]
_GAP = "  "
_PROSE = 24  # the last column is prose if it may be wider
_ROOM_FOR_PROSE = 40  # in which it stays in its column
_INDENT = "    "


@dataclass(frozen=True)
class Line:
    """A line of a table, already as wide as it will be."""

    text: str
    kind: str  # "head", "rule", "row", "beneath"


def lines_of(columns: Row, rows: Sequence[Row], width: int) -> list[Line]:
    """Lay a table out in lines of at most `width` cells; nothing of it is lost."""
    cells = [[clean(cell) for cell in row] for row in rows]
    if _natural(columns, cells) <= width:
        return list(_aligned(columns, cells, [[] for _ in cells], width))
    beneath: list[list[str]] = [[] for _ in cells]
    if _is_prose(cells) and len(columns) > 1:
        left = _natural(columns[:-1], [row[:-1] for row in cells]) + len(_GAP)
        if width - left >= _ROOM_FOR_PROSE:
            return list(_hanging(columns, cells, left, width))
        beneath = [[row[-1]] for row in cells]
        columns, cells = columns[:-1], [row[:-1] for row in cells]
    if _natural(columns, cells) > width:
        kept = [place for place in range(len(columns)) if place == 0 or not _told(cells, place)]
        columns, cells = _only(columns, kept), [_only(row, kept) for row in cells]
    if _natural(columns, cells) <= width or len(columns) < 2:
        return list(_aligned(columns, cells, beneath, width))
    return list(_stacked(columns, cells, beneath, width))


def plain_lines_of(columns: Row, rows: Sequence[Row]) -> list[str]:
    """The table for a file or a pipe: a line a row, however long."""
    lines = [list(columns), *[[clean(cell) for cell in row] for row in rows]]
    widths = _widths(lines[0], lines[1:])
    return [_line(line, widths) for line in lines]


def comma_separated(columns: Row, rows: Sequence[Sequence[object]]) -> str:
    """The table for a spreadsheet, with nothing that it would compute."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for row in (columns, *rows):
        writer.writerow([_harmless(cell) for cell in row])
    return lines.getvalue().rstrip("\n")


def clean(cell: str) -> str:
    """A cell without line breaks and without what could steer a terminal."""
    if cell.isprintable():
        return cell
    return printable(cell, instead=" ")


def _aligned(
    columns: Row, cells: Sequence[Row], beneath: Sequence[Sequence[str]], width: int
) -> Iterator[Line]:
    widths = _widths(columns, cells)
    yield from _head([_line(columns, widths)], width)
    for row, more in zip(cells, beneath, strict=True):
        yield from _wrapped(_line(row, widths), width, "row")
        for text in more:
            yield from _wrapped(text, width, "beneath")


def _hanging(columns: Row, cells: Sequence[Row], left: int, width: int) -> Iterator[Line]:
    """The last column is wrapped within itself."""
    widths = _widths(columns, cells)
    yield from _head([_line(columns, widths)], width)
    for row in cells:
        begin = _line([*row[:-1], "|"], widths)[:-1]
        for line in _wrapped(row[-1], width - left, "row", indent="") or [Line("", "row")]:
            yield Line((begin + line.text).rstrip(), "row")
            begin = " " * left


def _stacked(
    columns: Row, cells: Sequence[Row], beneath: Sequence[Sequence[str]], width: int
) -> Iterator[Line]:
    rest = [list(row[1:]) for row in cells]
    fits = _natural(columns[1:], rest) + len(_INDENT) <= width
    widths = _widths(columns[1:], rest) if fits else [0] * len(columns[1:])
    yield from _head([columns[0], _INDENT + _line(columns[1:], widths)], width)
    for row, others, more in zip(cells, rest, beneath, strict=True):
        yield from _wrapped(row[0], width, "row")
        for text in (_line(others, widths), *more):
            yield from _wrapped(text, width, "beneath")


def _head(texts: Sequence[str], width: int) -> Iterator[Line]:
    for text in texts:
        yield from _wrapped(text, width, "head")
    yield Line("─" * min(width, max(map(_cells, texts))), "rule")


def _wrapped(text: str, width: int, kind: str, indent: str = _INDENT) -> list[Line]:
    """Break a text at its spaces; a word longer than a line is broken where the line ends."""
    lines, line = [], indent if kind == "beneath" else ""
    for word in _words(text, width - len(indent)):
        if line.strip() and _cells(line + word) > width:
            lines.append(line)
            line, word = indent, word.lstrip()
        line += word
    return [Line(one.rstrip(), kind) for one in (*lines, line) if one.strip()]


def _words(text: str, longest: int) -> Iterator[str]:
    """The words of a text, each with the spaces before it."""
    starts = [place for place, char in enumerate(text) if char == " " or place == 0]
    starts = [at for at, before in zip(starts, [-2, *starts], strict=False) if at != before + 1]
    for start, end in pairwise([*starts, len(text)]):
        word = text[start:end]
        while _cells(word) > longest:
            count = next(n for n in range(len(word), 0, -1) if _cells(word[:n]) <= longest)
            yield word[:count]
            word = word[count:]
        yield word


def _told(cells: Sequence[Row], place: int) -> bool:
    """Whether the names in the first column begin with what stands in this one."""
    return bool(cells) and all(row[place] and row[0].startswith(f"{row[place]}/") for row in cells)


def _is_prose(cells: Sequence[Row]) -> bool:
    return max((_cells(row[-1]) for row in cells), default=0) > _PROSE


def _natural(columns: Row, cells: Sequence[Row]) -> int:
    return sum(_widths(columns, cells)) + len(_GAP) * (len(columns) - 1)


def _widths(columns: Row, cells: Sequence[Row]) -> list[int]:
    return [max(map(_cells, column)) for column in zip(columns, *cells, strict=True)]


def _line(cells: Row, widths: Sequence[int]) -> str:
    padded = (
        cell + " " * (width - _cells(cell)) for cell, width in zip(cells, widths, strict=True)
    )
    return _GAP.join(cell for cell in padded if cell or any(widths)).rstrip()


def _only(row: Row, places: Sequence[int]) -> list[str]:
    return [row[place] for place in places]


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes; a Chinese letter takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # drawn by rich anyway, or not ASCII

    return cell_len(text)


def _harmless(cell: object) -> object:
    formula = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if formula else cell
