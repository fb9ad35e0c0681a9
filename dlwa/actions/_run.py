"""One run as a value: its record, and the state it is really in."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dlwa.actions._own_lines import own_last
from dlwa.hosts.base import ProcessId
from dlwa.workspace import RunPaths

# unknown: who keeps the run does not answer, so nobody can say
State = Literal[
    "queued", "starting", "running", "finished", "stopped", "failed", "stalled", "lost", "unknown"
]
LIVE: frozenset[str] = frozenset({"queued", "starting", "running", "stalled", "unknown"})
STALLED_AFTER_S = 600.0
COMES_UP_WITHIN_S = 15.0
_CLOCKS_DIFFER_S = 60.0  # between this machine and one that keeps its disk


@dataclass(frozen=True)
class Run:
    """One run: its record, and the state it is really in."""

    paths: RunPaths
    record: Mapping[str, Any]
    state: State
    reason: str

    @property
    def id(self) -> str:
        """Eight hexadecimal digits, never used twice."""
        return str(self.record.get("id", ""))

    @property
    def kind(self) -> str:
        """What it does: "train", "make-dataset" ..."""
        return str(self.record.get("kind", ""))

    @property
    def owner(self) -> str:
        """Whose it is."""
        return str(self.record.get("owner", ""))

    @property
    def name(self) -> str:
        """What it makes: the name of the model or data set."""
        return str(self.record.get("name", ""))

    @property
    def session(self) -> str:
        """The name of its session, or of its Slurm job."""
        return str(self.record.get("session", ""))

    @property
    def place(self) -> str:
        """Where it lives, in words."""
        return str(self.record.get("place") or f"session {self.session}")

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.state in LIVE

    @property
    def wrapper(self) -> ProcessId | None:
        """The process that looks after it."""
        return process_in(self.record, "pid")

    @property
    def child(self) -> ProcessId | None:
        """The process that does the work."""
        return process_in(self.record, "child_pid")

    @property
    def began(self) -> float:
        """When it was asked for, in seconds since 1970."""
        return float(self.record.get("created_at") or 0.0)

    def document(self) -> dict[str, Any]:
        """The record with the true state, as `--json` shows it."""
        return {
            **self.record,
            "state": self.state,
            "reason": self.reason,
            "folder": str(self.paths.folder),
            "log": str(self.paths.log),
        }


def last_activity(paths: RunPaths) -> float:
    """When the run last wrote anything, in seconds since 1970.

    What was written before somebody set the clock back lies in the future and says nothing; the
    wrapper then writes the record anew.
    """
    times, now = [], time.time()
    for path in (paths.log, paths.metrics, paths.events, paths.record):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    believed = [at for at in times if at <= now + _CLOCKS_DIFFER_S]
    return max(believed, default=now if times else 0.0)


def process_in(record: Mapping[str, Any], key: str) -> ProcessId | None:
    """The process a record names by its number and start time."""
    pid, start = record.get(key), record.get(f"{key}_start")
    return ProcessId(pid, start) if isinstance(pid, int) and isinstance(start, int) else None


def saved(paths: RunPaths, record: Mapping[str, Any]) -> str:
    """What the job itself said about its end, when its wrapper no longer could."""
    event = own_last(paths.events, record) or {}
    if event.get("event") in ("stopped", "finished"):
        step = f" at step {event['step']}" if "step" in event else ""
        return f"; the job saved{step} and ended"
    return ""
