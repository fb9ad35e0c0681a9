"""The far end's own pipes."""

import fcntl
import os

import pytest

from dlwa.cli import _serve


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
