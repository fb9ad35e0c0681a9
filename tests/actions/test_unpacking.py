"""Archives of recordings: what leads astray is refused, and nothing half-unpacked stays."""

import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dlwa.actions import unpacking
from dlwa.errors import AccessError, BusyError, DlwaError
from dlwa.settings import Settings


def packed(folder: Path, **files: str) -> Path:
    archive = folder / "takes.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive


def marked_as_locked(archive: Path) -> None:
    """Set the bit that says "encrypted" in both headers of the only file."""
    data = bytearray(archive.read_bytes())
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + place] |= 1
    archive.write_bytes(data)


def test_files_come_out_in_their_folders_and_hidden_ones_stay_in(tmp_path: Path) -> None:
    archive = packed(tmp_path, **{"a.wav": "a", "sub/b.wav": "b", "__MACOSX/._a.wav": "", ".x": ""})
    assert unpacking.unpack(archive, tmp_path / "takes") == 2
    names = sorted(p.relative_to(tmp_path / "takes").as_posix() for p in tmp_path.rglob("*.wav"))
    assert names == ["a.wav", "sub/b.wav"]


@pytest.mark.parametrize("name", ["../out.wav", "/out.wav", "a/../../out.wav"])
def test_what_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path, **{"a.wav": "a", name: "b"})
    with pytest.raises(DlwaError, match="leads out of its folder"):
        unpacking.unpack(archive, tmp_path / "takes")
    assert list(tmp_path.iterdir()) == [archive]


def test_a_password_damage_no_room_and_nothing_inside_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(tmp_path, **{"a.wav": "abc" * 1000})
    whole = archive.read_bytes()
    marked_as_locked(archive)
    with pytest.raises(DlwaError, match="needs a password"):
        unpacking.unpack(archive, tmp_path / "takes")
    broken = bytearray(whole)
    broken[40:44] = b"\xff\xff\xff\xff"
    archive.write_bytes(broken)
    with pytest.raises(DlwaError, match="cannot be unpacked"):
        unpacking.unpack(archive, tmp_path / "takes")
    archive.write_bytes(whole)
    monkeypatch.setattr(unpacking, "_LEFT_FREE", 1e18)
    with pytest.raises(DlwaError, match="GB are free"):
        unpacking.unpack(archive, tmp_path / "takes")
    with pytest.raises(DlwaError, match="holds no files"):
        unpacking.unpack(packed(tmp_path), tmp_path / "takes")
    assert list(tmp_path.iterdir()) == [archive]


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "takes").mkdir()
    with pytest.raises(BusyError, match="exists already"):
        unpacking.unpack(packed(tmp_path, **{"a.wav": "a"}), tmp_path / "takes")


def test_a_name_in_no_known_letters_is_damage(tmp_path: Path) -> None:
    archive = packed(tmp_path, **{"é.wav": "a"})
    archive.write_bytes(archive.read_bytes().replace("é".encode(), b"\xff\xfe"))
    with pytest.raises(DlwaError, match="cannot be unpacked"):
        unpacking.unpack(archive, tmp_path / "takes")
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a/b.wav", "a/B.WAV", "./a/b.wav"])
def test_two_files_of_one_name_are_refused(tmp_path: Path, second: str) -> None:
    archive = packed(tmp_path, **{"a/b.wav": "one"})
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(second, "two")
    with pytest.raises(DlwaError, match=r"holds 'a/b\.wav' (twice|and '.*')"):
        unpacking.unpack(archive, tmp_path / "takes")
    assert list(tmp_path.iterdir()) == [archive]


def test_what_a_killed_unpacking_left_goes_with_the_next(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    archive = packed(tmp_path, **{"a.wav": "a"})
    begin = f".takes.unpacking-{socket.gethostname()}"
    left, works = tmp_path / f"{begin}-{gone.pid}", tmp_path / f"{begin}-{os.getppid()}"
    far = tmp_path / f".takes.unpacking-elsewhere-{gone.pid}"
    for folder in (left, works, far):
        (folder / "sub").mkdir(parents=True)
    unpacking.unpack(archive, tmp_path / "takes")
    assert sorted(tmp_path.iterdir()) == sorted([archive, works, far, tmp_path / "takes"])


def test_nobody_unpacks_into_what_is_somebody_elses(settings: Settings, tmp_path: Path) -> None:
    inputs = settings.root / "inputs"
    unpacking.require_own(inputs / "ann" / "my takes", settings)
    unpacking.require_own(tmp_path / "elsewhere" / "bob" / "v", settings)
    unpacking.require_own(inputs / "bob" / "v", settings, as_admin=True)
    (tmp_path / "link").symlink_to(inputs / "bob")
    for target in (
        inputs / "bob" / "v",
        inputs / "bob" / "v" / "my takes",
        tmp_path / "link" / "v",
    ):
        with pytest.raises(AccessError, match="belongs to bob, you are ann"):
            unpacking.require_own(target, settings)
