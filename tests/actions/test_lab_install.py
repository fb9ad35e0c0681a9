"""Our scripts on a lab's machine: whatever its folder, its shell and its login scripts are."""

import json
import os
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dlwa.actions.lab import check, far, install, system
from dlwa.actions.lab.far import shell_line
from dlwa.errors import AccessError
from dlwa.hosts.base import Completed
from dlwa.hosts.processes import boot_id
from dlwa.labs import Lab
from dlwa.version import __version__


class Here:
    """A connection to this very machine, without SSH."""

    def __init__(self, chatter: str = "") -> None:
        self._chatter = chatter

    def collect(self, line: str, timeout_s: float = 30.0) -> Completed:
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
        told = (self._chatter + said for said in (done.stdout, done.stderr))
        return Completed(done.returncode, *told)

    def send_file(self, data: bytes, place: str) -> None:
        Path(place).write_bytes(data)


@pytest.mark.parametrize("name", ["DESKTOP", "PACKED VERSION", "@TOP@", r"it's $(x) \1"])
def test_the_name_of_a_folder_is_only_a_name(tmp_path: Path, name: str) -> None:
    root = tmp_path / name / "dlwa"
    lab = Lab("vm", host="vm", root=str(root))
    empty = install.look(Here(), lab)  # type: ignore[arg-type]
    assert not empty.mark and (root / "models" / "ddsp").is_dir()
    packed, mark = install.archive()
    install.bring(Here(), lab, packed, mark)  # type: ignore[arg-type]
    there = install.look(Here(), lab)  # type: ignore[arg-type]
    assert there.mark == mark and there.version
    assert (root / "dlwa.py").is_file() and not list((root / ".dlwa").glob("incoming*"))
    said = Here().collect(shell_line(check._probe(lab))).out.splitlines()
    assert {"root=yes", "code=yes", f"version={__version__}"} <= set(said)
    assert sorted(one.name for one in tmp_path.iterdir()) == [name]
    shutil.rmtree(tmp_path / name)
    said = Here().collect(shell_line(check._probe(lab))).out.splitlines()
    assert any(line.startswith("disk=") and line[5:].isdigit() for line in said)
    assert "root=yes" not in said


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "ksh", "csh", "tcsh", "fish"])
def test_a_script_means_the_same_in_every_login_shell(shell: str) -> None:
    """To csh a line end and ! mean something within quotes, to fish a backslash."""
    script = "if true\nthen printf '%s' 'wow! \\\\ \\047 \u00fc $HOME' \"it's\"\nfi"
    assert not set("\n!") & set(shell_line(script)) and shell_line(script).count("'") == 4
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    said = subprocess.run([shell, "-c", shell_line(script)], capture_output=True, check=True)
    assert said.stdout.decode() == "wow! \\\\ \\047 \u00fc $HOMEit's"


def test_several_may_bring_it_at_once(tmp_path: Path) -> None:
    lab = Lab("vm", host="vm", root=str(tmp_path))
    install.look(Here(), lab)  # type: ignore[arg-type]
    (tmp_path / "dlwa").mkdir()
    (tmp_path / "dlwa/old.py").touch()
    packed, mark = install.archive()
    with ThreadPoolExecutor(4) as teachers:
        list(teachers.map(lambda _: install.bring(Here(), lab, packed, mark), range(4)))  # type: ignore[arg-type]
    assert install.look(Here(), lab).mark == mark  # type: ignore[arg-type]
    assert not (tmp_path / "dlwa/dlwa").exists() and not (tmp_path / "dlwa/old.py").exists()
    assert (tmp_path / ".dlwa/previous/dlwa/old.py").exists()
    assert not list(tmp_path.glob(".dlwa/incoming*"))


def test_code_that_was_changed_or_lost_there_comes_again(tmp_path: Path) -> None:
    """The mark of what was brought alone would say that all is well."""
    lab, (packed, mark) = Lab("vm", host="vm", root=str(tmp_path)), install.archive()
    install.look(Here(), lab)  # type: ignore[arg-type]
    install.bring(Here(), lab, packed, mark)  # type: ignore[arg-type]
    harms = (
        (tmp_path / "dlwa.py").unlink,
        lambda: (tmp_path / "dlwa/version.py").write_text("__version__ = '0.0.1'\n"),
        lambda: shutil.rmtree(tmp_path / "dlwa/actions"),
    )
    for harm in harms:
        assert install.look(Here(), lab).is_whole  # type: ignore[arg-type]
        harm()
        there = install.look(Here(), lab)  # type: ignore[arg-type]
        assert there.mark == mark and not there.is_whole
        install.bring(Here(), lab, packed, mark)  # type: ignore[arg-type]
    assert install.look(Here(), lab).is_whole  # type: ignore[arg-type]


def test_a_relative_root_lies_in_the_home_whatever_cdpath_says(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "elsewhere/dlwa").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("CDPATH", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path / "home")
    install.look(Here(), Lab("vm", host="vm", root="dlwa"))  # type: ignore[arg-type]
    assert (tmp_path / "home/dlwa/inputs").is_dir()


CHATTER = f"Welcome\ngit\n{'*' * 64}\nversion 9.9\nlive x\nno end"


def test_what_login_scripts_print_is_no_answer(tmp_path: Path) -> None:
    """Not the name of a package to install as root, not a git checkout, not a mark."""
    lab, noisy = Lab("vm", host="vm", root=str(tmp_path / "dlwa")), Here(CHATTER)
    assert system.lacking(noisy, lab) == system.lacking(Here(), lab)  # type: ignore[arg-type]
    seen = install.look(noisy, lab)  # type: ignore[arg-type]
    assert (seen.is_checkout, seen.mark, seen.live, seen.version) == (False, "", (), "")


def test_a_login_that_runs_nothing_says_so() -> None:
    class Corridor(Here):
        def collect(self, line: str, timeout_s: float = 30.0) -> Completed:
            return Completed(0, "run  owner\x1b[2J  id\n")

    with pytest.raises(AccessError, match="runs none of our commands; it says 'run  owner"):
        far.collect(Corridor(), Lab("vm", host="vm", root="/x"), "true")  # type: ignore[arg-type]


def test_only_what_may_still_go_on_stands_in_the_way(tmp_path: Path) -> None:
    """A run that ended with the machine says "running" for ever; that is no reason to ask."""
    here = {"host": socket.gethostname(), "boot_id": boot_id()}
    records = {
        "ann/deep/er": {**here, "pid": 999_999_999, "child_pid": os.getpid()},
        "solo": {**here, "pid": os.getpid()},
        "ann/waits": here,
        "ann/node": {"host": "node7", "boot_id": "other", "pid": 999_999_999},
        "ann/killed": {**here, "pid": 999_999_999},
        "ann/rebooted": {**here, "boot_id": "other", "pid": os.getpid()},
        "ann/done": {**here, "pid": os.getpid(), "state": "finished"},
    }
    for name, record in records.items():
        folder = tmp_path / "models/ddsp" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"state": "running", **record}, indent=1))
        seen = install.look(Here(), Lab("vm", host="vm", root=str(tmp_path)))  # type: ignore[arg-type]
        (folder / "run.json").unlink()
        expected = (f"models/ddsp/{name}/run.json",)
        assert seen.live == (expected if name in list(records)[:4] else ()), name
