"""The frame of the command line: exit codes, errors, JSON, spelling of options."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlwa.cli import _door, main, options, output
from dlwa.cli._argv import normalise, wants_json
from dlwa.errors import BusyError, ExitCode, NotFoundError
from dlwa.version import __version__


def run(*words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    project = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        [sys.executable, "-m", "dlwa.cli", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": project, **env},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / ".dlwa").mkdir()
    return tmp_path


@pytest.fixture(autouse=True)
def plain_output():
    yield
    output.use_json(False)
    options.remember(root=None)


class TestSpelling:
    def test_underscores_and_dashes_mean_the_same(self) -> None:
        assert normalise(["ddsp", "train", "--model_name", "a_b"]) == [
            "ddsp",
            "train",
            "--model-name",
            "a_b",
        ]

    def test_values_keep_their_underscores(self) -> None:
        assert normalise(["x", "--model_name=ann/my_violin"]) == ["x", "--model-name=ann/my_violin"]

    def test_what_follows_two_dashes_is_left_alone(self) -> None:
        words = ["ddsp", "train", "--", "--gin_param=batch_size=4", "--root", "x"]
        assert normalise(words) == words

    @pytest.mark.parametrize("given", [["status", "--root", "w"], ["--root", "w", "status"]])
    def test_root_may_stand_anywhere(self, given: list[str]) -> None:
        assert normalise(given) == ["--root", "w", "status"]

    def test_root_without_a_value_stays_an_error(self, workspace: Path) -> None:
        assert run("status", "--root", cwd=workspace).returncode == 2

    def test_json_of_another_program_is_not_ours(self) -> None:
        assert not wants_json(["util", "run", "--", "tool", "--json"])
        assert wants_json(["status", "--json", "--", "x"])


class TestEnds:
    def test_version(self, workspace: Path) -> None:
        done = run("--version", cwd=workspace)
        assert (done.returncode, done.stdout) == (0, f"dlwa {__version__}\n")

    @pytest.mark.parametrize("words", [(), ("--help",)])
    def test_help_is_an_answer(self, workspace: Path, words: tuple[str, ...]) -> None:
        done = run(*words, cwd=workspace)
        assert done.returncode == 0
        assert "ddsp" in done.stdout and not done.stderr

    @pytest.mark.parametrize(
        ("words", "code", "told"),
        [
            (("statsu",), 2, "Did you mean 'status'"),
            (("ddsp", "trian"), 2, "Did you mean 'train'"),
            (("ddsp", "train"), 2, "--dataset-name"),
            (("--bogus",), 2, "--bogus"),
            (("ddsp",), 2, "make-dataset"),
            (("watch", "nobody/here"), 3, "nobody/here"),
            (("doctor", "disc"), 2, "did you mean disk?"),
            (("status", "--root", "nowhere"), 2, "mkdir -p"),
        ],
    )
    def test_failures_say_what_and_what_next(
        self, workspace: Path, words: tuple[str, ...], code: int, told: str
    ) -> None:
        done = run(*words, cwd=workspace)
        assert done.returncode == code
        assert told in done.stderr and not done.stdout
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize(
        "words", [("watch", "nobody/here"), ("statsu",), ("ddsp", "train"), ("doctor", "disc")]
    )
    def test_with_json_a_failure_is_one_document(
        self, workspace: Path, words: tuple[str, ...]
    ) -> None:
        done = run(*words, "--json", cwd=workspace)
        document = json.loads(done.stdout)
        assert document["error"]["exit_code"] == done.returncode != 0
        assert document["error"]["message"] and document["error"]["hint"]

    def test_a_reader_that_leaves_early_is_no_bug(self, workspace: Path) -> None:
        command = f'"{sys.executable}" -m dlwa.cli doctor --list | true'
        project = str(Path(__file__).resolve().parents[2])
        done = subprocess.run(
            command,
            shell=True,
            cwd=workspace,
            env={**os.environ, "PYTHONPATH": project},
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr and "bug" not in done.stderr


class TestDoor:
    @pytest.fixture
    def fails_with(self, monkeypatch: pytest.MonkeyPatch, workspace: Path):
        def prepare(error: BaseException) -> None:
            def broken(argv: list[str]) -> int:
                raise error

            monkeypatch.chdir(workspace)
            monkeypatch.setattr(_door, "_run_typer", broken)

        return prepare

    @pytest.mark.parametrize("error", [BusyError("busy"), NotFoundError("gone", "look")])
    def test_an_error_ends_with_its_own_code(self, fails_with, capsys, error) -> None:
        fails_with(error)
        assert main(["status"]) == error.exit_code
        assert f"error: {error.message}" in capsys.readouterr().err

    def test_a_flag_of_the_started_program_before_the_dashes_is_told(self, capsys) -> None:
        words = ["ddsp", "train", "--dataset_name", "a/b", "--model_name", "a/b"]
        for flag, told in (("--gin_param=x=1", True), ("--model-nam=x", False)):
            assert main([*words, flag]) == ExitCode.USAGE
            said = capsys.readouterr().err
            assert ("comes after --" in said) is told and "ddsp train --help" in said
        assert main(["status", "--gin_param=x=1"]) == ExitCode.USAGE
        assert "comes after" not in capsys.readouterr().err

    def test_ctrl_c_is_130(self, fails_with, capsys) -> None:
        fails_with(KeyboardInterrupt())
        assert main(["status"]) == ExitCode.INTERRUPTED
        assert capsys.readouterr().err == ""

    def test_ctrl_c_ends_its_line_on_a_terminal(self, fails_with, capsys, monkeypatch) -> None:
        fails_with(KeyboardInterrupt())
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        output.break_off()  # as who says what goes on does, in the middle of a command
        assert main(["status"]) == ExitCode.INTERRUPTED
        assert capsys.readouterr().err.strip(" ") == "\n\n", "one each, for each of two commands"

    def test_ctrl_c_with_json_is_a_document(self, fails_with, capsys) -> None:
        fails_with(KeyboardInterrupt())
        assert main(["status", "--json"]) == ExitCode.INTERRUPTED
        assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == ExitCode.INTERRUPTED

    def test_a_bug_goes_into_the_log_and_is_one_line(self, fails_with, capsys, workspace) -> None:
        fails_with(ZeroDivisionError("oh"))
        assert main(["status"]) == 1
        told = capsys.readouterr().err
        assert "a bug in dlwa: ZeroDivisionError: oh" in told and "Traceback" not in told
        (log,) = (workspace / ".dlwa" / "logs").iterdir()
        assert str(log) in told
        assert "Traceback" in log.read_text() and "ZeroDivisionError: oh" in log.read_text()

    def test_a_bug_with_json_is_a_document(self, fails_with, capsys) -> None:
        fails_with(ZeroDivisionError("oh"))
        assert main(["status", "--json"]) == 1
        assert json.loads(capsys.readouterr().out)["error"]["kind"] == "Bug"

    def test_a_log_that_cannot_be_written_goes_elsewhere(
        self, fails_with, capsys, workspace, monkeypatch
    ) -> None:
        (workspace / ".dlwa" / "logs").write_text("in the way")
        fails_with(ZeroDivisionError("oh"))
        assert main(["status"]) == 1
        place = Path(capsys.readouterr().err.strip().rpartition(" ")[2])
        assert "ZeroDivisionError" in place.read_text()
        place.unlink()

    def test_a_silent_success_still_answers_in_json(self, monkeypatch, capsys) -> None:
        monkeypatch.setattr(_door, "_run_typer", lambda argv: 0)
        assert main(["status", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"ok": True}
