"""What a watcher sees of a run, from its files only."""

import json
import os
import time
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions.curves import CAPACITY, Curve
from dlwa.actions.monitor import Tail, Watcher, main_loss
from dlwa.errors import NotFoundError
from dlwa.hosts.local import LocalHost
from tests.made_runs import add_log, add_steps, make_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_run(tmp_path)


def look(folder: Path):
    return Watcher(folder, LocalHost()).look()


def test_a_training_is_seen_with_speed_and_time_left(folder: Path) -> None:
    add_steps(folder, count=600, every=2, per_s=2.0)
    seen = look(folder)
    assert (seen.done, seen.total, seen.unit) == (1200, 30000, "steps")
    assert seen.rate == pytest.approx(2.0, rel=0.02)
    assert seen.eta_s == pytest.approx(28800 / 2.0, rel=0.02)
    assert seen.fraction == pytest.approx(0.04)
    assert seen.loss == pytest.approx(5.35, abs=0.5)


def test_before_the_first_report_nothing_is_made_up(folder: Path) -> None:
    seen = look(folder)
    assert seen.done is None and seen.rate is None and seen.eta_s is None and seen.curve == ()
    assert seen.total == 30000 and seen.log == ()


def test_a_folder_without_a_record(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"run"):
        look(tmp_path)


@pytest.mark.parametrize("state", ["queued", "finished", "failed", "stopped"])
def test_only_a_running_run_has_time_left(tmp_path: Path, state: str) -> None:
    folder = make_run(tmp_path, state=state, reason="because")
    add_steps(folder)
    seen = look(folder)
    assert seen.eta_s is None and seen.run.reason == "because"


def test_a_killed_wrapper_is_lost_not_running(tmp_path: Path) -> None:
    folder = make_run(tmp_path, pid=2**22 + 1, pid_start=1)
    add_steps(folder)
    assert look(folder).run.state == "lost"


def test_data_preparation_counts_its_own_unit(tmp_path: Path) -> None:
    folder = make_run(tmp_path, kind="make-dataset", total_steps=None)
    for done in (0, 10, 20):
        runfiles.report_progress(folder, done, 90, "s of audio", "pitch")
    seen = look(folder)
    assert (seen.done, seen.total, seen.unit, seen.what) == (20, 90, "s of audio", "pitch")


def test_a_break_of_days_does_not_slow_the_speed_down(folder: Path) -> None:
    add_steps(folder, count=60, every=2, per_s=2.0)
    lines = (folder / runfiles.METRICS_FILE).read_text().splitlines()
    early = [json.loads(line) for line in lines]
    for line in early:
        line["time"] -= 3 * 86400
    later = [{**json.loads(line), "step": json.loads(line)["step"] + 120} for line in lines]
    text = "".join(json.dumps(line) + "\n" for line in early + later)
    (folder / runfiles.METRICS_FILE).write_text(text)
    assert look(folder).rate == pytest.approx(2.0, rel=0.1)


def test_each_look_reads_only_what_is_new(folder: Path) -> None:
    add_steps(folder, count=100)
    watcher = Watcher(folder, LocalHost())
    watcher.look()
    runfiles.report_step(folder, 202, 30000, {"total_loss": 4.0}, 2.0)
    seen = watcher.look()
    assert seen.done == 202 and len(seen.curve) == 101


def test_a_line_half_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"st')
    tail = Tail(path)
    assert tail.read() == ([{"step": 1}], True)
    with path.open("a") as stream:
        stream.write('ep": 2}\n')
    assert tail.read() == ([{"step": 2}], False)
    assert tail.read() == ([], False)


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n\x00\x00\xff\n[1]\n{"step": 2}\n')
    assert Tail(path).read()[0] == [{"step": 1}, {"step": 2}]


def test_a_file_begun_anew_is_read_from_the_start(folder: Path) -> None:
    add_steps(folder, count=300)
    watcher = Watcher(folder, LocalHost())
    watcher.look()
    (folder / runfiles.METRICS_FILE).unlink()
    runfiles.report_step(folder, 1, 30000, {"total_loss": 12.0}, 1.0)
    seen = watcher.look()
    assert seen.done == 1 and len(seen.curve) == 1


