"""Starting a run: its record, its place with who keeps it, and the proof that it came up."""

import os
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions import keepers
from dlwa.actions._job import Devices, Job, module_argv, new_id, where_dlwa_is, wrapper_command
from dlwa.actions.durations import computed_s
from dlwa.actions.runs import Run, read_run
from dlwa.errors import BusyError, DlwaError
from dlwa.hosts.base import Host
from dlwa.labs import Limits
from dlwa.locks import FileLock, is_locked
from dlwa.version import __version__
from dlwa.workspace import RunPaths, Workspace

__all__ = [
    "Devices",
    "Job",
    "launch",
    "module_argv",
    "new_id",
    "refuse_if_live",
    "where_dlwa_is",
    "wrapper_command",
]

_SETTLES_WITHIN_S = 1.0
_START_LOCK_S = 5.0


def launch(
    job: Job, workspace: Workspace, host: Host, limits: Limits, run_id: str | None = None
) -> Run:
    """Start a job detached and return the run once it is in the hands of who keeps it.

    Raises `BusyError` if the folder has a live run, another `DlwaError` if it is not started; then
    everything is as before, or the record says why.
    """
    keeper = keepers.here(workspace, host)
    keeper.require()
    run_id = run_id or new_id()
    place = keeper.reserve(job, run_id)
    paths = RunPaths(job.folder, job.kind)
    is_new = not job.folder.exists()
    job.folder.mkdir(parents=True, exist_ok=True)
    starting = FileLock(paths.start_lock)
    _take(starting, job)
    try:
        refuse_if_live(job.folder, host)
        record = {**_new_record(job, run_id, host, limits), **place}
        before = _Before(job, paths, is_new)
        try:
            _keep_history(paths, host)
            paths.stop_request.unlink(missing_ok=True)
            runfiles.write_json(paths.record, record)
            more = keeper.open(job, record, workspace, limits)
        except BaseException as error:
            if isinstance(error, DlwaError) or not _is_there(keeper, record, paths):
                before.restore(run_id)
            raise
        finally:
            before.forget()
        if more:
            runfiles.write_json(paths.record, {**record, **more})
        return _settled(job, host)
    finally:
        starting.release()


class _Before:
    """What a folder held before a run was to be started in it."""

    def __init__(self, job: Job, paths: RunPaths, is_new: bool) -> None:
        self._job, self._paths, self._is_new = job, paths, is_new
        self._record = paths.record.with_name(f".{paths.record.name}.before")
        self._had_record = paths.record.exists()
        self._history = paths.history.stat().st_size if paths.history.exists() else None
        if self._had_record:  # a copy: a full disk would not take it back from memory
            self._record.write_bytes(paths.record.read_bytes())

    def restore(self, run_id: str) -> None:
        """Make it so again, unless the new run's record already tells how the start went wrong."""
        paths = self._paths
        now = runfiles.read_json(paths.record) or {}
        is_new_record = now.get("id") == run_id
        if is_new_record and now.get("state") != "queued":
            return
        if is_new_record and self._had_record:
            self._record.replace(paths.record)
        elif is_new_record:
            paths.record.unlink(missing_ok=True)
        if self._history is not None:
            os.truncate(paths.history, self._history)
        else:
            paths.history.unlink(missing_ok=True)
        with suppress(OSError):  # what holds anything stays
            if self._job.aside:
                Path(self._job.aside["built"]).rmdir()
            if self._is_new:
                paths.start_lock.unlink(missing_ok=True)
                paths.folder.rmdir()

    def forget(self) -> None:
        """Remove the copy."""
        self._record.unlink(missing_ok=True)


def _is_there(keeper: keepers.Keeper, record: Mapping[str, Any], paths: RunPaths) -> bool:
    """Whether a start that broke has left a session or a job that goes on by itself."""
    now = runfiles.read_json(paths.record) or {}
    if now.get("id") == record["id"] and now.get("pid"):
        return True
    with suppress(DlwaError, OSError):
        places = keeper.rooms([Run(paths, record, "queued", "")])
        return any(place.name == record.get("session") for place in places)
    return False


def refuse_if_live(folder: Path, host: Host) -> None:
    """Raise `BusyError` if a run lives in this folder, saying which."""
    run = read_run(folder, host)
    held = is_locked(RunPaths(folder).lock)
    if run is None or not (run.live or held):
        return
    by = f"run {run.id} ({run.state}) by {run.owner}"
    raise BusyError(
        f"{run.kind} of {run.name} already goes on: {by}, since {_clock(run.began)}",
        hint=f"./dlwa.py util screen-attach {run.name}   or   ./dlwa.py stop {run.name}",
    )


def _take(lock: FileLock, job: Job) -> None:
    deadline = time.monotonic() + _START_LOCK_S
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            raise BusyError(
                f"{job.kind} of {job.name} is being started by somebody else this moment",
                hint=f"./dlwa.py status {job.name}",
            )
        time.sleep(0.05)


def _new_record(job: Job, run_id: str, host: Host, limits: Limits) -> dict[str, Any]:
    return {
        "id": run_id,
        "kind": job.kind,
        "owner": job.owner,
        "name": job.name,
        "command": list(job.argv),
        "env": dict(job.env),
        "cwd": str(job.cwd) if job.cwd else None,
        "versions": {"dlwa": __version__, "python": platform.python_version()},
        "host": host.name,
        "boot_id": host.boot_id(),
        "state": "queued",
        "reason": "it is being started",
        "created_at": time.time(),
        "started_at": None,
        "ended_at": None,
        "exit_code": None,
        "total_steps": job.total_steps,
        "devices": job.devices,
        "gpus": job.gpus,
        "gpu_uuids": [],
        "limits": asdict(limits),
        "aside": dict(job.aside) if job.aside else None,
        "queue": None,
        **job.details,
    }


def _keep_history(paths: RunPaths, host: Host) -> None:
    """Move the record of the previous run in this folder to the history, as it really ended."""
    previous = read_run(paths.folder, host)
    if previous:
        ended = {
            "state": previous.state,
            "reason": previous.reason,
            "computed_s": computed_s(previous),
        }
        runfiles.append_line(paths.history, {**previous.record, **ended})


def _settled(job: Job, host: Host) -> Run:
    """Give a run that breaks at once the moment it needs to say so."""
    deadline = time.monotonic() + _SETTLES_WITHIN_S
    while True:
        run = read_run(job.folder, host)
        if run is None:
            raise DlwaError(f"the record of {job.name} has disappeared from {job.folder}")
        unsettled = run.state in ("queued", "starting") and not run.reason
        if not unsettled or time.monotonic() > deadline:
            return run
        time.sleep(0.02)


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
