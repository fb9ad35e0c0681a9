"""What is printed, where, and how it looks on what."""

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pytest

from dlwa.cli import output
from dlwa.errors import UsageError


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Screen:
    """A terminal on which the functions of `output` are called: `screen.say("hello")`."""

    def __init__(self) -> None:
        self._shown = Terminal()

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*args: object, **named: object) -> object:
            with self.shown():
                return getattr(output, name)(*args, **named)

        return call

    @contextmanager
    def shown(self) -> Iterator[None]:
        with redirect_stdout(self._shown), redirect_stderr(self._shown):
            yield

    def getvalue(self) -> str:
        return self._shown.getvalue()


@pytest.fixture(autouse=True)
def plain_output():
    output.use_json(False)
    yield
    output.use_json(False)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Screen()


def test_answers_go_to_stdout_and_the_story_to_stderr(capsys) -> None:
    output.text("answer")
    output.say("story")
    output.warn("careful")
    output.command(["echo", "two words"])
    told = capsys.readouterr()
    assert told.out == "answer\n"
    assert "story" in told.err and "warning: careful" in told.err
    assert "'two words'" in told.err


def test_off_a_terminal_a_table_is_aligned_columns(capsys) -> None:
    output.table("runs", ("name", "state"), [("ann/violin", "running"), ("b", None)])
    assert capsys.readouterr().out.splitlines() == [
        "name        state",
        "ann/violin  running",
        "b",
    ]


def test_with_json_a_table_is_a_list_of_objects(capsys) -> None:
    output.use_json(True)
    output.table("runs", ("name", "state"), [("ann/violin", "running")])
    output.text("not for machines")
    assert json.loads(capsys.readouterr().out) == [{"name": "ann/violin", "state": "running"}]


def test_a_second_document_is_refused(capsys) -> None:
    output.use_json(True)
    output.answer({"a": 1})
    with pytest.raises(RuntimeError, match="one JSON document"):
        output.answer({"a": 2})
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_after_an_answer_an_error_is_told_on_stderr(capsys) -> None:
    output.use_json(True)
    output.answer({"a": 1})
    output.error("late", "hint")
    told = capsys.readouterr()
    assert json.loads(told.out) == {"a": 1} and "error: late" in told.err


def test_colour_on_a_terminal(screen) -> None:
    screen.done("made")
    assert "\x1b[32m" in screen.getvalue()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colour_where_it_is_not_wanted(screen, monkeypatch, name, value) -> None:
    monkeypatch.setenv(name, value)
    screen.done("made")
    screen.error("broken", "mend it")
    screen.table("t", ("a", "b"), [(1, 2)])
    assert "made" in screen.getvalue() and "\x1b" not in screen.getvalue()


def test_an_empty_no_color_means_colour(screen, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    screen.done("made")
    assert "\x1b[32m" in screen.getvalue()


def test_a_drawn_table_fits_eighty_columns_and_loses_nothing(screen) -> None:
    name = "ann/a_very_long_name_of_a_model" * 4
    screen.table("runs", ("name", "state", "why"), [(name, "running", "because " * 20)])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()
    assert max(map(len, lines)) <= 80
    assert screen.getvalue().count("because") == 20


def test_markup_in_a_cell_is_only_text(screen) -> None:
    screen.table("", ("name",), [("[red]x[/red]",)])
    assert "[red]x[/red]" in screen.getvalue()


class TestQuestions:
    @pytest.mark.parametrize(("reply", "agreed"), [("y\n", True), ("YES\n", True), ("\n", False)])
    def test_an_answer_on_a_terminal(self, screen, monkeypatch, reply, agreed) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal(reply))
        assert screen.confirm("Sure?") is agreed

    def test_ctrl_d_is_a_no_and_ends_the_line(self, screen, monkeypatch) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal(""))
        assert screen.confirm("Sure?") is False
        assert screen.getvalue() == "Sure? [y/N] \n"

    def test_yes_beforehand(self) -> None:
        assert output.confirm("Sure?", assume_yes=True, no_input=True)

    def test_nobody_there(self, monkeypatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
        with pytest.raises(UsageError, match="nobody can be asked") as refused:
            output.confirm("Sure?")
        assert "--yes" in refused.value.hint

    def test_no_input_never_asks(self, screen, monkeypatch) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
        with pytest.raises(UsageError):
            screen.confirm("Sure?", no_input=True)

    @pytest.mark.parametrize(("reply", "index"), [("2\n", 1), ("ann/b\n", 1)])
    def test_choosing_by_number_or_name(self, screen, monkeypatch, reply, index) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal(reply))
        assert screen.choose("Which?", ["ann/a", "ann/b"]) == index

    @pytest.mark.parametrize("reply", ["0\n", "3\n", "x\n", "\n"])
    def test_choosing_what_is_not_there(self, screen, monkeypatch, reply) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal(reply))
        with pytest.raises(UsageError, match="from 1 to 2"):
            screen.choose("Which?", ["ann/a", "ann/b"])


class TestProgress:
    def test_off_a_terminal_few_plain_lines(self, capsys, monkeypatch) -> None:
        clock = iter(range(0, 1000, 2))
        monkeypatch.setattr("dlwa.cli.progress.time.monotonic", lambda: float(next(clock)))
        with output.progress("reading", 10, "files") as shown:
            for done in range(1, 11):
                shown.update(done)
        lines = capsys.readouterr().err.splitlines()
        assert lines[-1] == "reading 10/10 files"
        assert lines[0] == "reading 3/10 files, about 14 s left"
        assert 3 <= len(lines) <= 5 and all("\r" not in line for line in lines)

    def test_on_a_terminal_a_bar_that_goes(self, screen) -> None:
        with screen.shown(), output.progress("reading", 10, "MB") as shown:
            shown.describe("1/2 a.wav")
            shown.update(5, 10.04)
        told = screen.getvalue()
        assert "reading 1/2 a.wav" in told and "5/10 MB" in told and "50%" in told


@pytest.mark.parametrize(
    ("started", "typed"),
    [
        ("/opt/venv/bin/dlwa", "dlwa status"),
        (r"C:\venv\Scripts\dlwa.exe", "dlwa status"),
        ("/home/ann/my lab/dlwa/cli/__main__.py", "./dlwa.py status"),
    ],
)
def test_commands_in_hints_begin_as_the_user_begins_them(
    started: str, typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [started, "stop"])
    output.error("run=x is not there", "see ./dlwa.py status")
    assert f"hint: see {typed}\n" in capsys.readouterr().err
