"""How a run ended, and why, from what is known when its job is over."""

import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlwa.actions._own_lines import own_lines
from dlwa.logtext import reason_in
from dlwa.workspace import RunPaths

_BY_STOPPING = (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGKILL)
_SHELL_STOPPING = (128 + signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGHUP)
_NEARLY_NOTHING_BYTES = 1 << 20


@dataclass(frozen=True)
class Ending:
    """What the wrapper saw."""

    code: int
    output: str
    stop_reason: str = ""  # why the job was asked to stop, empty if it was not
    was_killed: bool = False  # it did not stop in time
    ran_out_of_memory: bool = False
    disk_full: bool = False


@dataclass(frozen=True)
class Outcome:
    """What goes into the record."""

    state: str
    reason: str
    hint: str = ""


def judge(ending: Ending, paths: RunPaths, kind: str, record: Mapping[str, Any]) -> Outcome:
    """Tell finished, stopped and failed apart."""
    events = list(own_lines(paths.events, record))
    stopped = next((event for event in reversed(events) if event.get("event") == "stopped"), None)
    obeyed = ending.stop_reason and ending.code in (*_BY_STOPPING, *_SHELL_STOPPING)
    had_saved = stopped is not None and stopped.get("step") is not None
    if ending.code == 0 or (obeyed and had_saved):  # its end alone may take too long
        return _judge_success(ending, stopped, kind)
    if obeyed:
        more = "; it did not save in time and was killed" if ending.was_killed else ""
        return Outcome("stopped", ending.stop_reason + more)
    failed = next((event for event in reversed(events) if event.get("event") == "failed"), None)
    return _judge_failure(ending, failed, paths)


def _judge_success(ending: Ending, stopped: Mapping[str, Any] | None, kind: str) -> Outcome:
    if stopped is None and not (ending.stop_reason and kind == "run"):
        return Outcome("finished", "")
    asked = ending.stop_reason or str((stopped or {}).get("reason") or "a signal asked it to stop")
    step = (stopped or {}).get("step")
    return Outcome("stopped", asked if step is None else f"{asked}; saved at step {step}")


def _judge_failure(ending: Ending, failed: Mapping[str, Any] | None, paths: RunPaths) -> Outcome:
    if failed and failed.get("reason"):
        return Outcome("failed", str(failed["reason"]), str(failed.get("hint") or ""))
    said = reason_in(ending.output)
    full = ending.disk_full or "No space left on device" in ending.output
    if full or shutil.disk_usage(paths.folder).free < _NEARLY_NOTHING_BYTES:
        return Outcome(
            "failed", f"the disk is full: {said}".rstrip(": "), "make room, then start it again"
        )
    if ending.code < 0:
        return _judge_signal(ending, said)
    return Outcome("failed", said or f"it ended with exit code {ending.code} and no word")


def _judge_signal(ending: Ending, said: str) -> Outcome:
    if ending.ran_out_of_memory and ending.code == -signal.SIGKILL:
        return Outcome(
            "failed",
            "the machine ran out of memory and the system killed it",
            "use a smaller batch: -- --gin_param=batch_size=8",
        )
    try:
        name = signal.Signals(-ending.code).name
    except ValueError:
        name = f"signal {-ending.code}"
    crashed = -ending.code in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL)
    how = "it crashed" if crashed else "it was killed from outside dlwa"
    return Outcome("failed", f"{how} ({name})" + (f"; last it said: {said}" if said else ""))
