"""What runs inside a session or a Slurm job: `python -m dlwa.actions.wrapper RUN_FOLDER`.

Waits for its turn, claims a GPU or the CPU, starts the job, copies its output to the log and
the terminal, passes on requests to stop, and records how it ended. It is the only writer of the
record while it lives. Standard library only, so that it is up at once and cannot break with the
job's packages.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

from dlwa import runfiles
from dlwa.actions import receipts
from dlwa.actions._aside import settle
from dlwa.actions._outcome import Ending, Outcome, judge
from dlwa.actions._record import Record, record_breakdown
from dlwa.actions._rooms import NoShareError, Share, room_of, wait_until_recorded
from dlwa.actions._run import Run
from dlwa.actions._tee import Tee
from dlwa.hosts import processes
from dlwa.hosts.local import (
    LocalHost,
    end_left_behind,
    end_with_parent,
    exit_code_of,
    signal_child,
    start_child,
)
from dlwa.locks import FileLock
from dlwa.shell import Command, join
from dlwa.tools import screen
from dlwa.workspace import RunPaths

TICK_S = 0.2
GRACE_S = 120.0  # what a job gets to save, when nobody said otherwise
_LEFT_BEHIND_S = 2.0
_PROBED_S = 1.0  # who looks whether a run lives here holds its lock for an instant
_FROM_OUTSIDE = "a signal from outside dlwa asked it to stop (logout, shutdown?)"


class Wrapper:
    """One run from its turn in the line to its end."""

    def __init__(self, folder: Path) -> None:
        kind = str((runfiles.read_json(folder / runfiles.RECORD_FILE) or {}).get("kind", "run"))
        self.paths = RunPaths(folder, kind)
        self.record = Record(self.paths)
        self.host = LocalHost()
        self.tee = Tee(self.paths.log, sys.stdout.fileno() if sys.stdout.isatty() else None)
        self.room = room_of(self.record, self.tee, self.host)
        self.child: subprocess.Popen[bytes] | None = None
        self.stop_reason = ""
        self.stop_signal: int | None = None  # what asked, if nobody asked by name
        self.kill_at: float | None = None
        self.was_killed = False
        self.detach_wanted = False

    def run(self) -> int:
        """Do it all and return the job's exit code."""
        lock = FileLock(self.paths.lock)
        if not lock.try_acquire(within_s=_PROBED_S):
            print(f"another run holds {self.paths.folder}", file=sys.stderr)
            return 1
        self._listen()
        self._announce()
        try:
            share = self.room.wait(self._is_asked_to_stop)
            if share is None:
                return self._end(Outcome("stopped", f"{self.stop_reason}, while waiting"), None)
            return self._work(share)
        except NoShareError as error:
            return self._end(Outcome("failed", error.reason, error.hint), None)
        finally:
            self.room.leave()
            lock.release()

    def _is_asked_to_stop(self) -> bool:
        self._do_what_was_asked()
        return bool(self.stop_reason)

    def _announce(self) -> None:
        me = self.host.identify(os.getpid())
        self.record.update(
            pid=os.getpid(),
            pid_start=me.start if me else None,
            host=self.host.name,
            boot_id=self.host.boot_id(),
            **self.room.address(),
            state="queued",
            reason="",
        )
        self.tee.say(f"run {self.record.values.get('id')}: {self.record.values.get('name')}")

    def _work(self, share: Share) -> int:
        command = self._command(share)
        kills_before = processes.out_of_memory_kills()
        self.record.begin(gpu_uuids=list(share.uuids))
        self.tee.say(f"started {time.strftime('%Y-%m-%d %H:%M:%S')}: {join(command.argv)}")
        try:
            self.child = start_child(command, end_with_parent)
        except OSError as error:
            code = exit_code_of(error)
            where = f" in {command.cwd}" if command.cwd and not command.cwd.is_dir() else ""
            reason = f"{command.argv[0]} cannot be started{where}: {error.strerror}"
            return self._end(Outcome("failed", reason), code)
        self._record_child()
        code = self._follow()
        ending = Ending(
            code=code,
            output=self.tee.recent.decode("utf-8", "replace"),
            stop_reason=self.stop_reason,
            was_killed=self.was_killed,
            ran_out_of_memory=processes.out_of_memory_kills() > kills_before,
            disk_full=self.tee.disk_full,
        )
        return self._end(judge(ending, self.paths, self.paths.kind, self.record.values), code)

    def _command(self, share: Share) -> Command:
        values = self.record.values
        env: dict[str, str | None] = {
            "PYTHONUNBUFFERED": "1",
            "DLWA_RUN_DIR": str(self.paths.folder),
            **share.env,
        }
        env.update(values.get("env") or {})
        self.record.update(env=env)
        cwd = values.get("cwd")
        return Command(tuple(values["command"]), env, Path(cwd) if cwd else None)

    def _record_child(self) -> None:
        assert self.child is not None
        child = self.host.identify(self.child.pid)
        self.record.update(
            state="running",
            child_pid=self.child.pid,
            child_pid_start=child.start if child else None,
        )
        if self.stop_reason:  # asked between the turn and the start
            self._signal_job(signal.SIGTERM)

    def _follow(self) -> int:
        """Copy the output until the job ends; keep deadlines. Returns its exit code."""
        assert self.child is not None and self.child.stdout is not None
        pipe = self.child.stdout.fileno()
        hours = self.room.hours()
        ends_at = time.monotonic() + hours * 3600 if hours else None
        open_pipe = True
        while (code := self.child.poll()) is None:
            if open_pipe:
                open_pipe = self._copy(pipe, TICK_S)
            else:
                time.sleep(TICK_S)
            self._do_what_was_asked()
            if ends_at and time.monotonic() > ends_at and not self.stop_reason:
                self._ask_to_stop(f"it reached the limit of {hours:g} h; train again to go on")
        end_left_behind(self.child, _LEFT_BEHIND_S)
        deadline = time.monotonic() + _LEFT_BEHIND_S
        while open_pipe and time.monotonic() < deadline:
            open_pipe = self._copy(pipe, 0.0) and bool(select.select([pipe], [], [], TICK_S)[0])
        return code

    def _copy(self, pipe: int, wait_s: float) -> bool:
        """Copy what there is; False when the pipe has ended."""
        if not select.select([pipe], [], [], wait_s)[0]:
            return True
        data = os.read(pipe, 65536)
        if data:
            self.tee.write(data)
        return bool(data)

    def _do_what_was_asked(self) -> None:
        set_by_s = self.record.mind_clock()
        if set_by_s:
            self.tee.say(f"the clock was set by {set_by_s:+.0f} s")
        if self.kill_at is not None and time.monotonic() > self.kill_at:
            self.was_killed = True
            self.kill_at = None
            self._signal_job(signal.SIGKILL)
        if self.detach_wanted:
            self.detach_wanted = False
            self._detach_viewers()

    def _detach_viewers(self) -> None:
        self.tee.say("Ctrl-C leaves the run alone; to stop it: ./dlwa.py stop")
        for session in screen.parse_list(f"\t{os.environ.get('STY', '')}\t(Attached)"):
            argv = (screen.PROGRAM, "-S", session.address, "-X", "detach")
            self.host.run(Command(argv), timeout_s=5)

    def _end(self, outcome: Outcome, code: int | None) -> int:
        later = self.room.goes_on_later(outcome, self.stop_signal)
        if later and not self.paths.stop_request.exists():
            wrong = self._hand_back(outcome, later)
            if not wrong:
                return 0
            outcome = replace(outcome, reason=f"{outcome.reason}; it could not go on: {wrong}")
        outcome = settle(outcome, self.record.values.get("aside"))
        # first the log: who follows it reads until the record tells the end
        self._tell_end(outcome)
        self.record.finish(
            state=outcome.state,
            reason=outcome.reason,
            hint=outcome.hint,
            exit_code=code,
            ended_at=time.time(),
            queue=None,
        )
        self.paths.stop_request.unlink(missing_ok=True)
        self.tee.close()
        return code if code is not None and code >= 0 else 1

    def _tell_end(self, outcome: Outcome) -> None:
        self.tee.say(f"{outcome.state}" + (f": {outcome.reason}" if outcome.reason else ""))
        values = {
            **self.record.values,
            "ended_at": time.time(),
            "computed_s": self.record.computed_s(),
        }
        with suppress(Exception):  # a receipt that cannot be written changes no run's end
            told = receipts.in_a_line(Run(self.paths, values, "finished", ""))
            if told:
                self.tee.say(told)

    def _hand_back(self, outcome: Outcome, later: str) -> str:
        """Record that the run waits for another turn and ask for it; return what went wrong."""
        self.record.pause(outcome.reason, later)
        self.tee.say(f"{outcome.reason}; {later}")
        wrong = self.room.hand_back()
        if wrong:
            self.record.unpause()
        else:
            self.tee.close()
        return wrong

    def _listen(self) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGHUP, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        for signum in self.room.signals:
            signal.signal(signum, self._on_signal)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)

    def _on_signal(self, signum: int, _: FrameType | None) -> None:
        if signum == signal.SIGINT and os.environ.get("STY"):
            self.detach_wanted = True
        elif signum == signal.SIGHUP:
            self.tee.forget_terminal()
            self._ask_to_stop("its screen session was closed")
        else:
            reason = self.room.signals.get(signum, _FROM_OUTSIDE)
            self._ask_to_stop(reason, signum)

    def _ask_to_stop(self, reason: str, signum: int | None = None) -> None:
        request = runfiles.read_json(self.paths.stop_request)
        grace_s = self.room.grace_s or GRACE_S
        if request:
            reason = f"stopped by {request.get('by', 'somebody')}"
            grace_s = float(request.get("grace_s", GRACE_S))
        if request or not self.stop_reason:
            self.stop_reason, self.stop_signal = reason, None if request else signum
        until = time.monotonic() + grace_s
        self.kill_at = until if self.kill_at is None else min(self.kill_at, until)
        self._signal_job(signal.SIGTERM)

    def _signal_job(self, signum: int) -> None:
        if self.child is not None:
            signal_child(self.child, signum)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the wrapper on the folder named; what breaks in it is recorded as a failed run."""
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) != 1 or not (Path(words[0]) / runfiles.RECORD_FILE).is_file():
        print("usage: python -m dlwa.actions.wrapper RUN_FOLDER (with a run.json)", file=sys.stderr)
        return 2
    folder = Path(words[0]).resolve()
    if not wait_until_recorded(folder):
        print(f"{folder} belongs to another run by now", file=sys.stderr)
        return 1
    try:
        return Wrapper(folder).run()
    except Exception as error:  # whatever it is, the record must not say "running"
        record_breakdown(folder, error)
        raise


if __name__ == "__main__":
    sys.exit(main())
