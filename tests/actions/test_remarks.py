"""What a run has warned of, as status and watch show it."""

import json
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions.monitor import Watcher
from dlwa.actions.remarks import remarks_of
from dlwa.actions.runs import read_run
from dlwa.cli import main
from dlwa.cli._screen import plain, screen
from dlwa.hosts.local import LocalHost
from tests.made_runs import add_log, add_steps, make_run

TEXT = "The model plays 118 dB softer than the recordings: silence."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_run(tmp_path)
    add_steps(made)
    add_log(made)
    return made


def told(folder: Path) -> list[str]:
    run = read_run(folder, LocalHost())
    assert run is not None
    return [remark.event for remark in remarks_of(run)]


def test_warnings_hold_until_they_are_taken_back_the_gravest_first(folder: Path) -> None:
    runfiles.report_event(folder, "slow", text="slow", step=900)
    runfiles.report_event(folder, "silence", text=TEXT, step=1200)
    runfiles.report_event(folder, "checkpoint", step=1200, loss=5.0, best=False)
    assert told(folder) == ["silence", "slow"]
    runfiles.report_event(folder, "recovered", of="silence", text="It sounds again.", step=1500)
    assert told(folder) == ["slow"]


def test_what_an_earlier_session_said_does_not_count(folder: Path) -> None:
    runfiles.append_line(folder / runfiles.EVENTS_FILE, {"event": "silence", "time": 1000.0})
    assert told(folder) == []


def test_damaged_lines_and_a_missing_file_are_no_warnings(folder: Path) -> None:
    assert told(folder) == []
    runfiles.report_event(folder, "recovered", of=7)
    runfiles.append_line(folder / runfiles.EVENTS_FILE, {"event": "slow", "time": "late"})
    assert told(folder) == []


def test_status_says_it_in_the_table_and_in_full(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runfiles.report_event(folder, "silence", text=TEXT, step=1200)
    root = ["--root", str(tmp_path)]
    main([*root, "status"])
    assert "plays almost silence; about" in capsys.readouterr().out
    main([*root, "status", "ann/violin"])
    assert f"warning: at step 1200: {TEXT}" in capsys.readouterr().err
    main([*root, "status", "ann/violin", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["warnings"] == [{"event": "silence", "text": TEXT, "step": 1200}]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10)])
def test_watch_shows_it_also_after_other_events(folder: Path, width: int, height: int) -> None:
    runfiles.report_event(folder, "silence", text=TEXT, step=1200)
    runfiles.report_event(folder, "checkpoint", step=1500, loss=5.0, best=False)
    seen = Watcher(folder, LocalHost()).look()
    lines = screen(seen, width, height)
    assert len(lines) <= height
    (line,) = [line for line in lines if line.text.startswith("warning: The model plays 118 dB")]
    assert line.style == "yellow" and len(line.text) <= width
    assert "warning: plays almost silence" in plain(seen)
    assert seen.document()["warnings"][0]["event"] == "silence"
