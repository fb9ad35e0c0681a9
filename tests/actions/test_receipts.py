"""Receipts of runs, deadlines, and whose names one may write under."""

import csv
import json
import time
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions import deadline, ownership, receipts, runs, users
from dlwa.actions.runs import Run
from dlwa.errors import AccessError
from dlwa.hosts.local import LocalHost
from dlwa.names import parse_name
from dlwa.settings import Settings
from dlwa.workspace import RunPaths
from tests.made_runs import make_run

MORNING = time.mktime((2026, 11, 21, 9, 30, 0, 0, 0, -1))


def run(folder: Path, **more: object) -> Run:
    record = {"id": "0123abcd", "kind": "train", "owner": "ann", "name": "ann/violin", **more}
    return Run(RunPaths(folder), record, "finished", "")


def test_a_receipt_tells_loss_time_and_waiting(tmp_path):
    for at, loss in ((500.0, 0.1), (2010.0, 9.0), (2020.0, 3.5), (2030.0, 4.0)):
        line = {"step": at - 2000, "total_steps": 30, "losses": {"total_loss": loss}, "time": at}
        runfiles.append_line(tmp_path / runfiles.METRICS_FILE, line)
    ended = run(
        tmp_path, created_at=1000.0, started_at=2000.0, ended_at=9200.0, gpu_uuids=["a", "b"]
    )
    told = receipts.receipt(ended)
    assert (told.step, told.total_steps, told.last_loss, told.best_loss) == (30, 30, 4.0, 3.5)
    assert (told.waited_s, told.computed_s, told.gpu_hours) == (1000.0, 7200.0, 4.0)
    assert dict(told.lines()) == {
        "steps": "30 of 30",
        "loss": "4, best 3.5",
        "took": "2 h, 4.0 GPU hours",
        "waited": "17 min",
    }


def test_a_run_that_never_began_has_a_receipt_too(tmp_path):
    told = receipts.receipt(run(tmp_path, created_at=1000.0, ended_at=1060.0))
    assert (told.waited_s, told.computed_s, told.gpu_hours) == (60.0, 0.0, 0.0)
    assert dict(told.lines())["loss"] == ""


def test_losses_that_are_no_numbers_are_passed_over(tmp_path):
    for loss in (float("nan"), None, "x", 2.0):
        line = {"step": 1, "losses": {"total_loss": loss}, "time": 5.0}
        runfiles.append_line(tmp_path / runfiles.METRICS_FILE, line)
    assert receipts.receipt(run(tmp_path, started_at=1.0)).best_loss == 2.0


@pytest.mark.parametrize(
    ("stops_at", "hours"), [("22:00", 12.5), ("09:00", 23.5), ("09:30", 24.0), (None, None)]
)
def test_the_next_shutdown(stops_at, hours):
    left_s = deadline.stops_in_s(stops_at, MORNING)
    assert left_s == (None if hours is None else hours * 3600)


def test_a_run_that_takes_longer_is_told():
    assert deadline.too_long("22:00", 13 * 3600, MORNING).endswith("22:00")
    assert not deadline.too_long("22:00", 12 * 3600, MORNING)
    assert not deadline.too_long("22:00", None, MORNING)
    assert "12 h 30 min" in deadline.at_start("22:00", MORNING)


def test_others_names_need_a_word(tmp_path):
    ann = Settings("ann", tmp_path, origins={"owner": "test"})
    name = parse_name("ben/flute")
    assert ownership.require_own(parse_name("ann/flute"), ann, as_admin=False) == ""
    with pytest.raises(AccessError, match="belongs to ben"):
        ownership.require_own(name, ann, as_admin=False)
    assert "belongs to ben" in ownership.require_own(name, ann, as_admin=True)
    assert ownership.require_own(name, Settings("ann", tmp_path), as_admin=False) == ""


def test_a_persons_whole_folder_is_that_persons(tmp_path):
    """Not a thing of one's own with a name of one part."""
    ann = Settings("ann", tmp_path, origins={"owner": "test"})
    (tmp_path / "inputs/ben/flute").mkdir(parents=True)
    users.add(ann.workspace, "cai")
    for name in ("ben", "cai"):
        with pytest.raises(AccessError, match=f"belongs to {name}"):
            ownership.require_own(parse_name(name), ann, as_admin=False)
    (tmp_path / "models/ddsp/mine/summaries").mkdir(parents=True)
    (tmp_path / "models/ddsp/mine/run.json").touch()
    (tmp_path / "outputs/mine/export").mkdir(parents=True)
    for name in ("mine", "new", "ann"):
        assert ownership.require_own(parse_name(name), ann, as_admin=False) == ""


