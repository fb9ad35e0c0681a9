"""How far something has come: a bar on a terminal, a plain line every few seconds off it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from dlwa.words import span

PLAIN_INTERVAL_S = 5.0

Tell = Callable[[float, float | None, str], None]


class Progress(Protocol):
    """What a block of work reports to."""

    def update(self, done: float, total: float | None = None) -> None:
        """Say how much is done now, and of how much if that changed."""

    def describe(self, text: str) -> None:
        """Say what is being done at the moment."""


class _Bar:
    def __init__(self, drawn: Any, label: str, total: float | None, unit: str) -> None:
        self._drawn, self._label = drawn, label
        self._total, self._unit = total, unit
        self._task = drawn.add_task(label, total=total, amount="")

    def update(self, done: float, total: float | None = None) -> None:
        self._total = self._total if total is None else total
        amount = _amount(done, self._total, self._unit) if self._unit else ""
        self._drawn.update(self._task, completed=done, total=self._total, amount=amount)

    def describe(self, text: str) -> None:
        self._drawn.update(self._task, description=f"{self._label} {text}".strip())


class _Lines:
    def __init__(self, label: str, total: float | None, unit: str) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._what = ""
        self._began_s = self._last_s = time.monotonic()
        self._ended = False

    def update(self, done: float, total: float | None = None) -> None:
        self._total = self._total if total is None else total
        now_s = time.monotonic()
        finished = self._total is not None and done >= self._total
        ends, self._ended = finished and not self._ended, finished
        if ends or (not finished and now_s - self._last_s >= PLAIN_INTERVAL_S):
            self._last_s = now_s
            line = f"{self._label} {self._what} {_amount(done, self._total, self._unit)}"
            print(" ".join(line.split()) + self._left(done), file=sys.stderr, flush=True)

    def describe(self, text: str) -> None:
        self._what = text

    def _left(self, done: float) -> str:
        """How long it will still take at the mean speed until now."""
        if not self._total or not 0 < done < self._total:
            return ""
        left_s = (self._last_s - self._began_s) * (self._total - done) / done
        return f", about {span(left_s)} left"


def _amount(done: float, total: float | None, unit: str) -> str:
    of_total = f"/{round(total, 1):.12g}" if total else ""
    return f"{round(done, 1):.12g}{of_total} {unit}"


@contextmanager
def open_progress(
    label: str, total: float | None, unit: str, console: Any = None
) -> Iterator[Progress]:
    """Draw a bar on a rich console, which goes when the block ends; without one print lines."""
    if console is None:
        yield _Lines(label, total, unit)
        return
    from rich import progress as rich_progress

    columns = (
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(bar_width=None),
        rich_progress.TextColumn("{task.fields[amount]}", markup=False),
        rich_progress.TaskProgressColumn(),
        rich_progress.TimeRemainingColumn(compact=True),
    )
    drawn = rich_progress.Progress(*columns, console=console, transient=True)
    with drawn:
        yield _Bar(drawn, label, total, unit)
