"""Asking a run to save and stop, and making sure that it did."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from dlwa import runfiles
from dlwa.actions import keepers
from dlwa.actions.runs import Run, read_run
from dlwa.errors import AccessError
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
        hint=f"ask {run.owner}; if you look after this machine: "
        f"./dlwa.py stop {run.name} --as-admin",
    )


def stop(
    run: Run,
    host: Host,
    by: str,
    grace_s: float = GRACE_S,
    waiting: Callable[[float], None] | None = None,
) -> Run:
    """Ask a run to save and stop; after `grace_s` seconds it is killed. Returns how it ended.

    Only what its record names is touched: processes by number and start time, a job by its name.
    `waiting` is told now and then how many seconds have passed. Raises `AccessError` where the
    run is another login's.
    """
    keeper = keepers.of(run.record, host)
    keeper.check_reach(run)
    with suppress(OSError):  # on a full disk the run stops all the same
        runfiles.write_json(
            run.paths.stop_request,
            {"by": by, "grace_s": grace_s, "time": time.time(), "asker_pid": os.getpid()},
        )
    try:
        keeper.ask(run)
    except AccessError:
        run.paths.stop_request.unlink(missing_ok=True)
        raise
    began = time.monotonic()
    while (now := _again(run, host)).live or keeper.computes(now):
        passed_s = time.monotonic() - began
        if passed_s > grace_s + _AFTERWARDS_S:
            keeper.kill(now)
            break
        if waiting:
            waiting(passed_s)
        time.sleep(0.1)
    keeper.close(_again(run, host), by)
    run.paths.stop_request.unlink(missing_ok=True)
    return _again(run, host)


def _again(run: Run, host: Host) -> Run:
    return read_run(run.paths.folder, host) or run
