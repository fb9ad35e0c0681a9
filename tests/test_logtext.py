"""Reading what programs print."""

from pathlib import Path

import pytest

from dlwa.logtext import Lines, last_lines, plain_lines, reason_in


def test_of_a_line_drawn_over_the_last_drawing_stays() -> None:
    assert plain_lines("  1%\r 50%\r100%\ndone\r\n") == ["100%", "done", ""]


def test_colours_and_control_characters_go() -> None:
    assert plain_lines("\x1b[31mred\x1b[0m \x1b]0;title\x07x\x07") == ["red x"]


def test_lines_arrive_in_pieces() -> None:
    lines = Lines()
    assert lines.feed(b"a\nb") == ["a"]
    assert lines.pending == "b"
    assert lines.feed(b"\r 50%") == []
    assert lines.pending == " 50%"
    assert lines.feed("\r\u00e4".encode()[:2]) == [] and lines.feed(b"\xa4\n") == ["ä"]


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as stream:
        stream.truncate(1 << 32)  # 4 GB of nothing, sparse
        stream.seek(0, 2)
        stream.write(b"\nlast\n")
    assert last_lines(log, 1) == ["last"]
    assert last_lines(tmp_path / "none", 3) == []


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        (
            'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: x=3\n',
            "ValueError: x=3",
        ),
        (
            "tensorflow.errors.ResourceExhaustedError: OOM\nE0000 shutting down\n",
            "tensorflow.errors.ResourceExhaustedError: OOM",
        ),
        ("error: dataset has no records\nhint: make one\n", "error: dataset has no records"),
        ("KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("Errors are 0\nall good\n", "all good"),
    ],
)
def test_the_line_that_tells_why_it_failed(output: str, reason: str) -> None:
    assert reason_in(output) == reason
