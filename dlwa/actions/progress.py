"""How far runs have come, how long they will take, how long others wait for them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlwa import runfiles
from dlwa.actions._own_lines import own_last
from dlwa.actions.durations import computed_s
from dlwa.actions.runs import Run
from dlwa.words import span


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


def since(moment: float) -> str:
    """How long ago a moment was."""
    return span(max(0.0, time.time() - moment)) + " ago"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
