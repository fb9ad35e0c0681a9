"""Starting a run: its record, its screen session, and the proof that it came up."""

import os
import platform
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from dlwa import runfiles
from dlwa.actions import sessions
from dlwa.actions.runs import Run, read_run
from dlwa.errors import BusyError, DlwaError
from dlwa.hosts.base import Host
from dlwa.labs import Limits
from dlwa.locks import FileLock, is_locked
from dlwa.shell import Command
from dlwa.tools import screen
from dlwa.version import __version__
from dlwa.workspace import RunPaths, Workspace

# auto: a GPU where there is one, else a turn on the CPU. none: computes little, waits for nobody.
Devices = Literal["auto", "gpu", "cpu", "none"]

_COMES_UP_WITHIN_S = 10.0
_SETTLES_WITHIN_S = 1.0
_START_LOCK_S = 5.0


@dataclass(frozen=True)
class Job:
    """What to run and how to record it."""

    kind: str
    owner: str
    name: str
    folder: Path
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    devices: Devices = "auto"
    gpus: int = 1
    total_steps: int | None = None
    aside: Mapping[str, str] | None = None  # built, place, must_hold: renamed on success
    details: Mapping[str, Any] = field(default_factory=dict)


def new_id() -> str:
    """Eight hexadecimal digits for a new run."""
    return secrets.token_hex(4)


def wrapper_command(folder: Path) -> tuple[str, ...]:
    """The command that runs inside the session."""
    return (sys.executable, "-m", "dlwa.actions.wrapper", str(folder))


def launch(
    job: Job, workspace: Workspace, host: Host, limits: Limits, run_id: str | None = None
) -> Run:
    """Start a job detached and return the run once its wrapper is really there.

    Raises `BusyError` if the folder has a live run, `DlwaError` if the session does not come up.
    """
    sessions.require_screen(host)
    sockets = sessions.socket_folder(host)
    run_id = run_id or new_id()
    paths = RunPaths(job.folder, job.kind)
    job.folder.mkdir(parents=True, exist_ok=True)
    starting = FileLock(paths.start_lock)
    _take(starting, job)
    try:
        refuse_if_live(job.folder, host)
        _keep_history(paths, host)
        paths.stop_request.unlink(missing_ok=True)
        name = _session_name(job, run_id, sockets)
        record = _new_record(job, run_id, name, sockets, host, limits)
        runfiles.write_json(paths.record, record)
        return _start_session(job, workspace, host, (name, sockets))
    finally:
        starting.release()


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


def _session_name(job: Job, run_id: str, sockets: Path | None) -> str:
    parts = job.name.split("/")
    title = "_".join(parts[1:] or parts)
    name = screen.session_name(job.owner, title, run_id, sockets)
    if sockets is not None and not screen.fits(sockets, name):
        raise DlwaError(
            f"SCREENDIR={sockets} is too long a path for screen's sockets",
            hint="unset SCREENDIR, or name a shorter folder",
        )
    return name


def _new_record(
    job: Job, run_id: str, session: str, sockets: Path | None, host: Host, limits: Limits
) -> dict[str, Any]:
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
        "session": session,
        "screen_dir": str(sockets) if sockets else None,
        "state": "queued",
        "reason": "its session is starting",
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
        runfiles.append_line(
            paths.history, {**previous.record, "state": previous.state, "reason": previous.reason}
        )


def _start_session(
    job: Job, workspace: Workspace, host: Host, session: tuple[str, Path | None]
) -> Run:
    name, sockets = session
    workspace.state.mkdir(parents=True, exist_ok=True)
    if not workspace.screenrc.exists() or workspace.screenrc.read_text() != screen.SCREENRC:
        workspace.screenrc.write_text(screen.SCREENRC, encoding="utf-8")
    argv = screen.start_argv(name, wrapper_command(job.folder), workspace.screenrc)
    said = host.run(Command(argv, {**screen.environment(sockets), **_where_dlwa_is()}))
    deadline = time.monotonic() + _COMES_UP_WITHIN_S
    while said.ok and time.monotonic() < deadline:
        run = read_run(job.folder, host)
        if run and (run.wrapper or not run.live):
            return _settled(job, host)
        time.sleep(0.02)
    return _never_came_up(job, said.said)


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


def _never_came_up(job: Job, said: str) -> Run:
    paths = RunPaths(job.folder, job.kind)
    reason = f"its screen session did not come up: {said or 'screen gave no reason'}"
    record = runfiles.read_json(paths.record) or {}
    runfiles.write_json(
        paths.record, {**record, "state": "failed", "reason": reason, "ended_at": time.time()}
    )
    raise DlwaError(f"{job.kind} of {job.name} was not started: {reason}", hint="./dlwa.py doctor")


def _where_dlwa_is() -> dict[str, str | None]:
    """Let the session find this very dlwa, installed or not."""
    here = str(Path(__file__).resolve().parent.parent.parent)
    known = os.environ.get("PYTHONPATH", "")
    paths = [here, *(path for path in known.split(os.pathsep) if path and path != here)]
    return {"PYTHONPATH": os.pathsep.join(paths)}


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def module_argv(module: str, words: Sequence[str]) -> tuple[str, ...]:
    """The command that runs a module of the DDSP half in a process of its own."""
    return (sys.executable, "-m", module, *words)
