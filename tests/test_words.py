"""Text for people."""

import pytest

from dlwa.words import counted, printable, some, span


def test_one_is_no_plural() -> None:
    said = [counted(count, "file") for count in (0, 1, 2, 1000)]
    assert said == ["0 files", "1 file", "2 files", "1000 files"]
    assert counted(1, "overlapping example") == "1 overlapping example"


def test_of_many_only_some_are_said() -> None:
    assert some([], 3) == ""
    assert some(["a", "b", "c"], 3) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"], 3) == "a, b, c and 2 more"


def test_text_from_elsewhere_steers_no_terminal():
    evil = "a\x1b[2Jb\tü\n\x9bc\u202e"
    assert printable(evil) == "a\ufffd[2Jb\ufffdü\ufffd\ufffdc\ufffd"
    assert printable(evil, instead="", kept="\n") == "a[2Jbü\nc"
    assert printable("") == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *((0, "0 s"), (5, "5 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min")),
        *((11_100, "3 h 5 min"), (86_400, "24 h"), (172_799, "2 d"), (190_800, "2 d 5 h")),
    ],
)
def test_lengths_of_time_as_one_says_them(seconds: float, said: str) -> None:
    assert span(seconds) == said
