"""Which command lines go to a lab, and what the two ends of one say to each other."""

import io
import json

import pytest

from dlwa.cli import _relay, _remote, _route, options, output
from dlwa.cli._argv import normalise
from dlwa.errors import UsageError


@pytest.fixture(autouse=True)
def plain_output():
    yield
    output.use_json(False)
    options.remember(root=None, lab=None)


def route(tmp_path, *words: str):
    options.remember(root=None, lab=None)
    return _route.far_lab(normalise(["--root", str(tmp_path), *words]))


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["logs", "-f"],
        ["util", "screen-attach"],
        ["ddsp", "train", "--model_name", "a/b", "--dataset_name", "a/b"],
        ["user", "usage", "--json"],
    ],
)
def test_what_happens_where_the_runs_are_goes_there(tmp_path, words):
    assert route(tmp_path, *words, "--lab", "vm") == ("vm", normalise(words))
    assert route(tmp_path, "--lab=vm", *words) == ("vm", normalise(words))
    assert route(tmp_path, *words) is None
    assert route(tmp_path, *words, "--lab", "local") is None


def test_the_environment_and_the_settings_choose_too(tmp_path, monkeypatch):
    monkeypatch.setenv("DLWA_LAB", "vm")
    assert route(tmp_path, "status") == ("vm", ["status"])
    assert route(tmp_path, "status", "--lab", "other") == ("other", ["status"])
    assert route(tmp_path, "demo") is None
    monkeypatch.delenv("DLWA_LAB")
    (tmp_path / ".dlwa").mkdir()
    (tmp_path / ".dlwa/settings.yaml").write_text("lab: mine\n")
    assert route(tmp_path, "status") == ("mine", ["status"])


def test_help_transfers_and_foreign_words_stay_here(tmp_path):
    assert route(tmp_path, "status", "--help", "--lab", "vm") is None
    assert route(tmp_path, "push", "x", "--lab", "vm") is None
    assert route(tmp_path, "ddsp", "train", "--", "--lab", "vm") is None
    with pytest.raises(UsageError, match="this machine only"):
        route(tmp_path, "ddsp", "timbre-transfer", "a.wav", "--lab", "vm")


def test_a_command_that_came_from_afar_goes_no_further(tmp_path, monkeypatch):
    monkeypatch.setenv(_relay.VARIABLE, "1")
    assert route(tmp_path, "status", "--lab", "vm") is None


def test_the_far_end_prints_json_lines_and_nothing_else(monkeypatch, capsys):
    monkeypatch.setenv(_relay.VARIABLE, "1")
    output.say("story")
    output.table("t", ["a"], [[1], [None]])
    with output.progress("push", 3, "MB") as shown:
        shown.update(3, 3)
    output.error("wrong", "mend", 3, "NotFoundError")
    told = capsys.readouterr()
    assert told.err == ""
    assert [json.loads(line) for line in told.out.splitlines()] == [
        {"say": ["story"]},
        {"table": ["t", ["a"], [["1"], [""]]]},
        {"progress": ["push", 3, "MB"]},
        {"progress_update": [3, 3]},
        {"progress_end": []},
        {"error": ["wrong", "mend", 3, "NotFoundError"]},
    ]


def test_nobody_is_asked_who_is_not_there(monkeypatch):
    monkeypatch.setenv(_relay.VARIABLE, "1")
    with pytest.raises(UsageError, match="nobody can be asked"):
        output.confirm("Sure?")


def test_a_gone_laptop_does_not_stop_a_command_half_way(monkeypatch):
    monkeypatch.setenv(_relay.VARIABLE, "1")

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Gone())
    output.say("still here")


class NearEnd(_remote.FarEnd):
    """The near end without a connection."""

    def __init__(self, *, follows: bool = False) -> None:
        super().__init__(None, _lab(), ["logs", "-f"] if follows else ["status"])  # type: ignore

    def take(self, *documents: object) -> None:
        for document in documents:
            self._take(json.dumps(document))


def _lab():
    from dlwa.labs import Lab

    return Lab("vm", host="vm", root="/data")


def test_lines_after_the_last_mark_are_held_back(capsys):
    """They will come again when the log is asked for from the mark on."""
    near = NearEnd(follows=True)
    near.take({"text": ["1"]}, {"mark": [["logs", "x", "--from-byte", "2"]]}, {"text": ["2"]})
    assert capsys.readouterr().out == "1\n"
    assert near.goes_on_with == ["logs", "x", "--from-byte", "2"]


def test_what_comes_from_afar_cannot_steer_the_terminal(capsys):
    near = NearEnd()
    near.take({"text": ["\x1b]0;owned\x07red\x1b[31m"]}, {"say": ["a\rb"]})
    near._take("banner of a login script \x1b[2J")
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err and "\r" not in told.err
    assert "banner" in told.err


def test_unknown_words_from_afar_are_passed_over(capsys):
    NearEnd().take({"shell": ["rm -rf /"]}, {"__class__": ["x"]}, ["list"], 3)
    assert capsys.readouterr().out == ""
