"""How long a run waited and computed, whatever the clock did meanwhile.

The wrapper measures with a clock that nobody sets and writes the result down; while the run lives,
it notes how far the other clock was set.
"""

import math
import time
from collections.abc import Mapping
from typing import Any

from dlwa.actions._run import Run, last_activity


def computed_s(run: Run) -> float:
    """How long a run has computed."""
    measured = number(run.record.get("computed_s"))
    if measured is not None and not run.live:
        return max(0.0, measured)
    return sum(number(turn.get("computed_s")) or 0.0 for turn in _turns(run)) + _this_turn_s(run)


def waited_s(run: Run) -> float:
    """How long a run has waited for its turn."""
    measured = number(run.record.get("waited_s"))
    if measured is not None:
        return max(0.0, measured)
    asked = number(run.record.get("created_at"))
    if not asked:
        return 0.0
    began, ended = (number(run.record.get(key)) for key in ("started_at", "ended_at"))
    now = time.time() - _shift_s(run.record)
    return max(0.0, (began or (now if run.live else ended) or asked) - asked)


def gpu_hours(run: Run) -> float:
    """GPUs times hours."""
    held = run.record.get("gpu_uuids")
    now = len(held) if isinstance(held, list) else 0
    turns = [(number(one.get("computed_s")) or 0.0, number(one.get("gpus"))) for one in _turns(run)]
    earlier_s = sum(seconds for seconds, _ in turns)
    earlier = sum(seconds * (count or 0.0) for seconds, count in turns)
    return (earlier + (computed_s(run) - earlier_s) * now) / 3600


def number(value: object) -> float | None:
    """A number as such, None for what is none or infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _turns(run: Run) -> list[Mapping[str, Any]]:
    """The turns before this one, where a run was put back into the line."""
    turns = run.record.get("turns")
    return [one for one in turns if isinstance(one, Mapping)] if isinstance(turns, list) else []


def _this_turn_s(run: Run) -> float:
    began = number(run.record.get("started_at"))
    if not began or (run.record.get("state") == "queued" and _turns(run)):
        return 0.0
    if run.live:
        return max(0.0, time.time() - began - _shift_s(run.record))
    ended = number(run.record.get("ended_at")) or last_activity(run.paths)  # of a lost one
    return max(0.0, ended - began)


def _shift_s(record: Mapping[str, Any]) -> float:
    return number(record.get("clock_shift_s")) or 0.0
