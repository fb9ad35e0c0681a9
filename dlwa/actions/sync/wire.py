"""What goes over the pipe between two dlwas: JSON messages and pieces of files, in frames.

A frame is one byte of kind, four bytes of length, and the load. Both sides may send at once; the
order in each direction is kept. Pieces are not copied on their way: they are read from the file
into the frame, and handed out as views of what the pipe brought.
"""

import json
import struct
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from dlwa.errors import NetworkError

PIECE_BYTES = 1 << 21
READ_BYTES = 1 << 22  # a channel's whole window: what has come is taken at once
MAX_MESSAGE_BYTES = 64 << 20
_HEAD = struct.Struct(">cI")
MESSAGE, PIECE = b"J", b"D"
# Frames fill packets of SSH to the last byte; one byte more would cost another packet.
_PACKET_BYTES = (1 << 15) - 64
FEW_PACKETS = 8  # what is sent shows in the progress soon
MANY_PACKETS = PIECE_BYTES // _PACKET_BYTES  # the other side works longer without a pause
Bytes = bytes | memoryview


# Sends bytes of a file from an offset on, within the kernel; returns how many went.
Copy = Callable[[BinaryIO, int, int], int]


class Pipe(Protocol):
    """A stream of bytes both ways."""

    copy: Copy | None

    def read(self, size: int) -> Bytes:
        """Return between one and `size` bytes, none at the end; good until the next reading."""
        ...

    def write(self, data: Bytes) -> None:
        """Send all of it."""
        ...


class Wire:
    """Frames over a pipe. Raises `NetworkError` when it ends in the middle of something."""

    def __init__(self, pipe: Pipe, packets: int = FEW_PACKETS) -> None:
        self._pipe = pipe
        self._rest = memoryview(b"")  # read from the pipe and not used yet
        self._piece_left = 0  # of the piece that is being received
        self._frame = memoryview(bytearray(packets * _PACKET_BYTES))
        self.sent_bytes = 0

    def send(self, **message: Any) -> None:
        """Send a message."""
        load = json.dumps(message, separators=(",", ":")).encode()
        self._write(_HEAD.pack(MESSAGE, len(load)) + load)

    def send_piece(self, data: bytes) -> None:
        """Send a piece of the file that was announced."""
        self._write(_HEAD.pack(PIECE, len(data)) + data)

    def send_piece_of(self, stream: BinaryIO, limit: int) -> memoryview:
        """Read a piece of a file and send it; a view of it, empty at the end, until the next."""
        room = self._frame[_HEAD.size :]
        count = stream.readinto(room[:limit])  # type: ignore[attr-defined]
        if count:
            _HEAD.pack_into(self._frame, 0, PIECE, count)
            self._write_frame(stream, _HEAD.size + count)
        return room[:count]

    def receive(self) -> dict[str, Any] | memoryview:
        """The next message, or some of a piece, to be used up before the next is received.

        Pieces may come in smaller ones.
        """
        while not self._piece_left:
            kind, length = _HEAD.unpack(self._exactly(_HEAD.size))
            if kind == MESSAGE and length <= MAX_MESSAGE_BYTES:
                return self._message(self._exactly(length))
            if kind != PIECE or length > PIECE_BYTES:
                raise NetworkError(
                    "the other side does not speak our language", "is it the same dlwa?"
                )
            self._piece_left = length
        some = self._some(self._piece_left)
        self._piece_left -= len(some)
        return some

    def message(self) -> dict[str, Any]:
        """The next frame, which must be a message."""
        got = self.receive()
        if not isinstance(got, dict):
            raise NetworkError("the other side sent a piece of a file out of turn", "try again")
        return got

    def _message(self, load: bytes) -> dict[str, Any]:
        try:
            message = json.loads(load)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise NetworkError("the other side does not speak our language", "is it the same dlwa?")
        return message

    def _write_frame(self, stream: BinaryIO, size: int) -> None:
        """Write the frame, whose piece was just read from a file."""
        done = 0
        if self._pipe.copy:
            self._write(self._frame[: _HEAD.size])
            count = size - _HEAD.size
            copied = self._pipe.copy(stream, stream.tell() - count, count)
            self.sent_bytes += copied
            done = _HEAD.size + copied
        if done < size:
            self._write(self._frame[done:size])

    def _write(self, data: Bytes) -> None:
        self._pipe.write(data)
        self.sent_bytes += len(data)

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            parts.append(bytes(self._some(size)))  # the next reading takes the view away
            size -= len(parts[-1])
        return b"".join(parts)

    def _some(self, limit: int) -> memoryview:
        """Between one and `limit` bytes; much is read at once: each reading has its price."""
        if not self._rest:
            self._rest = memoryview(self._pipe.read(READ_BYTES))
            if not self._rest:
                raise NetworkError("the connection ended in the middle", "run the same again")
        some, self._rest = self._rest[:limit], self._rest[limit:]
        return some


class FunctionPipe:
    """A pipe made of functions."""

    def __init__(
        self,
        read: Callable[[int], Bytes],
        write: Callable[[Any], object],
        copy: Copy | None = None,
    ) -> None:
        self._read, self._write, self.copy = read, write, copy

    def read(self, size: int) -> Bytes:
        """Return between one and `size` bytes, none at the end; good until the next reading."""
        return self._read(size)

    def write(self, data: Bytes) -> None:
        """Send all of it."""
        self._write(data)
