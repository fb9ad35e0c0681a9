"""`dlwa ddsp serve|studio|live`: what is refused, asked and started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlwa.actions import extras, serving, setup
from dlwa.cli import main
from dlwa.errors import DlwaError, UsageError
from dlwa.settings import Settings
from tests.imports import ROOT


@pytest.fixture
def root(tmp_path: Path) -> str:
    model = tmp_path / "models" / "ddsp" / "ann" / "violin"
    model.mkdir(parents=True)
    (model / "ckpt-20.index").touch()
    (model / "operative_config-0.gin").touch()
    return str(tmp_path)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["serve", "--port", "70000"], "port=70000 must be from 0 to 65535"),
        (["serve", "--host", "my house"], "host=my house must be an address"),
        (["studio", "--host", "example.org"], "host=example.org must be an address"),
        (["live"], "--model-name"),
        (["serve", "--host", "0.0.0.0", "--no-input"], "Everybody who reaches 0.0.0.0"),
    ],
)
def test_what_is_refused(root: str, words: list[str], told: str, capsys) -> None:
    assert main(["--root", root, "ddsp", *words]) == 2
    assert told in capsys.readouterr().err


def test_a_model_that_is_not_there(root: str, capsys) -> None:
    assert main(["--root", root, "ddsp", "live", "--model_name", "ann/violn"]) == 3
    said = capsys.readouterr().err
    assert "model_name=ann/violn" in said and "did you mean ann/violin?" in said


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["serve", "--pitch-model", "swift"], "dlwa.ddsp.serve"),
        (["studio", "--port", "0"], "dlwa.ddsp.studio"),
        (["live", "--model_name", "ann/violin", "--fast", "--", "--reverb=0"], "dlwa.ddsp.live"),
    ],
)
def test_dry_runs_show_the_command(root: str, words: list[str], module: str, capsys) -> None:
    split = words.index("--") if "--" in words else len(words)
    given = [*words[:split], "--dry-run", *words[split:]]
    assert main(["--root", root, "ddsp", *given]) == 0
    (shown,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("$ ")]
    assert f"-m {module} " in shown
    assert ("--models=" in shown) != (module == "dlwa.ddsp.live")
    if module == "dlwa.ddsp.live":
        assert shown.endswith("--fast --reverb=0")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.7", False),
    ],
)
def test_who_can_reach_an_address(host: str, loopback: bool) -> None:
    serving.check_address(host, 0)
    assert serving.is_loopback(host) is loopback


def test_no_port_below_zero() -> None:
    with pytest.raises(UsageError):
        serving.check_address("127.0.0.1", -1)


ABSENT = extras.Extra("studio", "the page", "no_such_module_here", "60 MB")


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return tmp_path


def test_an_extra_is_asked_for_installed_and_remembered(prefix: Path, monkeypatch) -> None:
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr(
        extras.LocalHost, "attach", lambda self, command: started.append(command.argv) or 0
    )
    setup.remember("ddsp")
    said: list[str] = []
    extras.require(ABSENT, False, False, lambda question: "60 MB" in question, said.append)
    assert started[0][-1] == "dlwa[studio]" and "-c" in started[0]
    assert (prefix / "dlwa-extras").read_text() == "ddsp,studio\n"
    setup.remember("ddsp-gpu")
    assert (prefix / "dlwa-extras").read_text() == "studio,ddsp-gpu\n"
    assert said == ["installing the page (60 MB)"]


def test_nobody_to_ask_no_extra(prefix: Path) -> None:
    with pytest.raises(DlwaError, match="the page is not installed") as caught:
        extras.require(ABSENT, False, True, lambda question: True, print)
    assert "--yes" in caught.value.hint


def test_a_failed_installation_is_told(prefix: Path, monkeypatch) -> None:
    monkeypatch.setattr(extras.LocalHost, "attach", lambda self, command: 1)
    with pytest.raises(DlwaError, match="pip ended with 1"):
        extras.require(ABSENT, True, True, lambda question: False, print)
    assert not (prefix / "dlwa-extras").exists()


def test_what_is_there_is_not_installed_again() -> None:
    present = extras.Extra("x", "nothing", "json", "0")
    extras.require(present, False, True, lambda question: False, print)


def test_programs_find_this_dlwa_but_nothing_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('not a part of Python')")
    asked = serving.command(Settings("ann", tmp_path), "dlwa.runfiles")
    env = {name: value for name, value in asked.env.items() if value is not None}
    argv = (asked.argv[0], "-S", *asked.argv[1:])  # as where dlwa is installed nowhere
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("flags", "first"), [((), [str(ROOT)]), (("-P",), [])])
def test_what_was_found_without_the_current_folder_is_found_again(
    flags: tuple[str, ...], first: list[str]
) -> None:
    """Then the project's folder, which a group may share, does not come before Python's own."""
    code = "from dlwa.actions._job import where_dlwa_is as told; print(told()['PYTHONPATH'])"
    paths = [str(ROOT / "dlwa" / ".."), "/one"]  # found there, under another name
    env = {"PYTHONPATH": os.pathsep.join(["", *paths])}
    argv = (sys.executable, *flags, "-c", code)
    said = subprocess.run(argv, env=env, cwd="/", capture_output=True, text=True, check=True)
    assert said.stdout.strip().split(os.pathsep) == [*first, *paths]
