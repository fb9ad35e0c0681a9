"""This machine."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from dlwa.errors import AccessError
from dlwa.hosts import processes
from dlwa.hosts.base import Completed, ProcessId
from dlwa.shell import Command

NOT_FOUND = 127
NOT_EXECUTABLE = 126
TIMED_OUT = 124


class LocalHost:
    """Runs commands on this machine."""

    def __init__(self) -> None:
        self.name = socket.gethostname()

    def which(self, program: str) -> str | None:
        """Return the full path of a program, or None."""
        return shutil.which(program)

    def run(self, command: Command, timeout_s: float = 20.0) -> Completed:
        """Run to its end without a terminal and collect what it says; never raises for that."""
        try:
            done = subprocess.run(
                command.argv,
                env=environment(command),
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            said = f"{command.argv[0]} did not answer within {timeout_s:g} s"
            return Completed(TIMED_OUT, _text(error.stdout), said)
        except OSError as error:
            # a closed folder on PATH makes the system say "denied" of a program that is not there
            absent = isinstance(error, PermissionError) and self.which(command.argv[0]) is None
            code = NOT_FOUND if absent else exit_code_of(error)
            return Completed(code, "", f"{command.argv[0]}: {error.strerror}")
        return Completed(done.returncode, _text(done.stdout), _text(done.stderr))

    def attach(self, command: Command) -> int:
        """Give this terminal to a program until it ends and return its exit code."""
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's
        try:
            with subprocess.Popen(
                command.argv,
                env=environment(command),
                cwd=command.cwd,
                preexec_fn=_in_the_foreground if os.name == "posix" else None,
            ) as program:
                return program.wait()
        except OSError as error:
            return exit_code_of(error)
        finally:
            signal.signal(signal.SIGINT, previous)

    def boot_id(self) -> str:
        """Return what changes with every start of the machine."""
        return processes.boot_id()

    def identify(self, pid: int) -> ProcessId | None:
        """Return the identity of a living process, None if there is none."""
        return processes.identify(pid)

    def is_alive(self, process: ProcessId) -> bool:
        """Tell whether exactly this process lives (a zombie does not)."""
        return processes.identify(process.pid) == process

    def signal(self, process: ProcessId, signum: int, *, group: bool = False) -> bool:
        """Send a signal to exactly this process, or its process group; False if it is gone.

        Raises `AccessError` for a process of another login.
        """
        if not self.is_alive(process):
            return False
        try:
            if group:
                os.killpg(os.getpgid(process.pid), signum)
            else:
                os.kill(process.pid, signum)
        except ProcessLookupError:
            return False
        except PermissionError:
            login = processes.user_of(process.pid) or "another login"
            raise AccessError(
                f"process {process.pid} belongs to {login}, this is {processes.login()}",
                hint="log in as that one, or as root (sudo)",
            ) from None
        return True


def start_child(
    command: Command, before_exec: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, its output together in one pipe.

    The group is what stops as one; the pipe is read by the caller. Raises `OSError` when the
    program cannot be started.
    """
    return subprocess.Popen(
        command.argv,
        env=environment(command),
        cwd=command.cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        process_group=0,
        preexec_fn=before_exec if os.name == "posix" else None,
    )


def signal_child(child: subprocess.Popen[bytes], signum: int) -> None:
    """Send a signal to a child of `start_child` and its whole group, also if it was suspended."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signum)
            os.killpg(child.pid, signal.SIGCONT)


def end_left_behind(child: subprocess.Popen[bytes], patience_s: float) -> None:
    """End what a child of `start_child` left in its group: SIGTERM, after a while SIGKILL."""
    deadline = time.monotonic() + patience_s
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            time.sleep(0.05)
            os.killpg(child.pid, 0)
        os.killpg(child.pid, signal.SIGKILL)


def end_with_parent() -> None:
    """Ask the kernel to send SIGTERM to this process when its parent dies (Linux only).

    Called in a child before it becomes another program, so that a job whose wrapper was killed
    saves and stops instead of computing on unseen.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM, 0, 0, 0)


def environment(command: Command) -> dict[str, str]:
    """This process's environment with a command's changes applied."""
    merged: dict[str, str | None] = {**os.environ, **command.env}
    return {name: value for name, value in merged.items() if value is not None}


def exit_code_of(error: OSError) -> int:
    """The exit code a shell gives when a program cannot be started."""
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


def _in_the_foreground() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent()


def _text(data: bytes | str | IO[bytes] | None) -> str:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else ""
