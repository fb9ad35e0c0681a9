"""A curve drawn with characters: Braille dots where the terminal can, asterisks elsewhere."""

import itertools
from collections.abc import Sequence

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def plot(
    points: Sequence[tuple[float, float]], width: int, height: int, *, braille: bool = True
) -> list[str]:
    """Return `height` lines of at most `width` characters, with the values at the margin.

    `points` are (step, value), the steps ascending. Too few points or too little room: no lines.
    """
    margin = 8
    if len(points) < 2 or width < margin + 8 or height < 2:
        return []
    low, high = _range([value for _, value in points])
    across, down = (2, 4) if braille else (1, 1)
    columns, rows = (width - margin) * across, height * down
    levels = _levels(points, columns)
    cells = [[0] * (width - margin) for _ in range(height)]
    previous: int | None = None
    for column, value in enumerate(levels):
        if value is None:
            continue
        share = (min(max(value, low), high) - low) / (high - low)
        row = round((1 - share) * (rows - 1))
        start = row if previous is None else previous
        for between in range(min(row, start), max(row, start) + 1):
            cells[between // down][column // across] |= _DOTS[column % across][between % down]
        previous = row
    drawn = [_line(line, braille) for line in cells]
    labels = {0: f"{high:.3g}", height - 1: f"{low:.3g}"}
    return [f"{labels.get(at, ''):>{margin - 2}} |{line}" for at, line in enumerate(drawn)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """From the least value to one that only the highest few (of the beginning) exceed."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[int(0.98 * (len(ordered) - 1))]
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _levels(points: Sequence[tuple[float, float]], columns: int) -> list[float | None]:
    """The mean value over each column; the columns between two points are interpolated."""
    first, last = points[0][0], points[-1][0]
    span = (last - first) or 1.0
    sums = [[0.0, 0] for _ in range(columns)]
    for step, value in points:
        cell = sums[min(columns - 1, int((step - first) / span * columns))]
        cell[0] += value
        cell[1] += 1
    levels = [total / count if count else None for total, count in sums]
    known = [at for at, level in enumerate(levels) if level is not None]
    for left, right in itertools.pairwise(known):
        a, b = levels[left] or 0.0, levels[right] or 0.0
        for at in range(left + 1, right):
            levels[at] = a + (b - a) * (at - left) / (right - left)
    return levels


def _line(cells: Sequence[int], braille: bool) -> str:
    if braille:
        return "".join(chr(0x2800 + cell) if cell else " " for cell in cells).rstrip()
    return "".join("*" if cell else " " for cell in cells).rstrip()
