"""What has come through a channel and was not read yet."""

import threading

from paramiko.buffered_pipe import PipeTimeout

_FIRST_BYTES = 1 << 16


class Inbox:
    """Stands in for paramiko's `BufferedPipe`, which copies what it holds at every reading.

    There are two rooms: one is filled while the other is read. They grow to what the window of a
    channel lets in, and stay: memory that is fetched anew costs as much as copying.

    `lends`: what is read is a view, good until the next reading, instead of a copy.
    """

    def __init__(self, *, lends: bool = False) -> None:
        self._lends = lends
        self._filled, self._count = bytearray(_FIRST_BYTES), 0
        self._read, self._rest = bytearray(_FIRST_BYTES), memoryview(b"")
        self._changed = threading.Condition()
        self._is_closed = False
        self._readable: threading.Event | None = None

    def feed(self, data: bytes | memoryview) -> None:
        """Add a packet; called by paramiko's thread."""
        with self._changed:
            was_empty = self._count == 0
            end = self._count + len(data)
            if end > len(self._filled):
                self._filled = _larger(self._filled, end)
            self._filled[self._count : end] = data
            self._count = end
            if was_empty:
                self._tell()

    def close(self) -> None:
        """Nothing more will come; what is there can still be read."""
        with self._changed:
            self._is_closed = True
            self._tell()

    def read(self, nbytes: int, timeout: float | None = None) -> bytes | memoryview:
        """Wait for something; between one and `nbytes` bytes, none at the end.

        Raises `PipeTimeout` if nothing came in time.
        """
        with self._changed:
            if not self._rest:
                if not self._changed.wait_for(lambda: self._count or self._is_closed, timeout):
                    raise PipeTimeout
                self._turn()
            some, self._rest = self._rest[:nbytes], self._rest[nbytes:]
            self._tell()
        return some if self._lends else bytes(some)

    def empty(self) -> bytes:
        """All there is, without waiting."""
        with self._changed:
            some = bytes(self._rest) + self._filled[: self._count]
            self._rest, self._count = self._rest[:0], 0
            self._tell()
        return some

    def read_ready(self) -> bool:
        """Whether something can be read without waiting."""
        return bool(self._rest) or self._count > 0

    def set_event(self, event: threading.Event) -> None:
        """Keep an event set while reading would not wait."""
        with self._changed:
            self._readable = event
            self._tell()

    def __len__(self) -> int:
        with self._changed:
            return len(self._rest) + self._count

    def _turn(self) -> None:
        """Give what was filled to be read, and what was read to be filled."""
        self._filled, self._read = self._read, self._filled
        self._rest, self._count = memoryview(self._read)[: self._count], 0

    def _tell(self) -> None:
        there = self.read_ready() or self._is_closed
        if there:
            self._changed.notify_all()
        if self._readable is not None:
            (self._readable.set if there else self._readable.clear)()


def _larger(room: bytearray, needed: int) -> bytearray:
    """A room of at least that size with the same beginning; views of the old one stay good."""
    larger = bytearray(max(needed, 2 * len(room)))
    larger[: len(room)] = room
    return larger
