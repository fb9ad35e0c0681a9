"""Runs in GNU screen sessions of this machine."""

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions import sessions
from dlwa.actions._job import Job, where_dlwa_is, wrapper_command
from dlwa.actions._run import (
    COMES_UP_WITHIN_S,
    LIVE,
    Run,
    State,
    last_activity,
    process_in,
    saved,
)
from dlwa.actions.keepers._base import Room
from dlwa.actions.keepers._files import keep_file
from dlwa.errors import AccessError, DlwaError
from dlwa.hosts import processes
from dlwa.hosts.base import Host, ProcessId
from dlwa.labs import Limits
from dlwa.locks import is_locked
from dlwa.shell import Command
from dlwa.tools import screen
from dlwa.words import span
from dlwa.workspace import RunPaths, Workspace

_STARTS_WITHIN_S = 10.0
_AFTERWARDS_S = 10.0


class ScreenKeeper:
    """Each run in a session of its own; its processes are looked at directly."""

    name = "screen"
    shares_this_machine = True

    def __init__(self, host: Host) -> None:
        self._host = host

    def require(self) -> None:
        """Raise `DlwaError` with the command that installs screen if it is missing."""
        sessions.require_screen(self._host)

    def reserve(self, job: Job, run_id: str) -> dict[str, Any]:
        """Return the name of the session to be, and where screen keeps its socket."""
        sockets = sessions.socket_folder(self._host)
        name = screen.session_name(job.owner, job.title, run_id, sockets)
        if sockets is not None and not screen.fits(sockets, name):
            raise DlwaError(
                f"SCREENDIR={sockets} is too long a path for screen's sockets",
                hint="unset SCREENDIR, or name a shorter folder",
            )
        return {"session": name, "screen_dir": str(sockets) if sockets else None}

    def open(
        self, job: Job, record: Mapping[str, Any], workspace: Workspace, limits: Limits
    ) -> dict[str, Any]:
        """Start the session and return once its wrapper is really there."""
        keep_file(workspace.screenrc, screen.SCREENRC)
        sockets = Path(record["screen_dir"]) if record.get("screen_dir") else None
        argv = screen.start_argv(
            str(record["session"]), wrapper_command(job.folder), workspace.screenrc
        )
        said = self._host.run(Command(argv, {**screen.environment(sockets), **where_dlwa_is()}))
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while said.ok and time.monotonic() < deadline:
            now = runfiles.read_json(RunPaths(job.folder).record) or {}
            if process_in(now, "pid") or now.get("state") not in LIVE:
                return {}
            time.sleep(0.02)
        return self._never_came_up(job, said.said)

    def standing(
        self, record: Mapping[str, Any], paths: RunPaths, stalled_after_s: float
    ) -> tuple[State, str]:
        """Return how a run stands by looking at its processes, if they are of this machine."""
        state: State = record["state"]
        reason = str(record.get("reason") or "")
        silent_s = max(0.0, time.time() - last_activity(paths))
        if record.get("host") != self._host.name:
            elsewhere = f"runs on {record.get('host')}"
            if silent_s > stalled_after_s and state != "queued":
                return "stalled", f"{elsewhere} and has written nothing for {span(silent_s)}"
            return state, reason or elsewhere
        if record.get("boot_id") != self._host.boot_id():
            return "lost", f"the machine was restarted while it was {state}{saved(paths, record)}"
        return self._standing_here(record, paths, (silent_s, stalled_after_s))

    def room_of(self, run: Run) -> str:
        """Return PID.NAME of the session; raises `AccessError` if it is another login's."""
        session = sessions.session_of(run, self._host)
        if session is None:
            sessions.refuse_others_login(run, self._host)
        return session.address if session else ""

    def rooms(self, runs: Sequence[Run]) -> list[Room]:
        """List the sessions of this login that are dlwa's."""
        folders = {sessions.folder_of(run) for run in runs}
        folders.add(sessions.socket_folder(self._host))
        for folder in folders:
            sessions.sweep(self._host, folder)
        listed = {one for folder in folders for one in sessions.list_sessions(self._host, folder)}
        return [
            Room(one.address, one.state, one.name)
            for one in sorted(listed, key=lambda one: one.address)
            if one.name.startswith(screen.PREFIX)
        ]

    def attach(self, run: Run) -> int:
        """Show the session until the viewer detaches or the run ends."""
        return sessions.attach(run, self._host)

    def check_reach(self, run: Run) -> None:
        """Raise `DlwaError` for a run of another machine, `AccessError` for another login's."""
        if run.record.get("host") != self._host.name:
            raise DlwaError(
                f"run={run.name} runs on {run.record.get('host')}, this is {self._host.name}",
                hint="log in there and stop it",
            )
        if run.wrapper:
            self._host.signal(run.wrapper, 0)  # another login's is refused before anything
            if not self._host.is_alive(run.wrapper) and is_locked(run.paths.lock):
                raise AccessError(
                    f"run={run.name} belongs to another login, whose processes are hidden here",
                    hint="log in as that one, or as root (sudo)",
                )

    def ask(self, run: Run) -> None:
        """Signal the wrapper, which passes it on; the job itself if the wrapper is gone."""
        if run.wrapper and self._host.is_alive(run.wrapper):
            self._host.signal(run.wrapper, signal.SIGTERM)
            self._host.signal(run.wrapper, signal.SIGCONT)
        elif run.child and self._host.is_alive(run.child):
            self._host.signal(run.child, signal.SIGTERM, group=True)
            self._host.signal(run.child, signal.SIGCONT, group=True)

    def computes(self, run: Run) -> bool:
        """Tell whether the job's process lives, perhaps without its wrapper."""
        return run.child is not None and self._host.is_alive(run.child)

    def kill(self, run: Run) -> None:
        """Kill the job; then, if it records nothing, the wrapper."""
        if run.child:
            self._host.signal(run.child, signal.SIGKILL, group=True)
        deadline = time.monotonic() + _AFTERWARDS_S
        while run.wrapper and self._host.is_alive(run.wrapper) and time.monotonic() < deadline:
            time.sleep(0.1)
        if run.wrapper:
            self._host.signal(run.wrapper, signal.SIGKILL)

    def close(self, run: Run, by: str) -> None:
        """End the session, unless the wrapper lives on in it."""
        if run.wrapper is None or not self._host.is_alive(run.wrapper):
            sessions.close(run, self._host)
            sessions.wipe(run, self._host)

    def _standing_here(
        self, record: Mapping[str, Any], paths: RunPaths, silence: tuple[float, float]
    ) -> tuple[State, str]:
        state: State = record["state"]
        wrapper, child = process_in(record, "pid"), process_in(record, "child_pid")
        if wrapper is None:
            age_s = time.time() - float(record.get("created_at") or 0)
            young = 0 <= age_s < COMES_UP_WITHIN_S
            if young or is_locked(paths.start_lock):
                return state, str(record.get("reason") or "")
            return "lost", "its session never came up"
        # /proc may hide another login's processes; the lock that the wrapper holds cannot be hidden
        if not self._host.is_alive(wrapper) and not is_locked(paths.lock):
            again = runfiles.read_json(paths.record) or {}
            if again.get("state", state) not in LIVE:  # it ended while we looked
                return again["state"], str(again.get("reason") or "")
            return "lost", self._why_lost(wrapper, child) + saved(paths, record)
        if processes.is_paused(wrapper.pid) or (child and processes.is_paused(child.pid)):
            return "stalled", "it was halted by a signal (SIGSTOP or Ctrl-Z); kill -CONT resumes it"
        silent_s, stalled_after_s = silence
        if state == "running" and silent_s > stalled_after_s:
            return "stalled", f"it has written nothing for {span(silent_s)}"
        return state, str(record.get("reason") or "")

    def _why_lost(self, wrapper: ProcessId, child: ProcessId | None) -> str:
        if child and self._host.is_alive(child):
            return (
                f"its wrapper (pid {wrapper.pid}) was killed; the job (pid {child.pid}) still runs"
            )
        return f"its wrapper (pid {wrapper.pid}) was killed before it could record the end"

    def _never_came_up(self, job: Job, said: str) -> dict[str, Any]:
        paths = RunPaths(job.folder, job.kind)
        reason = f"its screen session did not come up: {said or 'screen gave no reason'}"
        record = runfiles.read_json(paths.record) or {}
        runfiles.write_json(
            paths.record, {**record, "state": "failed", "reason": reason, "ended_at": time.time()}
        )
        raise DlwaError(
            f"{job.kind} of {job.name} was not started: {reason}", hint="./dlwa.py doctor"
        )