def test_a_loss_that_is_no_number_does_not_spoil_the_curve(folder: Path) -> None:
    runfiles.report_step(folder, 1, 10, {"total_loss": 6.0}, 1.0)
    runfiles.report_step(folder, 2, 10, {"total_loss": float("nan")}, 1.0)
    runfiles.report_step(folder, 3, 10, {"total_loss": 6.0}, 1.0)
    seen = look(folder)
    assert [point.value for point in seen.curve] == [6.0, 6.0]
    json.dumps(seen.document(), allow_nan=False)


def test_a_log_of_100_mb_opens_at_once(folder: Path) -> None:
    log = folder / "dlwa_train.log"
    with log.open("wb") as stream:
        stream.truncate(100 * 2**20)
        stream.seek(0, os.SEEK_END)
        stream.write(b"\n" + b"".join(b"\rstep %6d" % step for step in range(200_000)) + b"\nend\n")
    began = time.process_time()
    seen = look(folder)
    assert time.process_time() - began < 1.0
    assert seen.log[-2:] == ("step 199999", "end")


def test_the_log_shows_the_last_drawing_of_a_bar(folder: Path) -> None:
    add_log(folder, lines=3)
    assert look(folder).log[0] == "loading 100%"


def test_how_the_run_before_ended_is_no_event_of_this_one(tmp_path: Path) -> None:
    """A training gone on with must not seem stopped."""
    folder = make_run(tmp_path)
    runfiles.report_event(folder, "stopped", step=18)
    ended = (folder / "events.jsonl").stat().st_size
    record = json.loads((folder / "run.json").read_text())
    runfiles.write_json(folder / "run.json", {**record, "begins_at": {"events.jsonl": ended}})
    assert look(folder).event is None
    runfiles.report_event(folder, "checkpoint", step=20)
    assert look(folder).event["event"] == "checkpoint"


def test_document_is_json_and_complete(folder: Path) -> None:
    add_steps(folder, count=50)
    runfiles.report_event(folder, "checkpoint", step=100)
    document = json.loads(json.dumps(look(folder).document(), allow_nan=False))
    assert document["run"]["state"] == "running"
    assert document["progress"]["done"] == 100
    assert document["event"]["event"] == "checkpoint"
    assert len(document["curve"]) == 50


def test_main_loss_is_the_total() -> None:
    assert main_loss({"spectral_loss": 1.0, "total_loss": 3.0}) == 3.0
    assert main_loss({"spectral_loss": 1.0}) == 1.0
    assert main_loss({}) is None


class TestCurve:
    def test_starts_at_the_first_value(self) -> None:
        curve = Curve()
        curve.add(1, 12.0)
        assert curve.points[0].value == 12.0

    def test_smooths_noise_towards_its_mean(self) -> None:
        curve = Curve()
        for step in range(400):
            curve.add(step, 5.0 + (1.0 if step % 2 else -1.0))
        assert curve.points[-1].value == pytest.approx(5.0, abs=0.1)

    def test_never_grows_beyond_its_capacity_and_keeps_the_end(self) -> None:
        curve = Curve()
        for step in range(100_000):
            curve.add(step, float(step))
        assert CAPACITY // 4 < len(curve.points) < CAPACITY
        steps = [point.step for point in curve.points]
        assert steps == sorted(steps) and steps[-1] > 99_000

    def test_a_resumed_training_replaces_what_lay_beyond(self) -> None:
        curve = Curve()
        for step in range(100):
            curve.add(step, 10.0)
        curve.add(50, 2.0)
        assert [point.step for point in curve.points] == list(range(51))
        assert curve.points[-2].value == 10.0 > curve.points[-1].value

    def test_a_training_begun_anew_forgets_the_old_losses(self) -> None:
        curve = Curve()
        curve.add(5, 10.0)
        curve.add(1, 2.0)
        assert [(point.step, point.value) for point in curve.points] == [(1, 2.0)]
