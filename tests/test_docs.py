"""The documentation is code: what it shows parses, runs and leads somewhere."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.command_tree import parse, walk
from tests.documented import Documented, commands, links, pages
from tests.imports import ROOT
from tests.reference_page import page as reference_page

ALL = [found for page in pages() for found in commands(page)]
OURS = [found for found in ALL if found.dlwa_words is not None]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
# other programs that pages tell a reader to type
FOREIGN = {"git", "cd", "sudo", "brew", "pip", "make", "export", "mkdir", "cp", "tensorboard", "uv"}
FOREIGN |= {"ssh", "scp", "loginctl", "chmod", "rm", "bash", "winget", "py", "set", "nvidia-smi"}
FOREIGN |= {"srun"}


def _id(found: Documented) -> str:
    return f"{found.page}:{found.line}"


@pytest.mark.parametrize("found", OURS, ids=_id)
def test_documented_command_parses(found: Documented) -> None:
    words = found.dlwa_words or []
    if words in (["--version"], ["--help"]) or words[-1:] == ["--help"]:
        words = [word for word in words if word not in ("--version", "--help")]
        assert not words or " ".join(["dlwa", *words]) in {path for path, _ in walk()}
        return
    try:
        parse(words)
    except Exception as error:
        if found.mention and type(error).__name__ in ("MissingParameter", "NoArgsIsHelpError"):
            return  # the command is named, not shown
        told = getattr(error, "format_message", None)
        pytest.fail(f"{found.text}: {told() if told else repr(error)}")


@pytest.mark.parametrize("found", [one for one in OURS if "--" in one.words], ids=_id)
def test_extra_flags_are_flags_of_the_script_they_go_to(found: Documented) -> None:
    training = ROOT / "dlwa" / "ddsp" / "training"
    scripts = {
        "train": training / "ddsp_run.py",
        "make-dataset": training / "data_preparation" / "ddsp_prepare_tfrecord.py",
    }
    name = (found.dlwa_words or [])[1]
    if name not in scripts:
        return
    sources = (scripts[name], training / "gin_flags.py")
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    known = re.findall(r'DEFINE_\w+\(\s*"(\w+)"', text)
    for word in found.words[found.words.index("--") + 1 :]:
        flag, _, value = word.removeprefix("--").partition("=")
        assert flag in known, f"{found.text}: {word}"
        if flag == "gin_file":
            assert (training / "gin" / value).is_file(), f"{found.text}: {word}"


@pytest.mark.parametrize("found", [one for one in ALL if one.dlwa_words is None], ids=_id)
def test_other_commands_are_ones_that_exist(found: Documented) -> None:
    program = Path(found.words[0]).name
    if program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(found.words[1:]) <= set(targets), found.text
    else:
        assert program in FOREIGN | set(SCRIPTS) | {"python", "python3", "dlwa.py"}, found.text


@pytest.mark.parametrize("found", [one for one in ALL if one.run], ids=_id)
def test_runnable_command_runs(found: Documented, tmp_path: Path) -> None:
    words = found.dlwa_words
    assert words is not None, f"only dlwa's own commands are run: {found.text}"
    done = subprocess.run(
        [sys.executable, "-m", "dlwa.cli", "--root", str(tmp_path), *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_pages_show_commands_and_some_are_run() -> None:
    assert len(OURS) >= 20
    assert sum(one.run for one in ALL) >= 5


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in _anchors(file), f"{page.name}: {target}"


def test_every_command_and_option_has_help() -> None:
    silent = []
    for path, command in walk():
        if not (command.help or "").strip():
            silent.append(path)
        for param in command.params:
            if not getattr(param, "help", "") and not getattr(param, "hidden", False):
                silent.append(f"{path} {param.name}")
    assert not silent, f"without a word of help: {silent}"


def test_every_listed_first_level_command_loads() -> None:
    from dlwa.cli import _commands

    paths = {path for path, _ in walk()}
    assert {f"dlwa {name}" for name in _commands.offered()} <= paths
    assert all(command is not None for _, command in walk())


def test_reference_page_is_what_the_commands_say() -> None:
    written = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert written == reference_page(), "run: make docs"


def test_exit_codes_page_names_every_code() -> None:
    from dlwa.errors import ExitCode

    text = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    for code in ExitCode:
        assert f"| {int(code)} |" in text, code


def test_nothing_of_one_machine_or_registry_is_in_the_project() -> None:
    # spelt in parts, so that this file does not find itself
    forbidden = ["/wo" + "rk/", "/ro" + "ot/", "pypi" + ".org", "pythonhosted" + ".org"]
    forbidden += ["file" + "://", "/opt/py" + "pi", "/opt/wh" + "eels", "registry.np" + "mjs"]
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git clone")
    wrong = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file() or path.suffix in {".npz", ".flac", ".index", ".pkl"}:
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        wrong += [f"{name}: {word}" for word in forbidden if re.search(rf"(?<![\w.-]){word}", text)]
    assert not wrong


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
