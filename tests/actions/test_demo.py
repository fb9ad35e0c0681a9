"""The demo's own parts: places that overwrite nothing, commands that exist."""

from pathlib import Path

import pytest

from dlwa.actions import demo
from dlwa.workspace import Workspace
from tests import command_tree


def test_recordings_are_copied_once_and_left_alone(tmp_path: Path) -> None:
    where = demo.place(Workspace(tmp_path))
    demo.copy_recordings(where)
    assert where.recording.stat().st_size > 1_000_000
    assert where.other.is_file()
    where.recording.write_bytes(b"mine")
    demo.copy_recordings(where)
    assert where.recording.read_bytes() == b"mine"
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_copy_that_breaks_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(demo.shutil, "copyfile", breaks)
    with pytest.raises(OSError, match="No space left"):
        demo.copy_recordings(demo.place(Workspace(tmp_path)))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_transferred_recording_is_not_learned_from(tmp_path: Path) -> None:
    where = demo.place(Workspace(tmp_path))
    assert where.recording.parent not in where.other.parents


def test_fresh_takes_the_next_name(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = demo.place(workspace)
    folder = workspace.dataset(first.name)
    folder.mkdir(parents=True)
    (folder / "data.tfrecord-00000-of-00001").write_bytes(b"x")
    assert demo.place(workspace) == first
    assert str(demo.place(workspace, fresh=True).name) == "demo/violin-2"


def test_results_never_go_over_older_ones(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    name = demo.place(workspace).name
    for expected in ("violin", "violin-2", "violin-3"):
        folder = demo.free_folder(workspace, name)
        assert folder.name == expected
        folder.mkdir(parents=True)
        (folder / "index.html").touch()


def test_missing_recordings_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.dlwa, "__file__", str(tmp_path / "dlwa" / "__init__.py"))
    with pytest.raises(demo.NotFoundError, match="is missing"):
        demo.copy_recordings(demo.place(Workspace(tmp_path)))


def test_the_commands_for_ones_own_recordings_parse() -> None:
    commands = [command.split() for _, command in demo.OWN_RECORDINGS]
    assert len(commands) == 4
    for words in commands:
        if words[0] == "./dlwa.py":
            command_tree.parse(words[1:])
