"""The two ends of push and fetch joined by a socket, for tests."""

import contextlib
import socket
import threading
from pathlib import Path

from dlwa.actions.sync import far, files, near, wire
from dlwa.errors import NetworkError
from dlwa.labs import Limits
from dlwa.settings import Settings

QUIET = near.Shown(lambda *_: None, lambda _: None, lambda *_: None)


@contextlib.contextmanager
def connected(root: Path, limits: Limits | None = None, owner: str = "ann"):
    """A wire to a far end that serves a workspace."""
    here, there = socket.socketpair()
    settings = Settings(owner, root, origins={"owner": "test"})
    served = wire.Wire(wire.FunctionPipe(there.recv, there.sendall))

    def serve() -> None:
        with there, contextlib.suppress(OSError):
            far.serve(served, settings, limits or Limits())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with here:
        yield wire.Wire(wire.FunctionPipe(here.recv, here.sendall))
    thread.join(5)


@contextlib.contextmanager
def played(play):
    """A wire to a partner that does what `play(wire)` does."""
    here, there = socket.socketpair()

    def run() -> None:
        with there, contextlib.suppress(OSError, NetworkError):
            play(wire.Wire(wire.FunctionPipe(there.recv, there.sendall)))

    threading.Thread(target=run, daemon=True).start()
    with here:
        yield wire.Wire(wire.FunctionPipe(here.recv, here.sendall))


def send(root: Path, folder: Path, **more) -> near.Result:
    listed = files.scan(folder, lambda path: True)
    with connected(root, more.pop("limits", None)) as one:
        request = {"home": "inputs", "name": "ann/violin", **more.pop("request", {})}
        return near.push(one, folder, listed, request, QUIET, **more)
