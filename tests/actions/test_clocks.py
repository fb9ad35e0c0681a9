"""Clocks are set, forwards and back: lengths of time stay true, and nothing is told wrongly."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from dlwa import runfiles
from dlwa.actions import durations, monitor, progress, receipts, remarks
from dlwa.actions._record import Record
from dlwa.actions.runs import Run, read_run
from dlwa.hosts.local import LocalHost
from dlwa.workspace import RunPaths
from tests.made_runs import add_log, make_run

HOUR_S = 3600.0


class Clock:
    """Two clocks: one that people set, one that nobody sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shift_s = self.passed_s = 0.0
        wall, steady = time.time, time.monotonic
        monkeypatch.setattr(time, "time", lambda: wall() + self.shift_s + self.passed_s)
        monkeypatch.setattr(time, "monotonic", lambda: steady() + self.passed_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def read(folder: Path) -> Run:
    run = read_run(folder, LocalHost())
    assert run is not None
    return run


@pytest.mark.parametrize("set_by_s", [2 * HOUR_S, -2 * HOUR_S, 400 * 24 * HOUR_S])
def test_lengths_of_time_are_measured_not_subtracted(
    tmp_path: Path, clock: Clock, set_by_s: float
) -> None:
    folder = make_run(tmp_path, gpu_uuids=["GPU-1"], created_at=time.time(), started_at=None)
    record = Record(RunPaths(folder))
    clock.passed_s = 600.0
    clock.shift_s = set_by_s
    assert record.mind_clock() == pytest.approx(set_by_s, abs=1)
    assert durations.waited_s(read(folder)) == pytest.approx(600, abs=2)
    record.begin()
    clock.passed_s += 1800.0
    assert durations.computed_s(read(folder)) == pytest.approx(1800, abs=2)
    clock.shift_s = 0.0
    record.mind_clock()
    assert durations.computed_s(read(folder)) == pytest.approx(1800, abs=2)
    record.finish(state="finished", ended_at=time.time())
    ended = read(folder)
    told = receipts.receipt(ended)
    assert (told.waited_s, told.computed_s) == pytest.approx((600, 1800), abs=2)
    assert told.gpu_hours == pytest.approx(0.5, abs=0.01)


def test_a_small_correction_is_no_jump(tmp_path: Path, clock: Clock) -> None:
    record = Record(RunPaths(make_run(tmp_path)))
    clock.shift_s = 2.0
    assert record.mind_clock() == 0.0 and "clock_shift_s" not in record.values


@pytest.mark.parametrize("before", [{}, {"started_at": None}, {"created_at": None}])
def test_records_without_measurements_never_give_less_than_nothing(
    tmp_path: Path, before: dict[str, Any]
) -> None:
    future = {"created_at": time.time() + HOUR_S, "started_at": time.time() + 900, **before}
    for state, ended_at in (("running", None), ("finished", time.time())):
        run = read(make_run(tmp_path, state=state, ended_at=ended_at, **future))
        assert durations.computed_s(run) >= 0 and durations.waited_s(run) >= 0
        assert all("-" not in value for _, value in receipts.receipt(run).lines())


def test_a_clock_set_forward_does_not_stall_a_run(tmp_path: Path, clock: Clock) -> None:
    """Its files look hours old at once; the wrapper's look at the clock freshens the record."""
    folder = make_run(tmp_path)
    add_log(folder)
    an_hour_ago = time.time() - HOUR_S
    for path in folder.iterdir():
        os.utime(path, (an_hour_ago, an_hour_ago))
    assert read(folder).state == "stalled"
    clock.shift_s = 100.0
    Record(RunPaths(folder)).mind_clock()  # too late: it began after the clock was set
    assert read(folder).state == "stalled"
    record = Record(RunPaths(folder))
    clock.shift_s = 200.0
    record.mind_clock()
    assert read(folder).state == "running"


def test_a_clock_set_back_does_not_hide_that_a_run_stalls(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    add_log(folder)
    for path, age_s in ((folder / "dlwa_train.log", -2 * HOUR_S), (folder / "run.json", HOUR_S)):
        moment = time.time() - age_s
        os.utime(path, (moment, moment))
    assert read(folder).state == "stalled"


def test_reports_from_before_the_beginning_by_the_clock_still_count(tmp_path: Path) -> None:
    folder = make_run(tmp_path, started_at=time.time() + HOUR_S)
    runfiles.report_step(folder, 10, 100, {"total_loss": 9.0}, 1.0)
    runfiles.report_event(folder, "plateau", text="no longer improves")
    record = Record(RunPaths(folder))
    record.begin()
    older = read(folder)
    assert progress.progress_of(older).left_s is None and not remarks.remarks_of(older)
    set_back = time.time() - 2 * HOUR_S
    runfiles.append_line(
        folder / "metrics.jsonl",
        {"step": 50, "total_steps": 100, "losses": {}, "steps_per_s": 0.5, "time": set_back},
    )
    runfiles.append_line(folder / "events.jsonl", {"event": "slow", "text": "x", "time": set_back})
    now = progress.progress_of(read(folder))
    assert now and (now.done, now.left_s) == (50, 100)
    assert [remark.event for remark in remarks.remarks_of(read(folder))] == ["slow"]
    assert receipts.receipt(read(folder)).step == 50


@pytest.mark.parametrize("set_by_s", [2 * HOUR_S, -2 * HOUR_S])
def test_the_speed_on_the_screen_survives_a_jump(tmp_path: Path, set_by_s: float) -> None:
    folder = make_run(tmp_path)
    for number in range(20):
        at = time.time() - 20 + number + (set_by_s if number >= 10 else 0.0)
        line = {"step": 2 * number, "total_steps": 1000, "losses": {}, "time": at}
        runfiles.append_line(folder / "metrics.jsonl", {**line, "steps_per_s": 2.0})
    seen = monitor.Watcher(folder, LocalHost()).look()
    assert seen.rate == pytest.approx(2.0, rel=0.01)
    assert seen.eta_s == pytest.approx((1000 - 38) / 2, rel=0.02)
    assert seen.reported_s_ago is not None and seen.reported_s_ago >= 0


def test_a_receipt_counts_all_turns_of_a_run(tmp_path: Path) -> None:
    """Put back into the line and begun again: the best loss may be of an earlier turn."""
    folder = make_run(tmp_path)
    runfiles.report_step(folder, 1, 100, {"total_loss": 1.0}, 1.0)  # another run's
    record = Record(RunPaths(folder))
    record.begin()
    runfiles.report_step(folder, 10, 100, {"total_loss": 3.0}, 1.0)
    runfiles.report_event(folder, "slow", text="x")
    record.pause("its time was up", "waits for another turn")
    record.begin()
    runfiles.report_step(folder, 20, 100, {"total_loss": 4.0}, 1.0)
    told = receipts.receipt(read(folder))
    assert (told.step, told.last_loss, told.best_loss) == (20, 4.0, 3.0)
    assert not remarks.remarks_of(read(folder)), "a warning holds for the turn it was said in"
