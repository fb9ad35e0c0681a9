"""Whether the machine at the other end still lives, which TCP alone would not notice for hours.

What counts is when it was last heard at all. An answer to a question of ours may come late on a
narrow line, where megabytes that are being sent wait before the question.
"""

import threading
import time
from typing import Any

import paramiko


class Listening:
    """A socket that remembers when it last brought something."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._heard_s = time.monotonic()

    def recv(self, size: int) -> bytes:
        """Receive as the socket does."""
        data: bytes = self._sock.recv(size)
        self._heard_s = time.monotonic()
        return data

    @property
    def silent_s(self) -> float:
        """How long nothing has come."""
        return time.monotonic() - self._heard_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def stay_alive(
    transport: paramiko.Transport, closing: threading.Event, every_s: float, dead_after_s: float
) -> None:
    """Ask a machine that is silent whether it lives; close the connection if it stays silent."""
    sock: Any = transport.sock  # a Listening
    asking: threading.Thread | None = None
    while not closing.wait(every_s) and transport.is_active():
        if sock.silent_s > dead_after_s:
            transport.close()
        elif asking is None or not asking.is_alive():
            asking = threading.Thread(target=_ask, args=(transport,), daemon=True)
            asking.start()


def _ask(transport: paramiko.Transport) -> None:
    try:
        transport.global_request("keepalive@dlwa", wait=True)
    except (paramiko.SSHException, OSError, EOFError):
        return
