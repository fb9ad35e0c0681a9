"""One pushes to a folder at a time; a laptop that lost its line takes over from itself."""

import contextlib
import os
import signal
import time
from typing import Any

from dlwa import runfiles
from dlwa.errors import BusyError
from dlwa.hosts.local import LocalHost
from dlwa.locks import FileLock
from dlwa.names import Name
from dlwa.workspace import Workspace

_TAKES_OVER_WITHIN_S = 10.0


@contextlib.contextmanager
def only_one(workspace: Workspace, home: str, name: Name, client: str) -> Any:
    """One pushes to a folder at a time; a laptop that lost its line takes over from itself."""
    title = f"sync.{home}.{'+'.join(name.parts)}"
    lock = FileLock(workspace.state / "locks" / f"{title}.lock")
    holder = lock.path.with_suffix(".json")
    lock.path.parent.mkdir(parents=True, exist_ok=True)
    host = LocalHost()
    deadline = time.monotonic() + _TAKES_OVER_WITHIN_S
    while not lock.try_acquire():
        other = runfiles.read_json(holder) or {}
        mine = bool(client) and other.get("client") == client
        process = host.identify(int(other.get("pid", 0)))
        if mine and process and process.start == other.get("start"):
            host.signal(process, signal.SIGTERM)
        if not mine or time.monotonic() > deadline:
            raise BusyError(f"name={name}: somebody is pushing to it now", "try again later")
        time.sleep(0.05)
    try:
        me = host.identify(os.getpid())
        start = me.start if me else 0
        runfiles.write_json(holder, {"pid": os.getpid(), "start": start, "client": client})
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
