"""The far end's own pipes."""

import contextlib
import fcntl
import functools
import io
import os
import threading

import pytest

from dlwa.actions.sync.wire import MANY_PACKETS, FunctionPipe, Wire
from dlwa.cli import _serve
from dlwa.errors import NetworkError


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="only Linux has wide pipes")
def test_pipes_hold_a_mebibyte_and_what_is_no_pipe_is_left_alone(tmp_path):
    reading, writing = os.pipe()
    try:
        _serve._widen(writing)
        assert fcntl.fcntl(reading, fcntl.F_GETPIPE_SZ) == 1 << 20
    finally:
        os.close(reading)
        os.close(writing)
    with (tmp_path / "file").open("w") as stream:
        _serve._widen(stream.fileno())


@pytest.mark.parametrize("size", [1, 32768, (1 << 21) - 5, (1 << 21) + 1, 5_000_000])
@pytest.mark.parametrize("kind", ["a file", "memory", "a file that shrinks"])
def test_what_is_read_of_a_file_arrives_as_it_was_read(tmp_path, kind, size):
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    reading, writing = os.pipe()
    got: list[bytes] = []

    def receive() -> None:
        wire = Wire(FunctionPipe(lambda limit: os.read(reading, limit), lambda _: None))
        with contextlib.suppress(NetworkError):  # the end
            while True:
                got.append(bytes(wire.receive()))

    def write(piece: memoryview) -> None:
        if kind.endswith("shrinks"):  # after it was read, before it is copied
            os.truncate(tmp_path / "file", 0)
        while piece:
            piece = piece[os.write(writing, piece) :]

    receiver = threading.Thread(target=receive)
    receiver.start()
    pipe = FunctionPipe(lambda _: b"", write, functools.partial(_serve._copy, writing))
    wire, read, frames = Wire(pipe, MANY_PACKETS), b"", 0
    with io.BytesIO(data) if kind == "memory" else (tmp_path / "file").open("rb") as stream:
        while piece := bytes(wire.send_piece_of(stream, size)):
            read, frames = read + piece, frames + 1
    os.close(writing)
    receiver.join(timeout=10)
    os.close(reading)
    assert b"".join(got) == read == data[: len(read)] and read
    assert len(read) == size or kind.endswith("shrinks")
    assert wire.sent_bytes == len(read) + 5 * frames
