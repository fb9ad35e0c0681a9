"""The pipe to the far end of push and fetch: through SSH, or within this process."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from dlwa.actions.lab import far as far_line
from dlwa.actions.sync import far
from dlwa.actions.sync.near import error_of
from dlwa.actions.sync.wire import FunctionPipe, Wire
from dlwa.cli import options, output
from dlwa.cli._lab_door import open_lab
from dlwa.errors import DlwaError, NetworkError
from dlwa.hosts.base import Completed
from dlwa.hosts.ssh import Connection, close_channel
from dlwa.labs import Lab
from dlwa.settings import Settings
from dlwa.words import printable

_CHATTER_BYTES = 1 << 16
_AT_ONCE_BYTES = 1 << 18
_T = TypeVar("_T")
_R = TypeVar("_R")


@contextmanager
def open_wire(lab: Lab, settings: Settings, *, no_input: bool) -> Iterator[Wire]:
    """A wire to a lab's workspace, this machine's own if the lab is local."""
    if lab.is_local:
        with _own_wire(settings) as wire:
            yield wire
        return
    with open_lab(lab, no_input=no_input) as connection, _far_wire(lab, connection) as wire:
        yield wire


@contextmanager
def _own_wire(settings: Settings) -> Iterator[Wire]:
    near, there = socket.socketpair()
    limits = options.lab(settings).limits

    def serve() -> None:
        pipe = FunctionPipe(_at_once(there), there.sendall)
        with there, suppress(OSError):
            far.serve(Wire(pipe), settings, limits)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    with near:
        yield Wire(FunctionPipe(_network(_at_once(near)), _network(near.sendall)))
    server.join(timeout=5.0)


def _at_once(sock: socket.socket) -> Callable[[int], bytes]:
    """Read from a socket no more than it holds: room is made for all that is asked for."""
    return lambda size: sock.recv(min(size, _AT_ONCE_BYTES))


@contextmanager
def _far_wire(lab: Lab, connection: Connection) -> Iterator[Wire]:
    settings = options.settings()
    owner = settings.owner if settings.owner_is_known else ""
    line = far_line.command_line(lab, ("_sync",), owner, {})
    channel = connection.open_channel(line, lends=True)
    said = bytearray()

    def listen() -> None:
        with suppress(OSError, EOFError):
            while data := channel.recv_stderr(1 << 15):
                said.extend(data)
                del said[:-_CHATTER_BYTES]

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        rest = _skip_chatter(_network(channel.recv))
        if rest is None:
            listener.join(timeout=2.0)
            raise _why(lab, connection.exit_code(channel), bytes(said))
        first = [rest]

        def read(size: int) -> bytes:
            return first.pop() if first and first[0] else _network(channel.recv)(size)

        def write(data: bytes | memoryview) -> None:
            # sendall cuts off what it has sent: of bytes it would make a copy each time
            channel.sendall(memoryview(data))  # type: ignore[arg-type]

        yield Wire(FunctionPipe(read, _network(write)))
    finally:
        close_channel(channel)


def _skip_chatter(read: Callable[[int], bytes]) -> bytes | None:
    """Pass over what login scripts print before the far end speaks; None if it never does."""
    seen = b""
    while far.MAGIC not in seen:
        data = read(1 << 15)
        if not data or len(seen) > _CHATTER_BYTES:
            return None
        seen += data
    return seen.partition(far.MAGIC)[2]


def _why(lab: Lab, code: int, said: bytes) -> DlwaError:
    text = said.decode("utf-8", "replace")
    refused = far_line.refusal(lab, Completed(code, "", text))
    told = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    if not refused and "error" in told:
        return error_of(code, told["error"], told.get("hint", ""))
    last = printable(text.strip()[-500:], instead="", kept="\n")
    if code == 0:
        last = "this login runs a command of its own (command= in its authorized_keys?)"
    return refused or DlwaError(
        f"lab={lab.name}: dlwa does not start there: {last or f'it ended with {code}'}",
        f"{output.LAUNCHER} lab check {lab.name}",
    )


def _network(function: "Callable[[_T], _R]") -> "Callable[[_T], _R]":
    """The same function, whose failures are lost connections."""

    def guarded(value: _T) -> _R:
        try:
            return function(value)
        except (OSError, EOFError) as error:
            raise NetworkError(
                f"the connection was lost ({error or type(error).__name__})", "run the same again"
            ) from error

    return guarded
