"""Asking a run to save and stop, and making sure that it did."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from dlwa import runfiles
from dlwa.actions import sessions
from dlwa.actions.runs import Run, read_run
from dlwa.errors import AccessError, DlwaError
from dlwa.hosts.base import Host
from dlwa.settings import Settings

GRACE_S = 120.0
_AFTERWARDS_S = 10.0


def require_permission(
    run: Run, settings: Settings, owners: Sequence[str], *, as_admin: bool
) -> str:
    """Return the question to be answered with yes before stopping a run, empty if it is one's own.

    Where nobody said who works (`DLWA_OWNER`) and only one of `owners` is here, that is who.
    Raises `AccessError` for a run of somebody else without `as_admin`.
    """
    alone = not settings.owner_is_known and list(owners) == [run.owner]
    if run.owner == settings.owner or alone:
        return ""
    if as_admin:
        return f"{run.name} belongs to {run.owner}. Stop it all the same?"
    if not settings.owner_is_known:
        return (
            f"{run.name} belongs to {run.owner} (export DLWA_OWNER={run.owner} if that is you). "
            "Shall it stop?"
        )
    raise AccessError(
        f"run={run.name} belongs to {run.owner}, you are {settings.owner}",
        hint=f"ask {run.owner}; or, if you look after this machine: ./dlwa.py stop --as-admin ...",
    )


def stop(
    run: Run,
    host: Host,
    by: str,
    grace_s: float = GRACE_S,
    waiting: Callable[[float], None] | None = None,
) -> Run:
    """Ask a run to save and stop; after `grace_s` seconds it is killed. Returns how it ended.

    Only the processes named in its record are touched, recognised by number and start time.
    `waiting` is told now and then how many seconds have passed. Raises `AccessError` where the
    run is another login's.
    """
    if run.record.get("host") != host.name:
        raise DlwaError(
            f"run={run.name} runs on {run.record.get('host')}, this is {host.name}",
            hint="log in there and stop it",
        )
    if run.wrapper:
        host.signal(run.wrapper, 0)  # another login's is refused before anything is written
    with suppress(OSError):  # on a full disk the run stops all the same
        runfiles.write_json(
            run.paths.stop_request,
            {"by": by, "grace_s": grace_s, "time": time.time(), "asker_pid": os.getpid()},
        )
    _signal(run, host, signal.SIGTERM)
    began = time.monotonic()
    while (now := _again(run, host)).live or _job_lives(now, host):
        passed_s = time.monotonic() - began
        if passed_s > grace_s + _AFTERWARDS_S:
            return _kill(now, host)
        if waiting:
            waiting(passed_s)
        time.sleep(0.1)
    _clean_up(now, host)
    return _again(run, host)


def _signal(run: Run, host: Host, signum: int) -> None:
    """Signal the wrapper, which passes it on; the job itself if the wrapper is gone."""
    if run.wrapper and host.is_alive(run.wrapper):
        host.signal(run.wrapper, signum)
        host.signal(run.wrapper, signal.SIGCONT)
    elif run.child and host.is_alive(run.child):
        host.signal(run.child, signum, group=True)
        host.signal(run.child, signal.SIGCONT, group=True)


def _job_lives(run: Run, host: Host) -> bool:
    return run.child is not None and host.is_alive(run.child)


def _kill(run: Run, host: Host) -> Run:
    if run.child:
        host.signal(run.child, signal.SIGKILL, group=True)
    deadline = time.monotonic() + _AFTERWARDS_S
    while _again(run, host).live and time.monotonic() < deadline:
        time.sleep(0.1)
    if run.wrapper:
        host.signal(run.wrapper, signal.SIGKILL)
    _clean_up(run, host)
    return _again(run, host)


def _clean_up(run: Run, host: Host) -> None:
    if run.wrapper is None or not host.is_alive(run.wrapper):
        sessions.close(run, host)
        sessions.wipe(run, host)
    run.paths.stop_request.unlink(missing_ok=True)


def _again(run: Run, host: Host) -> Run:
    return read_run(run.paths.folder, host) or run
