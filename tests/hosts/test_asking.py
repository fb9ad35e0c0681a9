"""Who asks on the terminal: commands and scripts are refused alike where nobody is there."""

import io
import os

import pytest

from dlwa.cli._lab_door import TerminalAsker
from dlwa.errors import AccessError, UsageError
from dlwa.hosts import ssh

ASKERS = [ssh.OnTerminal, TerminalAsker]


@pytest.mark.parametrize("asker", ASKERS)
def test_nobody_is_there(asker: type[ssh.OnTerminal], monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(AccessError, match="nobody can be asked: Password") as caught:
        asker().secret("Password: ")
    assert "ssh-add" in caught.value.hint
    with pytest.raises(UsageError, match=r"nobody can be asked: Is it right\?"):
        asker().confirm("Is it right?")


@pytest.mark.parametrize("asker", ASKERS)
def test_who_wants_no_questions_gets_none(asker: type[ssh.OnTerminal], monkeypatch) -> None:
    there, here = os.openpty()
    with os.fdopen(here) as terminal, os.fdopen(there):
        monkeypatch.setattr("sys.stdin", terminal)
        with pytest.raises(AccessError, match="nobody can be asked"):
            asker(no_input=True).secret("Password: ")
        with pytest.raises(UsageError, match="nobody can be asked"):
            asker(no_input=True).confirm("Is it right?")


@pytest.mark.parametrize("asker", ASKERS)
@pytest.mark.parametrize(("typed", "agreed"), [(b"y\n", True), (b"\n", False), (b"nay\n", False)])
def test_an_answer_is_read_from_the_terminal(
    asker: type[ssh.OnTerminal], typed: bytes, agreed: bool, monkeypatch
) -> None:
    there, here = os.openpty()
    with os.fdopen(here) as terminal, os.fdopen(there):
        monkeypatch.setattr("sys.stdin", terminal)
        os.write(there, typed)
        assert asker().confirm("Is it right?") is agreed


def test_ctrl_d_is_an_empty_answer(monkeypatch, capsys) -> None:
    def ends(*_: object, **__: object) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", ends)
    assert ssh.OnTerminal().secret("Password: ") == "" and capsys.readouterr().err == "\n"
