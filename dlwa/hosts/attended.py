"""A program that is watched while it works: somebody looks at what it has done so far."""

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from dlwa.hosts.base import Completed
from dlwa.hosts.local import LocalHost, end_with_parent, exit_code_of, start_child
from dlwa.shell import Command

_GRACE_S = 5.0
# a closed terminal, a dropped connection, a kill; Windows knows no SIGHUP
_ENDINGS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextlib.contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Make SIGTERM and SIGHUP a KeyboardInterrupt for the time of the block, once.

    What follows the first is not heard, so that cleaning up is not cut short. Outside the main
    thread, and for signals that somebody ignores (nohup), nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []

    def interrupt(signum: int, _frame: FrameType | None) -> None:
        heard.append(signum)
        if len(heard) == 1:
            raise KeyboardInterrupt

    mine = [one for one in _ENDINGS if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, interrupt) for one in mine}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def run_attended(command: Command, look: Callable[[], None], every_s: float = 0.1) -> Completed:
    """Run a program to its end, calling `look` again and again; what it said is `out`.

    Whatever interrupts the waiting (Ctrl-C) ends the program first, and its children with it. If
    this process is killed outright, the program gets SIGTERM (Linux).
    """
    try:
        child = start_child(command, end_with_parent)
    except OSError as error:
        said = f"{command.argv[0]}: {error.strerror}"
        return Completed(exit_code_of(error), said)
    parts: list[bytes] = []
    reader = threading.Thread(target=_read, args=(child, parts), daemon=True)
    reader.start()
    try:
        while child.poll() is None:
            look()
            time.sleep(every_s)
    except BaseException:
        _end(child)
        raise
    reader.join(timeout=_GRACE_S)
    return Completed(child.returncode, b"".join(parts).decode("utf-8", "replace"))


def _read(child: subprocess.Popen[bytes], parts: list[bytes]) -> None:
    pipe = child.stdout
    while pipe is not None and (data := pipe.read(1 << 16)):
        parts.append(data)


def _end(child: subprocess.Popen[bytes]) -> None:
    host = LocalHost()
    process = host.identify(child.pid)
    for signum in (signal.SIGINT, signal.SIGKILL):
        if process:
            host.signal(process, signum, group=True)
        try:
            child.wait(timeout=_GRACE_S)
            return
        except subprocess.TimeoutExpired:
            continue
