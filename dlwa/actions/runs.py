"""The runs of a workspace and how they really stand.

The record says what the wrapper last knew. Whoever reads it checks the wrapper's process, so
that a killed wrapper, a restarted machine or a halted job is told as it is.
"""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dlwa import runfiles
from dlwa.errors import NotFoundError, UsageError
from dlwa.hosts import processes
from dlwa.hosts.base import Host, ProcessId
from dlwa.locks import is_locked
from dlwa.settings import nearest
from dlwa.workspace import RunPaths, Workspace

State = Literal["queued", "starting", "running", "finished", "stopped", "failed", "stalled", "lost"]
LIVE: frozenset[str] = frozenset({"queued", "starting", "running", "stalled"})
STALLED_AFTER_S = 600.0
_COMES_UP_WITHIN_S = 15.0


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
        """The name of its screen session."""
        return str(self.record.get("session", ""))

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.state in LIVE

    @property
    def wrapper(self) -> ProcessId | None:
        """The process that looks after it."""
        return _process(self.record, "pid")

    @property
    def child(self) -> ProcessId | None:
        """The process that does the work."""
        return _process(self.record, "child_pid")

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


def read_run(folder: Path, host: Host, stalled_after_s: float = STALLED_AFTER_S) -> Run | None:
    """The run recorded in a folder, None if there is no record."""
    record = runfiles.read_json(folder / runfiles.RECORD_FILE)
    if record is None:
        return None
    paths = RunPaths(folder, str(record.get("kind", "train")))
    state, reason = _true_state(record, paths, host, stalled_after_s)
    return Run(paths, record, state, reason)


def all_runs(
    workspace: Workspace, host: Host, stalled_after_s: float = STALLED_AFTER_S
) -> list[Run]:
    """Every run of a workspace, the newest first."""
    found = (
        read_run(folder, host, stalled_after_s)
        for folder in (*model_folders(workspace), *_other_folders(workspace))
    )
    return sorted((run for run in found if run), key=lambda run: run.began, reverse=True)


def model_folders(workspace: Workspace) -> Iterator[Path]:
    """The folders under `models/ddsp` that hold a training's record."""
    for place, folders, files in os.walk(workspace.models):
        if runfiles.RECORD_FILE in files:
            folders.clear()
            yield Path(place)
        else:
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))


def find_run(runs: list[Run], text: str) -> Run:
    """The run somebody means by an id, a name or a session's name; a live one before others.

    Raises `NotFoundError` if there is none, `UsageError` if it could be several.
    """
    head, dot, rest = text.partition(".")
    session = rest if dot and head.isdigit() else text
    exact = [run for run in runs if run.id == text or (run.session and run.session == session)]
    named = exact or [run for run in runs if run.name == text]
    named = named or [run for run in runs if run.name.endswith(f"/{text}")]
    if not named:
        known = {run.name for run in runs} | {run.id for run in runs}
        hint = nearest(text, known) if known else "start one: ./dlwa.py ddsp train --help"
        raise NotFoundError(f"run={text!r} is unknown here", hint)
    live = [run for run in named if run.live]
    if len(live) > 1:
        listed = ", ".join(f"{run.id} ({run.kind})" for run in live)
        raise UsageError(f"run={text} could be {listed}", "name it by its id")
    return (live or named)[0]


def last_activity(paths: RunPaths) -> float:
    """When the run last wrote anything, in seconds since 1970."""
    times = [0.0]
    for path in (paths.log, paths.metrics, paths.events, paths.record):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return max(times)


def _other_folders(workspace: Workspace) -> Iterator[Path]:
    if workspace.runs.is_dir():
        yield from (path for path in workspace.runs.iterdir() if path.is_dir())


def _process(record: Mapping[str, Any], key: str) -> ProcessId | None:
    pid, start = record.get(key), record.get(f"{key}_start")
    return ProcessId(pid, start) if isinstance(pid, int) and isinstance(start, int) else None


def _true_state(
    record: Mapping[str, Any], paths: RunPaths, host: Host, stalled_after_s: float
) -> tuple[State, str]:
    state, reason = record.get("state", "lost"), str(record.get("reason") or "")
    if state not in LIVE:
        return state, reason
    silent_s = max(0.0, time.time() - last_activity(paths))
    if record.get("host") != host.name:
        elsewhere = f"runs on {record.get('host')}"
        if silent_s > stalled_after_s and state != "queued":
            return "stalled", f"{elsewhere} and has written nothing for {_span(silent_s)}"
        return state, reason or elsewhere
    if record.get("boot_id") != host.boot_id():
        return "lost", f"the machine was restarted while it was {state}{_saved(paths, record)}"
    return _state_here(record, paths, host, (silent_s, stalled_after_s))


def _state_here(
    record: Mapping[str, Any], paths: RunPaths, host: Host, silence: tuple[float, float]
) -> tuple[State, str]:
    state: State = record["state"]
    wrapper, child = _process(record, "pid"), _process(record, "child_pid")
    if wrapper is None:
        age_s = time.time() - float(record.get("created_at") or 0)
        young = 0 <= age_s < _COMES_UP_WITHIN_S
        if young or is_locked(paths.start_lock):
            return state, str(record.get("reason") or "")
        return "lost", "its session never came up"
    if not host.is_alive(wrapper):
        again = runfiles.read_json(paths.record) or {}
        if again.get("state", state) not in LIVE:  # it ended while we looked
            return again["state"], str(again.get("reason") or "")
        return "lost", _why_lost(wrapper, child, host) + _saved(paths, record)
    if processes.is_paused(wrapper.pid) or (child and processes.is_paused(child.pid)):
        return "stalled", "it was halted by a signal (SIGSTOP or Ctrl-Z); kill -CONT resumes it"
    silent_s, stalled_after_s = silence
    if state == "running" and silent_s > stalled_after_s:
        return "stalled", f"it has written nothing for {_span(silent_s)}"
    return state, str(record.get("reason") or "")


def _why_lost(wrapper: ProcessId, child: ProcessId | None, host: Host) -> str:
    if child and host.is_alive(child):
        return f"its wrapper (pid {wrapper.pid}) was killed; the job (pid {child.pid}) still runs"
    return f"its wrapper (pid {wrapper.pid}) was killed before it could record the end"


def _saved(paths: RunPaths, record: Mapping[str, Any]) -> str:
    """What the job itself said about its end, when its wrapper no longer could."""
    event = runfiles.last_line(paths.events) or {}
    since = float(record.get("started_at") or record.get("created_at") or 0)
    if event.get("event") in ("stopped", "finished") and float(event.get("time", 0)) >= since:
        step = f" at step {event['step']}" if "step" in event else ""
        return f"; the job saved{step} and ended"
    return ""


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