def test_nothing_is_put_among_anothers_things_by_its_path_either(tmp_path, monkeypatch):
    from dlwa.cli import main

    for folder in ("models/ddsp/ben/flute", "models/ddsp/ann/violin", "outputs/ben/mix"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("ckpt-1.index", "ckpt-1.data-00000-of-00001", "operative_config-0.gin"):
        (tmp_path / "models/ddsp/ann/violin" / name).write_text("x")
    (tmp_path / "in.wav").touch()
    (tmp_path / "mine").symlink_to(tmp_path / "outputs/ben")
    monkeypatch.setenv("DLWA_OWNER", "ann")
    monkeypatch.chdir(tmp_path)
    of = ("--model_name", "ann/violin")
    for words in (
        ("fetch", "ann/violin", "models/ddsp/ben", "--yes"),
        ("ddsp", "report", *of, "--output", "outputs/ben/report.html", "--dry-run"),
        ("ddsp", "export", *of, "--output", "outputs/ben/mix", "--yes", "--dry-run"),
        ("ddsp", "timbre-transfer", *of, "in.wav", "mine/out.wav", "--yes", "--dry-run"),
    ):
        assert main(["--root", str(tmp_path), *words]) == 4, words
    words = ("ddsp", "timbre-transfer", *of, "in.wav", "outputs/ann/out.wav", "--dry-run")
    assert main(["--root", str(tmp_path), *words]) == 0


def test_usage_as_a_spreadsheet(tmp_path, capsys):
    from dlwa.cli import main

    folder = tmp_path / "models/ddsp/ann/violin"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(
        json.dumps(
            {
                "id": "0123abcd",
                "kind": "train",
                "owner": "ann",
                "name": "ann/violin",
                "state": "finished",
                "created_at": 0.5,
                "started_at": 1.0,
                "ended_at": 7201.0,
                "gpu_uuids": ["a"],
            }
        )
    )
    assert main(["--root", str(tmp_path), "user", "usage", "--csv"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    told = dict(zip(head.split(","), row.split(","), strict=True))
    assert told["owner"] == "ann" and told["gpu_hours"] == "2.0" and told["runs"] == "1"


def test_earlier_trainings_of_a_model_count(tmp_path):
    """A training stopped and gone on with has a record a session."""
    folder = make_run(
        tmp_path, state="finished", started_at=0.0, computed_s=3600.0, gpu_uuids=["a"]
    )
    earlier = {"state": "stopped", "computed_s": 7200.0, "waited_s": 1800.0, "gpu_uuids": ["a"]}
    runfiles.append_line(folder / "history.jsonl", earlier)
    runfiles.append_line(folder / "history.jsonl", {"state": "lost", "started_at": 5.0})
    workspace = Settings("ann", tmp_path).workspace
    used = users.usage(workspace, runs.all_runs(workspace, LocalHost()), "ann")
    assert (used.runs, used.hours, used.gpu_hours) == (3, 3.0, 3.0)
    assert used.waited_hours == pytest.approx(0.5, abs=0.01)


def test_each_session_of_a_training_has_its_own_receipt(tmp_path, capsys):
    """Stopped at step 2, gone on with to step 4: the teacher sees both, each with its own loss."""
    from dlwa.cli import main

    folder = make_run(tmp_path, state="finished", computed_s=50.0, ended_at=MORNING)
    metrics, places = folder / "metrics.jsonl", []
    metrics.unlink(missing_ok=True)
    for step in (1, 2, 3, 4):
        places.append(metrics.stat().st_size if metrics.exists() else 0)
        line = {"step": step, "total_steps": 4, "losses": {"total_loss": 10.0 - step}, "time": 1.0}
        runfiles.append_line(metrics, line)
    record = json.loads((folder / "run.json").read_text())
    earlier = {**record, "id": "00000001", "state": "stopped", "reason": "stopped by ann"}
    begins = {"begins_at": {"metrics.jsonl": places[0]}, "computed_s": 70.0}
    runfiles.append_line(folder / "history.jsonl", {**earlier, **begins})
    record["begins_at"] = {"metrics.jsonl": places[2]}
    (folder / "run.json").write_text(json.dumps(record))
    assert main(["--root", str(tmp_path), "status", "--all", "--csv"]) == 0
    last, first = csv.DictReader(capsys.readouterr().out.splitlines())
    columns = ("outcome", "step", "last_loss", "computed_s", "unit")
    assert [last[key] for key in columns] == ["finished", "4", "6", "50", "steps"]
    assert [first[key] for key in columns] == ["stopped", "2", "8", "70", "steps"]
    assert last["ended_at"] == "2026-11-21 09:30:00"


def test_a_receipt_counts_in_the_unit_of_its_job(tmp_path):
    line = {"done": 48, "total": 48, "unit": "s of audio", "time": 5.0}
    runfiles.append_line(tmp_path / runfiles.METRICS_FILE, line)
    told = receipts.in_a_line(run(tmp_path, started_at=1.0, computed_s=6.0))
    assert told == "did 48 of 48 s of audio; took 6 s"


def test_receipts_as_a_spreadsheet_compute_nothing(tmp_path, capsys):
    from dlwa.cli import main

    make_run(tmp_path, state="failed", reason='=HYPERLINK("x"), said the log', ended_at=time.time())
    assert main(["--root", str(tmp_path), "status", "--all", "--csv"]) == 0
    (row,) = csv.DictReader(capsys.readouterr().out.splitlines())
    assert (row["owner"], row["outcome"]) == ("ann", "failed")
    assert row["reason"].startswith("'=HYPERLINK")
    assert float(row["computed_s"]) == pytest.approx(600, abs=5)


def test_what_is_made_of_others_models_goes_under_ones_own_name(tmp_path):
    ann = Settings("ann", tmp_path, origins={"owner": "test"})
    outputs = tmp_path / "outputs"
    assert ownership.results_of(parse_name("ann/flute"), ann) == outputs / "ann/flute"
    assert ownership.results_of(parse_name("flute"), ann) == outputs / "flute"
    assert ownership.results_of(parse_name("ben/flute"), ann) == outputs / "ann/ben/flute"
    nobody = Settings("root", tmp_path)
    assert ownership.results_of(parse_name("ben/flute"), nobody) == outputs / "ben/flute"
