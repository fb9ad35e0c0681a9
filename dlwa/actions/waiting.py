"""How long a waiting run will wait: told as far as it can be known, and no further."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dlwa import runfiles
from dlwa.actions.progress import progress_of
from dlwa.actions.runs import STALLED_AFTER_S, Run, last_activity
from dlwa.words import span
from dlwa.workspace import RunPaths


@dataclass(frozen=True)
class Wait:
    """A waiting run's place in the line and how long it will stand there, None if unknown."""

    place: int
    seconds: float | None
    at_least: bool = False  # others stand before it, and nobody knows how long they will take
    at_most: bool = False  # only the lab's time limit says when a run before it will end

    def words(self) -> str:
        """Such as "2nd in line, more than 40 min"."""
        if self.seconds is None:
            return f"{ordinal(self.place)} in line"
        about = "more than" if self.at_least else "at most" if self.at_most else "about"
        return f"{ordinal(self.place)} in line, {about} {span(self.seconds)}"


def wait_of(run: Run) -> Wait | None:
    """Where a waiting run stands; None for a run that does not wait.

    The n-th in line gets its turn when the n-th of those that compute ends, if there are so many;
    else it waits longer than the first of them needs. So does who has as many runs as are allowed,
    if others stand before it, and who needs several GPUs of several runs. Runs end at their
    measured speed, or at the time limit of the lab; of one whose speed nobody knows yet, the limit
    tells the latest end only.
    """
    queue = run.record.get("queue")
    if run.state != "queued" or not isinstance(queue, Mapping):
        return None
    place = max(1, int(queue.get("position") or 1))
    ends = sorted(_end_of(blocker) for blocker in queue.get("blockers") or [])
    left, sure = [end.left_s for end in ends], all(end.measured for end in ends)
    of_several = int(run.record.get("gpus") or 1) > 1 and len(left) > 1
    at_least = place > (1 if queue.get("own_limit") else len(left)) or of_several
    ends_in = left[0 if at_least else place - 1] if left else float("inf")
    if ends_in == float("inf") or (at_least and not sure):
        return Wait(place, None)
    return Wait(place, ends_in, at_least, at_most=not sure)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th ... 11th ... 21st."""
    teens = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


class _End(NamedTuple):
    """How long a run that computes will still do so, in seconds; infinite if unknown."""

    left_s: float
    measured: bool  # else it is the latest moment, and it may end at any other before


def _end_of(blocker: Mapping[str, Any]) -> _End:
    paths = RunPaths(Path(str(blocker.get("folder", ""))))
    record = runfiles.read_json(paths.record) or {}
    now = progress_of(Run(paths, record, "running", ""))
    stalls = time.time() - last_activity(paths) > STALLED_AFTER_S
    left_s = None if stalls or now is None else now.left_s
    if left_s is None:
        return _End(limit_s(record), measured=False)
    return _End(min(left_s, limit_s(record)), measured=True)


def limit_s(record: Mapping[str, Any]) -> float:
    """How long the lab's time limit still lets a run compute, in seconds; infinite without one."""
    hours, began = (record.get("limits") or {}).get("hours_per_run"), record.get("started_at")
    if not isinstance(hours, int | float) or not isinstance(began, int | float):
        return float("inf")
    return max(0.0, began + hours * 3600 - time.time())
