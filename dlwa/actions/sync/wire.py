"""What goes over the pipe between two dlwas: JSON messages and pieces of files, in frames.

A frame is one byte of kind, four bytes of length, and the load. Both sides may send at once; the
order in each direction is kept.
"""

import json
import struct
from collections.abc import Callable
from typing import Any, Protocol

from dlwa.errors import NetworkError

PIECE_BYTES = 1 << 18
READ_BYTES = 1 << 22
MAX_MESSAGE_BYTES = 64 << 20
_HEAD = struct.Struct(">cI")
MESSAGE, PIECE = b"J", b"D"


class Pipe(Protocol):
    """A stream of bytes both ways."""

    def read(self, size: int) -> bytes:
        """Return between one and `size` bytes, none at the end."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of it."""
        ...


class Wire:
    """Frames over a pipe. Raises `NetworkError` when it ends in the middle of something."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe, self._rest, self._at = pipe, b"", 0
        self.sent_bytes = 0

    def send(self, **message: Any) -> None:
        """Send a message."""
        load = json.dumps(message, separators=(",", ":")).encode()
        self._write(_HEAD.pack(MESSAGE, len(load)) + load)

    def send_piece(self, data: bytes) -> None:
        """Send a piece of the file that was announced."""
        self._write(_HEAD.pack(PIECE, len(data)) + data)

    def receive(self) -> dict[str, Any] | bytes:
        """The next message, or the next piece."""
        kind, length = _HEAD.unpack(self._exactly(_HEAD.size))
        if kind == PIECE and length <= PIECE_BYTES:
            return self._exactly(length)
        if kind != MESSAGE or length > MAX_MESSAGE_BYTES:
            raise NetworkError("the other side does not speak our language", "is it the same dlwa?")
        message = json.loads(self._exactly(length))
        if not isinstance(message, dict):
            raise NetworkError("the other side does not speak our language", "is it the same dlwa?")
        return message

    def message(self) -> dict[str, Any]:
        """The next frame, which must be a message."""
        got = self.receive()
        if isinstance(got, bytes):
            raise NetworkError("the other side sent a piece of a file out of turn", "try again")
        return got

    def _write(self, data: bytes) -> None:
        self._pipe.write(data)
        self.sent_bytes += len(data)

    def _exactly(self, size: int) -> bytes:
        """The next bytes; much is read at once, because each reading has its price."""
        have = len(self._rest) - self._at
        if have >= size:
            data = self._rest[self._at : self._at + size]
            self._at += size
            return data
        parts = [self._rest[self._at :]]
        while have < size:
            data = self._pipe.read(READ_BYTES)
            if not data:
                raise NetworkError("the connection ended in the middle", "run the same again")
            parts.append(data)
            have += len(data)
        self._rest = b"".join(parts)
        self._at = size
        return self._rest[:size]


class FunctionPipe:
    """A pipe made of two functions."""

    def __init__(self, read: Callable[[int], bytes], write: Callable[[bytes], object]) -> None:
        self._read, self._write = read, write

    def read(self, size: int) -> bytes:
        """Return between one and `size` bytes, none at the end."""
        return self._read(size)

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self._write(data)
