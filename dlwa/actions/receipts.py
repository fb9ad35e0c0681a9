"""What a run was, told at its end: outcome, loss, what it took. For students and for graders."""

from dataclasses import dataclass

from dlwa.actions._own_lines import own_lines
from dlwa.actions.durations import computed_s, gpu_hours, number, waited_s
from dlwa.actions.runs import Run
from dlwa.words import span


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
    unit: str
    created_at: float | None
    ended_at: float | None

    def lines(self) -> list[tuple[str, str]]:
        """The receipt as words and values."""
        how = f"{self.step:.0f}" if self.step is not None else ""
        how += f" of {self.total_steps:.0f}" if how and self.total_steps else ""
        done = ("steps", how) if self.unit == "steps" else ("did", f"{how} {self.unit}".strip())
        loss = f"{self.last_loss:.4g}" if self.last_loss is not None else ""
        best = f", best {self.best_loss:.4g}" if loss and self.best_loss is not None else ""
        gpu = f", {self.gpu_hours:.1f} GPU hours" if self.gpu_hours else ""
        return [
            done if how else ("steps", ""),
            ("loss", loss + best),
            ("took", f"{span(self.computed_s)}{gpu}" if self.computed_s else ""),
            ("waited", span(self.waited_s) if self.waited_s >= 1 else ""),
        ]


def in_a_line(run: Run) -> str:
    """The receipt as one line, empty where nothing is known."""
    return "; ".join(f"{word} {value}" for word, value in receipt(run).lines() if value)


def receipt(run: Run) -> Receipt:
    """What is known of a run, ended or not."""
    step, total, last, best = None, None, None, None
    unit = "steps" if run.kind == "train" else ""
    for line in own_lines(run.paths.metrics, run.record, all_turns=True):
        losses = line.get("losses")
        loss = number(losses.get("total_loss")) if isinstance(losses, dict) else None
        step = number(line.get("step", line.get("done"))) or step
        unit = "steps" if "step" in line else str(line.get("unit", ""))
        total = number(line.get("total_steps", line.get("total"))) or total
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
        unit,
        number(run.record.get("created_at")),
        number(run.record.get("ended_at")),
    )
