"""How far runs have come, how long they will take, how long others wait for them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlwa import runfiles
from dlwa.actions._own_lines import own_last
from dlwa.actions.durations import computed_s
from dlwa.actions.runs import Run


@dataclass(frozen=True)
class Progress:
    """What a job last reported of itself."""

    done: float
    total: float | None
    unit: str
    per_s: float | None
    what: str = ""
    losses: tuple[tuple[str, float], ...] = ()

    @property
    def left_s(self) -> float | None:
        """How long it will still take at its measured speed, in seconds."""
        if not self.total or not self.per_s:
            return None
        return max(0.0, self.total - self.done) / self.per_s


def progress_of(run: Run) -> Progress | None:
    """How far a run has come; None if it has reported nothing yet."""
    own = own_last(run.paths.metrics, run.record)
    last = own or runfiles.last_line(run.paths.metrics)  # where it will go on
    if last is None:
        return None
    if _is_number(last.get("step")):
        return _of_training(last, run, mine=own is not None)
    if own is None or not _is_number(last.get("done")):
        return None
    total, spent_s = last.get("total"), computed_s(run)
    speed = last["done"] / spent_s if spent_s > 0 and last["done"] > 0 else None
    unit, what = str(last.get("unit", "")), str(last.get("what", ""))
    return Progress(last["done"], total if _is_number(total) else None, unit, speed, what)


def _of_training(last: Mapping[str, Any], run: Run, *, mine: bool) -> Progress:
    speed, losses = last.get("steps_per_s"), last.get("losses")
    total = last.get("total_steps") if mine else run.record.get("total_steps")
    return Progress(
        last["step"],
        total if _is_number(total) else None,
        "steps",
        speed if mine and isinstance(speed, int | float) and speed > 0 else None,
        losses=tuple(losses.items()) if isinstance(losses, dict) else (),
    )


def span(seconds: float) -> str:
    """A length of time for people: 40 s, 12 min, 2 h 10 min, 3 d 4 h."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 90:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"


def since(moment: float) -> str:
    """How long ago a moment was."""
    return span(max(0.0, time.time() - moment)) + " ago"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def size(n_bytes: float) -> str:
    """A size for people: 0.3 MB, 12.0 GB."""
    size = float(n_bytes)
    for unit in ("kB", "MB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"
    return f"{size / 1000:.1f} GB"
