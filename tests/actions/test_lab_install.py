"""Bringing dlwa into a folder whose name holds the words of our own scripts."""

import subprocess
from pathlib import Path

import pytest

from dlwa.actions.lab import check, install
from dlwa.actions.lab.far import shell_line
from dlwa.hosts.base import Completed
from dlwa.labs import Lab
from dlwa.version import __version__


class Here:
    """A connection to this very machine, without SSH."""

    def collect(self, line: str, timeout_s: float = 30.0) -> Completed:
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
        return Completed(done.returncode, done.stdout, done.stderr)

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
