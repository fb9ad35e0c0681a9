"""What is told of a training, when, and when it is taken back."""

import pytest

pytestmark = pytest.mark.ddsp

HEALTHY = {"target": 0.01, "sound": 0.008, "target_noisiness": 0.05, "sound_noisiness": 0.1}
SILENT = {**HEALTHY, "sound": 1e-9, "sound_noisiness": 1.0}
NOISY = {**HEALTHY, "sound_noisiness": 0.6}


def _events(alarm, *measured):
    return [[remark.event for remark in alarm.update(*values)] for values in measured]


def test_silence_and_noise_are_told_once_and_taken_back():
    from dlwa.ddsp.training.alarms import Collapse

    course = [HEALTHY, SILENT, SILENT, NOISY, NOISY, HEALTHY, HEALTHY, SILENT]
    told = _events(Collapse(), *[(1000 + i, heard) for i, heard in enumerate(course)])
    assert told == [
        [],
        ["silence"],
        [],
        ["noise_only", "recovered"],
        [],
        ["recovered"],
        [],
        ["silence"],
    ]


def test_a_young_model_a_noisy_recording_and_silent_data_are_no_collapse():
    from dlwa.ddsp.training.alarms import Collapse

    drum = {**NOISY, "target_noisiness": 0.5}
    nothing = {**SILENT, "target": 0.0}
    assert _events(Collapse(), (999, SILENT), (1000, drum), (1001, nothing), (1002, {})) == [[]] * 4


@pytest.mark.parametrize(("level_db", "told"), [(-29.0, []), (-31.0, ["silence"])])
def test_silence_begins_30_db_below_the_recordings(level_db, told):
    from dlwa.ddsp.training.alarms import Collapse

    heard = {**HEALTHY, "sound": HEALTHY["target"] * 10 ** (level_db / 10)}
    assert _events(Collapse(), (5000, heard)) == [told]


def test_a_plateau_is_ten_measurements_without_half_a_percent():
    from dlwa.ddsp.training.alarms import Plateau

    falling = [10.0 - 0.1 * i for i in range(20)]
    alarm = Plateau()
    assert not any(_events(alarm, *enumerate(falling)))
    creeping = [falling[-1] * (1 - 0.0003 * i) for i in range(1, 15)]
    told = _events(alarm, *enumerate(creeping, 20))
    assert told == [[]] * 9 + [["plateau"]] + [[]] * 4
    assert _events(alarm, (40, 5.0)) == [["recovered"]]


def test_the_plateau_says_where_the_best_was():
    from dlwa.ddsp.training.alarms import Plateau

    alarm = Plateau(patience=2)
    alarm.update(300, 5.25)
    alarm.update(600, 5.5)
    (remark,) = alarm.update(900, 5.5)
    assert "5.25 at step 300" in remark.text


def _run_at(alarm, step, at_s, rate, seconds):
    """Steps at a rate for some seconds; returns (events, step, time)."""
    told = []
    end_s = at_s + seconds
    while at_s < end_s:
        step, at_s = step + 1, at_s + 1 / rate
        told += [remark.event for remark in alarm.update(step, at_s)]
    return told, step, at_s


def test_a_training_that_becomes_slow_is_told_after_a_minute_and_taken_back():
    from dlwa.ddsp.training.alarms import SlowDown

    alarm = SlowDown()
    told, step, at_s = _run_at(alarm, 0, 0.0, 10.0, 120)
    assert not told
    told, step, at_s = _run_at(alarm, step, at_s, 7.0, 120)
    assert not told, "a third slower is not slow"
    told, step, at_s = _run_at(alarm, step, at_s, 5.0, 40)
    assert not told, "it may be over in a moment"
    told, step, at_s = _run_at(alarm, step, at_s, 5.0, 120)
    assert told == ["slow"]
    assert _run_at(alarm, step, at_s, 10.0, 60)[0] == ["recovered"]


def test_single_slow_steps_and_quick_ones_are_no_slow_down():
    from dlwa.ddsp.training.alarms import SlowDown

    alarm, at_s, told = SlowDown(), 0.0, []
    for step in range(1, 20000):
        at_s += 3.0 if step % 500 == 0 else (0.001 if step < 50 else 0.05)
        told += alarm.update(step, at_s)
    assert not told
