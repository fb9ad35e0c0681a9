"""The socket below a connection, read as paramiko is best served."""

import contextlib
import socket
import time
from typing import Any

AHEAD_BYTES = (1 << 18) + (1 << 12)  # more than OpenSSH's longest packet
_TALK_BYTES = 1 << 15  # what a login and the start of a command take, and more
_ACKNOWLEDGE = getattr(socket, "TCP_QUICKACK", None)  # Linux


class Socket:
    """A TCP socket, or what a jump gives instead of one, that remembers when it was last heard.

    Packets are small; they are served from what was read ahead. In the talk at the beginning every
    packet is acknowledged at once: a server holds its answer back until it knows that its last word
    arrived, and waiting for that costs 40 ms.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._is_tcp = isinstance(sock, socket.socket)
        self._room = memoryview(bytearray(AHEAD_BYTES))
        self._start = self._end = 0
        self._heard_s = time.monotonic()
        self._talk_left = _TALK_BYTES if self._is_tcp and _ACKNOWLEDGE is not None else 0

    def recv(self, size: int) -> bytes:
        """Receive between one and `size` bytes, none at the end."""
        if self._start == self._end and not self._read_ahead():
            return b""
        some = bytes(self._room[self._start : min(self._end, self._start + size)])
        self._start += len(some)
        return some

    def ahead(self, size: int) -> memoryview:
        """Wait until there are `size` bytes; a view of them, until the next call.

        Raises `EOFError` at the end.
        """
        while self._end - self._start < size:
            if not self._read_ahead():
                raise EOFError
        return self._room[self._start : self._start + size]

    def skip(self, size: int) -> None:
        """Go on after what was seen ahead."""
        self._start += size

    @property
    def silent_s(self) -> float:
        """How long nothing has come."""
        return time.monotonic() - self._heard_s

    def _read_ahead(self) -> int:
        there = self._end - self._start
        if self._start:
            self._room[:there] = self._room[self._start : self._end]
            self._start, self._end = 0, there
        if self._is_tcp:
            count: int = self._sock.recv_into(self._room[there:])
        else:
            data = self._sock.recv(len(self._room) - there)
            count = len(data)
            self._room[there : there + count] = data
        self._end += count
        self._heard_s = time.monotonic()
        if self._talk_left > 0:
            self._talk_left -= count
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.IPPROTO_TCP, _ACKNOWLEDGE, 1)
        return count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
