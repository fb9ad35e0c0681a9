"""The far end of push and fetch: stdin and stdout are the pipe, nothing else may use them."""

import functools
import os
import sys
from contextlib import suppress
from typing import BinaryIO

from dlwa.actions.sync import far
from dlwa.actions.sync.wire import MANY_PACKETS, FunctionPipe, Wire
from dlwa.errors import DlwaError, ExitCode
from dlwa.labs import read_lab
from dlwa.settings import load
from dlwa.workspace import share_with_group

_AT_ONCE_BYTES = 1 << 17
_PIPE_BYTES = 1 << 20  # the most that Linux gives to anybody


def serve() -> int:
    """Serve one laptop until it goes."""
    reading, writing = os.dup(0), os.dup(1)
    for end in (reading, writing):
        _widen(end)
    os.dup2(2, 1)  # what anything prints goes to stderr
    sys.stdin.close()

    def write(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(writing, view) :]

    try:
        settings = load()
        share_with_group(settings.root)
        limits = read_lab(settings.workspace.labs, settings.lab).limits
    except DlwaError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return int(error.exit_code)
    try:
        write(far.MAGIC)
        copy = functools.partial(_copy, writing)
        pipe = FunctionPipe(lambda size: os.read(reading, _AT_ONCE_BYTES), write, copy)
        far.serve(Wire(pipe, MANY_PACKETS), settings, limits)
    except (BrokenPipeError, ConnectionResetError):
        return int(ExitCode.NETWORK)
    return int(ExitCode.OK)


def _copy(writing: int, stream: BinaryIO, at: int, count: int) -> int:
    """Send bytes of a file without taking them in once more; none where that cannot be."""
    went = 0
    with suppress(OSError):  # what is made in memory, or a system without
        source = stream.fileno()
        while went < count and (some := os.sendfile(writing, source, at + went, count - went)):
            went += some
    return went


def _widen(end: int) -> None:
    """Let a pipe hold more, where that can be.

    What does not fit waits in sshd, whose buffer is copied whole each time it grows: that cost
    0.2 s before the first 2 MiB had arrived.
    """
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # this login has wide pipes enough
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
