"""The look at a folder before it is sent: what it holds, what will disappoint."""

import errno
import os
from pathlib import Path

from dlwa.actions.sync import audit, files


def test_the_audit_counts_minutes_and_finds_doubles(tmp_path):
    import wave

    for name, rate in (("a.wav", 44100), ("b.wav", 44100), ("c.wav", 8000)):
        with wave.open(str(tmp_path / name), "wb") as stream:
            stream.setparams((2, 2, rate, 0, "NONE", ""))
            stream.writeframes(bytes(4 * rate))
    (tmp_path / "empty.wav").touch()
    entries, _ = files.scan(tmp_path, audit.is_audio)
    seen = audit.look(tmp_path, entries)
    told = " ".join(seen.warnings)
    assert "4 recordings, 0.1 min (1 of unknown length)" in seen.summary
    assert audit.look(tmp_path, entries[:1]).summary.startswith("1 recording, 0.0 min")
    assert "empty.wav is empty" in told and "a.wav, b.wav" in told and "c.wav" in told


def test_what_cannot_be_read_is_left_out_with_a_reason(tmp_path, monkeypatch):
    """A folder as well as a file; neither stops the others."""
    (tmp_path / "shut").mkdir()
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_text("same size")

    def scandir(place, list_in=os.scandir):
        if Path(place).name == "shut":
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return list_in(place)

    monkeypatch.setattr(os, "scandir", scandir)
    entries, refused = files.scan(tmp_path, audit.is_audio)
    assert refused == {"shut": "cannot be read: Permission denied"}
    (tmp_path / "a.wav").unlink()  # as good as not allowed
    assert not any("twice" in told for told in audit.look(tmp_path, entries).warnings)


def test_what_is_wrong_with_a_thousand_files_is_told_in_a_few_lines(tmp_path):
    for number in range(1000):
        (tmp_path / f"{number:03}.wav").write_bytes(bytes(number // 2 % 200))
    entries, _ = files.scan(tmp_path, audit.is_audio)
    warnings = audit.look(tmp_path, entries).warnings
    assert warnings[0] == "000.wav, 001.wav, 400.wav, 401.wav and 2 more are empty"
    assert warnings[-1] == "and 195 other recordings more than once" and len(warnings) == 6


def test_headers_of_flac_are_read():
    flac = Path(__file__).parents[2] / "dlwa/demo_data/flute_to_transfer.flac"
    seen = audit.header(flac)
    assert seen and seen.rate_hz >= 16000 and 1 < seen.seconds < 600


def test_names_that_are_not_utf_8_are_told_so_that_json_can_hold_them(tmp_path):
    (tmp_path / os.fsdecode(b"bad\xff.wav")).touch()
    (tmp_path / os.fsdecode(b"dir\xfe")).mkdir()
    _, refused = files.scan(tmp_path, audit.is_audio)
    assert sorted(refused) == ["bad\\udcff.wav", "dir\\udcfe"]
