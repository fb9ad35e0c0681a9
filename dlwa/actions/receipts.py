"""What a run was, told at its end: outcome, loss, what it took. For students and for graders."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlwa import runfiles
from dlwa.actions.progress import span
from dlwa.actions.runs import Run


@dataclass(frozen=True)
class Receipt:
    """One run in numbers; times in seconds, None where nothing is known."""

    id: str
    kind: str
    owner: str
    name: str
    outcome: str
    reason: str
    step: float | None
    total_steps: float | None
    last_loss: float | None
    best_loss: float | None
    computed_s: float
    waited_s: float
    gpu_hours: float

    def lines(self) -> list[tuple[str, str]]:
        """The receipt as words and values."""
        how = f"{self.step:g}" if self.step is not None else ""
        of_total = f" of {self.total_steps:g}" if how and self.total_steps else ""
        loss = f"{self.last_loss:.4g}" if self.last_loss is not None else ""
        best = f", best {self.best_loss:.4g}" if loss and self.best_loss is not None else ""
        gpu = f", {self.gpu_hours:.1f} GPU hours" if self.gpu_hours else ""
        return [
            ("steps", how + of_total),
            ("loss", loss + best),
            ("took", f"{span(self.computed_s)}{gpu}" if self.computed_s else ""),
            ("waited", span(self.waited_s) if self.waited_s >= 1 else ""),
        ]


def receipt(run: Run) -> Receipt:
    """What is known of a run, ended or not."""
    began = _number(run.record.get("started_at"))
    step, total, last, best = None, None, None, None
    for line in runfiles.read_lines(run.paths.metrics):
        if began and _number(line.get("time")) and float(line["time"]) < began:
            continue  # of an earlier run in the same folder
        losses = line.get("losses")
        loss = _number(losses.get("total_loss")) if isinstance(losses, dict) else None
        step = _number(line.get("step", line.get("done"))) or step
        total = _number(line.get("total_steps", line.get("total"))) or total
        last = loss if loss is not None else last
        best = loss if best is None or (loss is not None and loss < best) else best
    return Receipt(
        run.id,
        run.kind,
        run.owner,
        run.name,
        run.state,
        run.reason,
        step,
        total,
        last,
        best,
        computed_s(run),
        waited_s(run),
        gpu_hours(run),
    )


def computed_s(run: Run) -> float:
    """How long a run has computed."""
    began = _number(run.record.get("started_at"))
    if not began:
        return 0.0
    end = time.time() if run.live else _number(run.record.get("ended_at")) or began
    return max(0.0, end - began)


def waited_s(run: Run) -> float:
    """How long a run has waited for its turn."""
    asked = _number(run.record.get("created_at"))
    if not asked:
        return 0.0
    ended = _number(run.record.get("ended_at"))
    until = _number(run.record.get("started_at")) or (time.time() if run.live else ended) or asked
    return max(0.0, until - asked)


def gpu_hours(run: Run) -> float:
    """GPUs times hours."""
    return computed_s(run) / 3600 * len(_list(run.record, "gpu_uuids"))


def _list(record: Mapping[str, Any], key: str) -> list[Any]:
    value = record.get(key)
    return value if isinstance(value, list) else []


def _number(value: object) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return float(value) if good else None  # type: ignore[arg-type]
