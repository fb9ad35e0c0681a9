"""What there is to see of a run, gathered from its files only.

A `Watcher` remembers how far it has read, so that looking again costs what is new, and opening
a log of any size costs its last page.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlwa import logtext, runfiles
from dlwa.actions._own_lines import own_last
from dlwa.actions.curves import Curve, Point
from dlwa.actions.gpus import GpuUse, survey, uses
from dlwa.actions.remarks import Remark, remarks_of
from dlwa.actions.runs import STALLED_AFTER_S, Run, read_run
from dlwa.claims import Claims
from dlwa.errors import NotFoundError
from dlwa.hosts.base import Host

GPU_INTERVAL_S = 5.0
RATE_WINDOW_S = 120.0
LOG_LINES = 50


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment, ready to be drawn."""

    run: Run
    now: float
    done: float | None = None
    total: float | None = None
    unit: str = "steps"
    what: str = ""
    rate: float | None = None  # units of work a second, over the last two minutes
    losses: Mapping[str, float] = field(default_factory=dict)
    reported_s_ago: float | None = None
    curve: tuple[Point, ...] = ()
    event: Mapping[str, Any] | None = None
    remarks: tuple[Remark, ...] = ()
    gpus: tuple[GpuUse, ...] = ()
    log: tuple[str, ...] = ()

    @property
    def fraction(self) -> float | None:
        """How much is done, from 0 to 1."""
        if self.done is None or not self.total:
            return None
        return min(1.0, max(0.0, self.done / self.total))

    @property
    def eta_s(self) -> float | None:
        """Seconds until the end at the present speed; None when that cannot be said."""
        if self.run.state != "running" or self.done is None or not self.total or not self.rate:
            return None
        return max(0.0, self.total - self.done) / self.rate

    @property
    def loss(self) -> float | None:
        """The loss that is trained on, as last reported."""
        return main_loss(self.losses)

    def document(self) -> dict[str, Any]:
        """Everything as one JSON document."""
        return {
            "run": self.run.document(),
            "progress": {
                "done": self.done,
                "total": self.total,
                "unit": self.unit,
                "what": self.what,
                "per_s": self.rate,
                "eta_s": self.eta_s,
                "reported_s_ago": self.reported_s_ago,
            },
            "losses": {name: finite(value) for name, value in self.losses.items()},
            "curve": [[point.step, finite(point.value)] for point in self.curve],
            "event": self.event,
            "warnings": [remark.document() for remark in self.remarks],
            "gpus": [use.document() for use in self.gpus],
            "log": list(self.log[-20:]),
        }


class Watcher:
    """Looks at one run again and again.

    Raises `NotFoundError` when the run's record has gone.
    """

    def __init__(
        self,
        folder: Path,
        host: Host,
        claims: Claims | None = None,
        stalled_after_s: float = STALLED_AFTER_S,
    ) -> None:
        self._folder, self._host, self._claims = folder, host, claims
        self._stalled_after_s = stalled_after_s
        self._metrics = Tail(folder / runfiles.METRICS_FILE)
        self._curve = Curve()
        self._recent: list[tuple[float, float]] = []
        self._last: dict[str, Any] = {}
        self._gpus: tuple[GpuUse, ...] = ()
        self._gpus_at = 0.0

    def look(self) -> Snapshot:
        """Read what is new and return how things stand."""
        run = read_run(self._folder, self._host, self._stalled_after_s)
        if run is None:
            raise NotFoundError(
                f"folder={self._folder} holds no record of a run", "./dlwa.py status"
            )
        now = time.time()
        self._read_metrics()
        at = self._last.get("time")
        return Snapshot(
            run=run,
            now=now,
            **self._progress(run),
            rate=self._rate(),
            losses=self._last.get("losses") or {},
            reported_s_ago=max(0.0, now - at) if isinstance(at, int | float) else None,
            curve=tuple(self._curve.points),
            event=own_last(run.paths.events, run.record),
            remarks=remarks_of(run),
            gpus=self._look_at_gpus(),
            log=tuple(logtext.last_lines(run.paths.log, LOG_LINES)),
        )

    def _read_metrics(self) -> None:
        lines, anew = self._metrics.read()
        if anew:
            self._curve, self._recent, self._last = Curve(), [], {}
        for line in lines:
            self._last = line
            done, at = line.get("step", line.get("done")), line.get("time")
            if not isinstance(done, int | float) or not isinstance(at, int | float):
                continue
            loss = main_loss(line.get("losses") or {})
            if loss is not None:
                self._curve.add(done, loss)
            self._remember(at, done)

    def _remember(self, at: float, done: float) -> None:
        if self._recent:
            before, done_before = self._recent[-1]
            # a resumed or repeated job counts afresh, and so does one whose clock was set
            if done < done_before or not 0 <= at - before <= RATE_WINDOW_S:
                self._recent.clear()
        self._recent.append((at, done))
        while at - self._recent[0][0] > RATE_WINDOW_S and len(self._recent) > 2:
            self._recent.pop(0)

    def _rate(self) -> float | None:
        if len(self._recent) > 1:
            (began, first), (ended, last) = self._recent[0], self._recent[-1]
            if ended > began and last > first:
                return (last - first) / (ended - began)
        reported = self._last.get("steps_per_s")
        return float(reported) if isinstance(reported, int | float) and reported > 0 else None

    def _progress(self, run: Run) -> dict[str, Any]:
        last = self._last
        if "step" in last or run.kind == "train":
            total = last.get("total_steps") or run.record.get("total_steps")
            return {"done": last.get("step"), "total": total, "unit": "steps"}
        return {
            "done": last.get("done"),
            "total": last.get("total"),
            "unit": str(last.get("unit", "")),
            "what": str(last.get("what", "")),
        }

    def _look_at_gpus(self) -> tuple[GpuUse, ...]:
        if self._claims is None:
            return ()
        if time.monotonic() - self._gpus_at >= GPU_INTERVAL_S or not self._gpus_at:
            self._gpus = tuple(uses(survey(self._host), self._claims))
            self._gpus_at = time.monotonic()
        return self._gpus


class Tail:
    """The JSON lines of a growing file, each given once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._inode = 0

    def read(self) -> tuple[list[dict[str, Any]], bool]:
        """Return the new whole lines, and whether the file was begun anew since the last look."""
        try:
            stream = self._path.open("rb")
        except OSError:
            return [], False
        with stream:
            about = os.fstat(stream.fileno())
            anew = about.st_size < self._offset or about.st_ino != self._inode
            self._inode = about.st_ino
            stream.seek(0 if anew else self._offset)
            data = stream.read()
            whole = data.rfind(b"\n") + 1
            self._offset = stream.tell() - len(data) + whole
        return [line for line in map(_document, data[:whole].split(b"\n")) if line], anew


def main_loss(losses: Mapping[str, Any]) -> float | None:
    """The loss that is trained on: `total_loss`, else the first there is."""
    numbers = {name: value for name, value in losses.items() if isinstance(value, int | float)}
    if "total_loss" in numbers:
        return float(numbers["total_loss"])
    return float(next(iter(numbers.values()))) if numbers else None


def _document(line: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def finite(value: float) -> float | str:
    """A number that JSON can hold; what is none as text, such as "nan"."""
    return value if abs(value) < float("inf") else str(value)
