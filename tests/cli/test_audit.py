"""`dlwa ddsp audit`: the table, the map and the words, on a real folder and without TensorFlow."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from dlwa.actions import extras
from dlwa.cli import _heatmap, _wrapped, main, output
from dlwa.cli import audit as command
from dlwa.errors import AccessError

COVERAGE = {
    "loudness": ["loud", "medium", "quiet"],
    "from_note": ["G3", "A#3", "C#4"],
    "to_note": ["A3", "C4", "D#4"],
    "seconds": [[0.0, 0.6, 3.0], [8.0, 20.0, 100.0], [0.4, 0.0, 0.0]],
}


def test_the_map_is_dark_where_much_was_played() -> None:
    loud, medium, quiet, notes, legend = _heatmap.draw(COVERAGE)
    assert loud == "  loud      ░░░░▒▒▒▒|"
    assert medium == "medium  ▓▓▓▓████████|"
    assert quiet == " quiet              |"
    assert notes == "        G3  A#3 C#4"
    assert "█ 20 s" in legend


def test_the_map_without_shades_where_the_terminal_has_none() -> None:
    loud, medium, *_ = _heatmap.draw(COVERAGE, plain=True)
    assert (loud, medium) == ("  loud      ....::::|", "medium  ####@@@@@@@@|")


def found() -> dict:
    return {
        "verdict": "usable",
        "summary": "12.0 minutes of sound in 1 recording: enough, with the flaws named below",
        "coverage": COVERAGE,
        "missing": ["no quiet notes above C5"],
        "advice": ["play what is missing"],
        "files": [
            {
                "file": "a.wav",
                "seconds": 725.2,
                "sample_rate": 44100,
                "peak_db": -3.1,
                "noise_floor_db": None,
                "silent_share": 0.054,
                "voiced_share": 0.967,
                "f0_hz": [196.0, 1046.5],
                "pitch_confidence": 0.98,
                "chord_share": 0.021,
                "remarks": ["clips in 3 places"],
            }
        ],
        "refused": [{"file": "b.wav", "reason": "is empty (0 bytes)"}],
    }


def test_what_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    output.use_json(False)
    command.tell_table(found())
    command.tell_verdict(found())
    told = capsys.readouterr().out
    row = next(line for line in told.splitlines() if line.startswith("a.wav"))
    assert row.split() == ["a.wav", "12:05", "44.1", "-3", "5", "97", "98", "2", "G3-C6"]
    assert len(row) <= 80
    assert "a.wav: clips in 3 places" in told
    assert "b.wav: not usable: is empty (0 bytes)" in told
    assert "usable: 12.0 minutes" in told
    assert "missing: no quiet notes above C5" in told
    assert "advice: play what is missing" in told


def test_a_name_in_the_workspace_is_audited(tmp_path: Path, capfd, monkeypatch) -> None:
    folder = tmp_path / "inputs" / "ann" / "violin"
    folder.mkdir(parents=True)
    (folder / "text.wav").write_text("hello " * 50)
    monkeypatch.setenv("DLWA_ROOT", str(tmp_path))
    assert main(["ddsp", "audit", "ann/violin", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["refused"][0]["file"] == "text.wav"
    assert document["verdict"] == "poor"


@pytest.mark.parametrize("where", ["ann/absent", "ann"])
def test_nothing_to_audit_ends_with_3(tmp_path: Path, capfd, monkeypatch, where: str) -> None:
    (tmp_path / "inputs" / "ann").mkdir(parents=True)
    monkeypatch.setenv("DLWA_ROOT", str(tmp_path))
    assert main(["ddsp", "audit", where]) == 3
    assert "error:" in capfd.readouterr().err


def test_without_the_libraries_the_size_and_two_ways_to_install_are_told(
    tmp_path: Path, monkeypatch, capfd
) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda extra: extra is not extras.AUDIO)
    (tmp_path / "a.wav").touch()
    assert main(["ddsp", "audit", str(tmp_path), "--no-input"]) == 1
    said = capfd.readouterr().err
    assert "error: what reads recordings is not installed (about 60 MB to download)" in said
    assert "with --yes installs it first, or: " in said
    assert "'dlwa[audio]'" in said


@pytest.mark.parametrize("where", ["ann/takes", "ann/takes.zip", "inputs/ann/takes.zip"])
def test_a_zip_file_is_unpacked_if_somebody_agrees(
    tmp_path: Path, capfd, monkeypatch, where: str
) -> None:
    archive = tmp_path / "inputs" / "ann" / "takes.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("violin/text.wav", "hello " * 50)
        file.writestr("__MACOSX/violin/._text.wav", "junk")
    monkeypatch.setenv("DLWA_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["ddsp", "audit", where, "--no-input"]) == 3
    assert "unpack it first: python3 -m zipfile -e" in capfd.readouterr().err
    assert not archive.with_suffix("").exists()
    assert main(["ddsp", "audit", where, "--json", "--yes"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert [one["file"] for one in document["refused"]] == ["violin/text.wav"]


@pytest.mark.parametrize(
    "words",
    [
        ["make-dataset", "--input-name", "bob/takes", "--dataset-name", "ann/x"],
        ["audit", "bob/takes"],
    ],
)
def test_a_zip_file_of_somebody_else_stays_as_it_is(tmp_path: Path, capfd, monkeypatch, words):
    archive = tmp_path / "inputs" / "bob" / "takes.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.wav", "hello")
    monkeypatch.setenv("DLWA_ROOT", str(tmp_path))
    monkeypatch.setenv("DLWA_OWNER", "ann")
    assert main(["ddsp", *words, "--yes"]) == AccessError.exit_code
    assert "takes belongs to bob, you are ann" in capfd.readouterr().err
    assert list(archive.parent.iterdir()) == [archive]


def test_sentences_break_between_words_on_a_terminal_and_nowhere_else(monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("TERM", "xterm")
    sentence = "noisy.wav: record closer to the instrument in a quiet room"
    assert _wrapped.lines(sentence, Terminal(), indent="  ") == [
        "  noisy.wav: record closer to the instrument in a",
        "    quiet room",
    ]
    assert _wrapped.lines(sentence, io.StringIO()) == [sentence]
