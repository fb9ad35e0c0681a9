"""What has come through a channel and was not read yet."""

import threading
from collections import deque

from paramiko.buffered_pipe import PipeTimeout


class Inbox:
    """Stands in for paramiko's `BufferedPipe`, which copies each packet twice; here none is."""

    def __init__(self) -> None:
        self._packets: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._readable: threading.Event | None = None

    def feed(self, data: bytes) -> None:
        """Add a packet; called by paramiko's thread."""
        with self._changed:
            self._packets.append(data)
            self._tell()

    def close(self) -> None:
        """Nothing more will come; what is there can still be read."""
        with self._changed:
            self._is_closed = True
            self._tell()

    def read(self, nbytes: int, timeout: float | None = None) -> bytes:
        """Wait for something; between one and `nbytes` bytes, none at the end.

        Raises `PipeTimeout` if nothing came in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._packets or self._is_closed, timeout):
                raise PipeTimeout
            some = self._take(nbytes)
            self._tell()
        return some[0] if len(some) == 1 else b"".join(some)

    def empty(self) -> bytes:
        """All there is, without waiting."""
        with self._changed:
            some = b"".join(self._packets)
            self._packets.clear()
            self._tell()
        return some

    def read_ready(self) -> bool:
        """Whether something can be read without waiting."""
        return bool(self._packets)

    def set_event(self, event: threading.Event) -> None:
        """Keep an event set while reading would not wait."""
        with self._changed:
            self._readable = event
            self._tell()

    def __len__(self) -> int:
        with self._changed:
            return sum(map(len, self._packets))

    def _tell(self) -> None:
        there = bool(self._packets) or self._is_closed
        if there:
            self._changed.notify_all()
        if self._readable is not None:
            (self._readable.set if there else self._readable.clear)()

    def _take(self, limit: int) -> list[bytes]:
        some: list[bytes] = []
        while self._packets and limit > 0:
            packet = self._packets.popleft()
            some.append(packet[:limit])
            if len(packet) > limit:
                self._packets.appendleft(packet[limit:])
            limit -= len(packet)
        return some
