"""Installing the DDSP half: what is chosen, when it is asked for, what an interruption leaves."""

import sys
from pathlib import Path

import pytest

from dlwa.actions import setup
from dlwa.errors import DlwaError
from dlwa.hosts.base import Completed
from dlwa.hosts.local import LocalHost
from dlwa.shell import Command

GPU = "0, GPU-1, NVIDIA A100, 40960, 0, 0"


class Pip(LocalHost):
    """A machine on which pip ends as told; remembers what it was asked."""

    def __init__(self, code: int = 0, gpu: Completed | None = None) -> None:
        super().__init__()
        self.code, self.gpu = code, gpu or Completed(127)
        self.asked: list[tuple[str, ...]] = []

    def run(self, command: Command, timeout_s: float = 20.0) -> Completed:
        if command.argv[0] == "nvidia-smi":
            return self.gpu
        self.asked.append(command.argv)
        return Completed(self.code)

    def attach(self, command: Command) -> int:
        return self.run(command).code


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return tmp_path


@pytest.fixture
def absent(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(setup, "missing", lambda: ["tensorflow"])
    return prefix


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    names: set[str] = set()
    monkeypatch.setattr(setup, "is_present", names.__contains__)
    return names


@pytest.mark.skipif(sys.platform != "linux", reason="CUDA builds exist for Linux only")
@pytest.mark.parametrize(
    ("answer", "variant"),
    [
        (Completed(0, GPU), "gpu"),
        (Completed(127), "cpu"),
        (Completed(6, "No devices were found"), "cpu"),
        (Completed(9, "NVIDIA-SMI has failed"), "cpu"),
        (Completed(0, ""), "cpu"),
    ],
)
def test_cuda_where_nvidia_smi_lists_a_gpu(
    installed: set[str], answer: Completed, variant: str
) -> None:
    planned = setup.plan(host=Pip(gpu=answer))
    assert planned.variant == variant
    assert planned.commands[-1].argv[-1] == f"dlwa[{setup.EXTRA[planned.variant]}]"


def test_a_wish_is_followed(installed: set[str]) -> None:
    assert setup.plan("cpu", Pip(gpu=Completed(0, GPU))).variant == "cpu"


def test_the_tested_versions_are_taken(installed: set[str]) -> None:
    argv = setup.plan("cpu").commands[-1].argv
    constraints = Path(argv[argv.index("-c") + 1])
    assert argv[0] == sys.executable and "tensorflow==" in constraints.read_text()


@pytest.mark.parametrize(
    ("variant", "there", "removed"),
    [
        ("gpu", {"tensorflow-cpu"}, "tensorflow-cpu"),
        ("cpu", {"tensorflow", "nvidia-cudnn-cu12"}, "tensorflow"),
        ("cpu", {"tensorflow"}, None),  # macOS: the CPU build has that name
        ("gpu", {"tensorflow"}, None),
    ],
)
def test_the_other_build_goes_first(
    installed: set[str], variant: setup.Variant, there: set[str], removed: str | None
) -> None:
    installed |= there
    first, *others = (command.argv for command in setup.plan(variant).commands)
    assert bool(others) == (removed is not None)
    if removed:
        assert first[-3:] == ("uninstall", "-y", removed)


def test_success_leaves_the_extra_for_the_launcher(prefix: Path, installed: set[str]) -> None:
    host = Pip()
    setup.install(setup.plan("cpu"), host)
    assert len(host.asked) == 1
    assert (prefix / "dlwa-extras").read_text() == "ddsp\n"
    assert not setup.interrupted().exists()


@pytest.mark.parametrize("quiet", [True, False])
def test_a_failure_leaves_the_mark(prefix: Path, installed: set[str], quiet: bool) -> None:
    with pytest.raises(DlwaError, match="pip ended with 1") as failed:
        setup.install(setup.plan("cpu"), Pip(code=1), quiet)
    assert "./dlwa.py setup" in failed.value.hint
    assert setup.interrupted().exists() and not setup.is_installed()
    assert not (prefix / "dlwa-extras").exists()


def test_an_interruption_leaves_the_mark_and_the_next_try_mends_it(
    prefix: Path, installed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(Pip):
        def attach(self, command: Command) -> int:
            raise KeyboardInterrupt

    monkeypatch.setattr(setup, "missing", lambda: [])
    with pytest.raises(KeyboardInterrupt):
        setup.install(setup.plan("cpu"), Interrupted())
    assert not setup.is_installed()
    setup.install(setup.plan("cpu"), Pip())
    assert setup.is_installed()


class TestRequire:
    def test_nothing_happens_when_it_is_there(self, prefix: Path, monkeypatch) -> None:
        monkeypatch.setattr(setup, "missing", lambda: [])
        setup.require_ddsp(no_input=True)

    @pytest.mark.parametrize("answers", [{}, {"no_input": True}, {"ask": lambda question: False}])
    def test_without_agreement_it_says_what_to_type(self, absent: Path, answers) -> None:
        with pytest.raises(DlwaError, match="not installed") as refused:
            setup.require_ddsp(**answers)
        assert refused.value.hint == "./dlwa.py setup"

    def test_the_question_names_the_size(self, absent: Path, monkeypatch) -> None:
        asked: list[str] = []
        done: list[setup.Plan] = []
        monkeypatch.setattr(setup, "install", done.append)

        def agree(question: str) -> bool:
            asked.append(question)
            return True

        setup.require_ddsp(ask=agree)
        assert "GB" in asked[0] and len(done) == 1

    def test_yes_beforehand_asks_nobody(self, absent: Path, monkeypatch) -> None:
        done: list[setup.Plan] = []
        monkeypatch.setattr(setup, "install", done.append)
        setup.require_ddsp(assume_yes=True, no_input=True)
        assert len(done) == 1


def test_an_environment_without_pip_is_served_by_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """As uv makes them: `uv venv`, `uv tool install`."""
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(setup.shutil, "which", lambda name: "/opt/uv")
    argv = setup.installing("audio").argv
    assert argv[:5] == ("/opt/uv", "pip", "install", "--python", sys.executable)
    assert argv[-1] == "dlwa[audio]"
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    with pytest.raises(DlwaError, match="has no pip") as failed:
        setup.installing("audio")
    assert failed.value.hint.endswith("-m ensurepip")
