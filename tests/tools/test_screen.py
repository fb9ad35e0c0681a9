"""screen's words: building and parsing, nothing started."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlwa.tools import screen
from dlwa.tools.screen import Session

LISTING = (
    "There are screens on:\n"
    "\t7592.dlwa.ann.violin.1a2b3c4d\t(11/21/26 08:01:28)\t(Detached)\n"
    "\t7593.dlwa.ann.violin.1a2b3c4d0\t(11/21/26 08:01:28)\t(Attached)\n"
    "\t80.my run [1]\t(11/21/26 08:01:28)\t(Dead ???)\n"
    "\t81.plain\t(Multi, attached)\n"
    "\t82.dateless\t(Detached)\n"
    "Remove dead screens with 'screen -wipe'.\n5 Sockets in /run/screen/S-ann.\n"
)


def test_every_kind_of_row_is_read() -> None:
    assert screen.parse_list(LISTING) == [
        Session(7592, "dlwa.ann.violin.1a2b3c4d", "detached"),
        Session(7593, "dlwa.ann.violin.1a2b3c4d0", "attached"),
        Session(80, "my run [1]", "dead"),
        Session(81, "plain", "attached"),
        Session(82, "dateless", "detached"),
    ]


@pytest.mark.parametrize("text", ["", "No Sockets found in /tmp/x.\n\n", "garbage\t(x)\n"])
def test_no_rows_are_no_sessions(text: str) -> None:
    assert screen.parse_list(text) == []


def test_every_command_on_a_session_names_it_in_full() -> None:
    session = Session(12, "run1", "detached")
    for argv in (
        screen.attach_argv(session),
        screen.quit_argv(session),
        screen.wipe_argv(session),
    ):
        assert "12.run1" in argv and "run1" not in argv


@given(st.text(max_size=120), st.text(max_size=120))
def test_a_session_name_is_short_safe_and_ends_with_the_id(owner: str, title: str) -> None:
    name = screen.session_name(owner, title, "1a2b3c4d")
    assert len(name) <= screen.MAX_NAME
    assert name.startswith("dlwa.") and name.endswith(".1a2b3c4d")
    assert all(char.isascii() and (char.isalnum() or char in "._-") for char in name)


def test_a_name_is_shortened_until_its_socket_fits() -> None:
    folder = Path("/tmp/" + "d" * 60)
    name = screen.session_name("ann", "v" * 64, "1a2b3c4d", folder)
    assert screen.fits(folder, name) and name.endswith(".1a2b3c4d")
    assert not screen.fits(Path("/" + "d" * 95), screen.session_name("a", "b", "1a2b3c4d"))


@pytest.mark.parametrize(
    "text",
    [
        "Directory /tmp/x must have mode 700.\n",
        "Cannot make directory '/run/screen': Permission denied\n",
        "Cannot access /run/screen\n",
    ],
)
def test_a_bad_socket_folder_is_recognised(text: str) -> None:
    assert screen.problem_of(text) == text.strip()
    assert screen.problem_of(LISTING) == ""
