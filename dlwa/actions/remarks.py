"""What a job has warned of and has not taken back: silence, a plateau, too little memory ..."""

from dataclasses import dataclass

from dlwa.actions._own_lines import own_lines
from dlwa.actions.runs import Run

# The events of a job that are worth knowing as long as it runs, in a few words.
_SHORT = {
    "silence": "plays almost silence",
    "noise_only": "plays only noise",
    "plateau": "no longer improves",
    "slow": "has become slow",
    "disk_full": "the disk is full",
    "out_of_memory": "computes batches in parts",
    "rollback": "went back to a good checkpoint",
    "bad_data": "leaves out faulty data",
    "damaged_checkpoint": "a checkpoint was damaged",
}


@dataclass(frozen=True)
class Remark:
    """One warning: the name of the event, what it means in a few words, what the job said."""

    event: str
    short: str
    text: str
    step: int | None = None

    def document(self) -> dict[str, object]:
        """The warning as `--json` shows it."""
        return {"event": self.event, "text": self.text, "step": self.step}


def remarks_of(run: Run) -> tuple[Remark, ...]:
    """The warnings of a run that still hold, the gravest first.

    A run takes one back with the event "recovered"; what earlier runs in the same folder said does
    not count.
    """
    holding: dict[str, Remark] = {}
    for line in own_lines(run.paths.events, run.record):
        event = str(line.get("event"))
        if event in _SHORT:
            step, text = line.get("step"), str(line.get("text") or _SHORT[event])
            holding[event] = Remark(event, _SHORT[event], text, step if _whole(step) else None)
        elif event == "recovered":
            holding.pop(str(line.get("of")), None)
    return tuple(holding[event] for event in _SHORT if event in holding)


def _whole(step: object) -> bool:
    return isinstance(step, int) and not isinstance(step, bool)
