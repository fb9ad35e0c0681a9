"""What is read from the files of a training."""

import json

import pytest

from dlwa import runfiles

pytestmark = pytest.mark.ddsp


def write_steps(folder, steps, begin=1000.0, every_s=1.0, **more):
    with (folder / runfiles.METRICS_FILE).open("a", encoding="utf-8") as stream:
        for i, step in enumerate(steps):
            line = {
                "step": step,
                "total_steps": 100,
                "losses": {"spectral_loss": 1.0 * step, "total_loss": 10.0 - step / 20},
                "steps_per_s": 2.0,
                "time": begin + i * every_s,
                **more,
            }
            stream.write(json.dumps(line) + "\n")


def read(folder, **more):
    from dlwa.ddsp.history import read_training

    return read_training(folder, **more)


def test_steps_undone_by_a_rollback_are_not_drawn(tmp_path):
    write_steps(tmp_path, [1, 10, 20, 30, 40])
    write_steps(tmp_path, [21, 31, 50], begin=1010.0)
    training = read(tmp_path)
    assert [report["step"] for report in training.reports] == [1, 10, 20, 21, 31, 50]
    assert training.losses("total_loss")[1][-1] == 7.5
    assert training.loss_names == ["total_loss", "spectral_loss"]


def test_pauses_between_sessions_are_not_time_spent(tmp_path):
    write_steps(tmp_path, range(100))
    write_steps(tmp_path, range(100, 200), begin=90000.0)
    write_steps(tmp_path, range(200, 210), begin=90110.0)
    assert read(tmp_path).working_s == pytest.approx(99 + 99 + 11 + 9)


def test_slow_trainings_have_no_pauses(tmp_path):
    """A step a minute and a half: what would be a break of others is a step."""
    write_steps(tmp_path, range(10), every_s=90.0)
    assert read(tmp_path).working_s == pytest.approx(9 * 90)


def test_held_out_losses_come_from_events_or_else_from_the_changes(tmp_path):
    write_steps(tmp_path, [1, 2, 3], heldout_loss=9.0)
    write_steps(tmp_path, [4, 5], heldout_loss=8.0)
    assert read(tmp_path).heldout == [(1, 9.0), (4, 8.0)]
    for step, loss in ((0, 9.5), (3, 8.5), (6, 7.0), (4, 7.5)):
        runfiles.report_event(tmp_path, "checkpoint", step=step, loss=loss, best=True, heldout=True)
    assert read(tmp_path).heldout == [(0, 9.5), (3, 8.5), (4, 7.5)]


@pytest.mark.parametrize(
    ("event", "state", "reason"),
    [
        ({"event": "stopped", "reason": "asked to"}, "stopped", "asked to"),
        ({"event": "failed", "reason": "no data", "hint": "look"}, "failed", "no data"),
        ({"event": "checkpoint"}, "unknown", ""),
    ],
)
def test_without_a_record_the_last_words_count(tmp_path, event, state, reason):
    write_steps(tmp_path, [1, 50])
    runfiles.append_line(tmp_path / runfiles.EVENTS_FILE, event)
    training = read(tmp_path)
    assert (training.state, training.reason, training.live) == (state, reason, False)
    assert training.hint == event.get("hint", "")
    write_steps(tmp_path, [100])
    if state == "unknown":
        assert read(tmp_path).state == "finished"


def test_somebody_who_looked_knows_better_than_the_record(tmp_path):
    runfiles.write_json(tmp_path / runfiles.RECORD_FILE, {"state": "running", "reason": ""})
    assert read(tmp_path).live
    lost = read(tmp_path, state="lost", reason="the machine restarted")
    assert lost.state == "lost" and not lost.live and lost.reason == "the machine restarted"
