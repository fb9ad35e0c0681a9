"""The socket below a connection, read as paramiko is best served."""

import contextlib
import socket
import time
from typing import Any

_AHEAD_BYTES = 1 << 18
_TALK_BYTES = 1 << 15  # what a login and the start of a command take, and more
_ACKNOWLEDGE = getattr(socket, "TCP_QUICKACK", None)  # Linux


class Socket:
    """A TCP socket, or what a jump gives instead of one, that remembers when it was last heard.

    paramiko asks for each packet in two small pieces; they are served from what was read ahead.
    In the talk at the beginning every packet is acknowledged at once: a server holds its answer
    back until it knows that its last word arrived, and waiting for that costs 40 ms.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._is_tcp = isinstance(sock, socket.socket)
        self._room = memoryview(bytearray(_AHEAD_BYTES if self._is_tcp else 0))
        self._ahead = self._room[:0]
        self._heard_s = time.monotonic()
        self._talk_left = _TALK_BYTES if _ACKNOWLEDGE is not None else 0

    def recv(self, size: int) -> bytes:
        """Receive between one and `size` bytes, none at the end."""
        if not self._is_tcp:
            data: bytes = self._sock.recv(size)
            self._heard_s = time.monotonic()
            return data
        if not self._ahead:
            self._read_ahead()
        some, self._ahead = self._ahead[:size], self._ahead[size:]
        return bytes(some)

    @property
    def silent_s(self) -> float:
        """How long nothing has come."""
        return time.monotonic() - self._heard_s

    def _read_ahead(self) -> None:
        count = self._sock.recv_into(self._room)
        self._heard_s = time.monotonic()
        self._ahead = self._room[:count]
        if self._talk_left > 0:
            self._talk_left -= count
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.IPPROTO_TCP, _ACKNOWLEDGE, 1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
