"""A program that is watched while it works: somebody looks at what it has done so far."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable

from dlwa.hosts.base import Completed
from dlwa.hosts.local import LocalHost, exit_code_of, start_child
from dlwa.shell import Command

_GRACE_S = 5.0


def run_attended(command: Command, look: Callable[[], None], every_s: float = 0.1) -> Completed:
    """Run a program to its end, calling `look` again and again; what it said is `out`.

    Whatever interrupts the waiting (Ctrl-C) ends the program first, and its children with it.
    """
    try:
        child = start_child(command)
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
