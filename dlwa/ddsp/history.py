"""A training as its files tell it."""

import itertools
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dlwa import runfiles

HISTORY_FILE = "history.jsonl"
_ENDED = ("finished", "stopped", "failed", "lost")
# A gap this many times the usual one between two reports is a pause between two sessions.
_PAUSE = 20.0
_SHORTEST_PAUSE_S = 60.0


@dataclass(frozen=True)
class Training:
    """What the files of a model folder say about its training.

    Attributes:
        folder: the model's.
        record: run.json, empty for a training outside dlwa.
        sessions: the records of all its runs, oldest first.
        reports: lines of metrics.jsonl that count, steps rising; those undone by a rollback or a
            restart from an older checkpoint are left out.
        events: lines of events.jsonl.
        working_s: time spent training, the pauses between sessions not counted.
    """

    folder: Path
    record: dict = field(default_factory=dict)
    sessions: list = field(default_factory=list)
    reports: list = field(default_factory=list)
    events: list = field(default_factory=list)
    working_s: float = 0.0

    @property
    def step(self):
        """Steps done, as last reported."""
        return self.reports[-1]["step"] if self.reports else 0

    @property
    def total_steps(self):
        """Steps it was to do, or None."""
        total = self.reports[-1].get("total_steps") if self.reports else None
        return total or self.record.get("total_steps")

    @property
    def state(self):
        """How it stands; from its last words if nobody kept a record."""
        if self.record.get("state"):
            return str(self.record["state"])
        last = self.events[-1].get("event") if self.events else None
        if last in ("stopped", "failed"):
            return last
        return "finished" if self.total_steps and self.step >= self.total_steps else "unknown"

    @property
    def live(self):
        """Whether it may still go on."""
        return self.state not in (*_ENDED, "unknown")

    @property
    def reason(self):
        """Why it stopped or failed, '' if there is nothing to say."""
        if self.record.get("reason"):
            return str(self.record["reason"])
        last = self.events[-1] if self.events else {}
        if last.get("event") in ("stopped", "failed"):
            return str(last.get("reason") or last.get("text") or "")
        return ""

    @property
    def hint(self):
        """What to try after a failure."""
        last = self.events[-1] if self.events else {}
        of_event = last.get("hint") if last.get("event") == "failed" else ""
        return str(self.record.get("hint") or of_event or "")

    def losses(self, name):
        """(steps, values) of a loss."""
        pairs = [(r["step"], r["losses"][name]) for r in self.reports if name in r["losses"]]
        return ([], []) if not pairs else tuple(map(list, zip(*pairs, strict=True)))

    @property
    def loss_names(self):
        """Names of the losses, the one that is trained on first."""
        names = dict.fromkeys(name for report in self.reports for name in report["losses"])
        return sorted(names, key=lambda name: name != "total_loss")

    @property
    def heldout(self):
        """(step, loss) of held-out sounds each time they were measured."""
        points = [
            (event["step"], event["loss"])
            for event in self.events
            if event.get("event") == "checkpoint" and event.get("heldout")
        ]
        return rising(points) if points else _changes(self.reports)

    @property
    def speed(self):
        """(steps, steps a second) as reported."""
        known = [(r["step"], r["steps_per_s"]) for r in self.reports if r.get("steps_per_s")]
        return ([], []) if not known else tuple(map(list, zip(*known, strict=True)))


def read_training(folder, state="", reason=""):
    """Read a model folder.

    Args:
        folder: with run.json, metrics.jsonl and events.jsonl, each of which may be missing.
        state: how the run really stands, if somebody looked; else what its record says.
        reason: why.
    """
    folder = Path(folder)
    record = runfiles.read_json(folder / runfiles.RECORD_FILE) or {}
    if state:
        record = {**record, "state": state, "reason": reason}
    lines = list(runfiles.read_lines(folder / runfiles.METRICS_FILE))
    reports = [line for line in map(_report, lines) if line]
    sessions = list(runfiles.read_lines(folder / HISTORY_FILE))
    return Training(
        folder,
        record,
        [*sessions, record] if record else sessions,
        [reports[i] for i in _counting([r["step"] for r in reports])],
        [e for e in runfiles.read_lines(folder / runfiles.EVENTS_FILE) if e.get("event")],
        _working_s(reports),
    )


def rising(points):
    """(step, value) points without those that a later point with the same or a lower step undid."""
    return [points[i] for i in _counting([step for step, _ in points])]


def _counting(steps):
    """Indices of the entries that no later entry undoes."""
    kept, lowest = [], math.inf
    for i in range(len(steps) - 1, -1, -1):
        if steps[i] < lowest:
            lowest = steps[i]
            kept.append(i)
    return kept[::-1]


def _report(line):
    """A line of metrics if it is one of a step."""
    step, losses = line.get("step"), line.get("losses")
    if not isinstance(step, int) or not isinstance(losses, dict):
        return None
    numbers = {k: float(v) for k, v in losses.items() if isinstance(v, int | float)}
    return {**line, "losses": numbers}


def _changes(reports):
    """Held-out losses of trainings whose events do not tell them: each time the number changed."""
    points = []
    for report in reports:
        value = report.get("heldout_loss")
        if isinstance(value, int | float) and (not points or points[-1][1] != value):
            points.append((report["step"], value))
    return points


def _working_s(reports):
    times = [r["time"] for r in reports if isinstance(r.get("time"), int | float)]
    gaps = [b - a for a, b in itertools.pairwise(times) if b > a]
    if not gaps:
        return 0.0
    pause_s = max(_SHORTEST_PAUSE_S, _PAUSE * float(np.median(gaps)))
    return sum(gap for gap in gaps if gap < pause_s)
