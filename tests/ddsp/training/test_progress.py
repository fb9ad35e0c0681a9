"""What a training tells while it runs, by a clock of the test's own."""

import pytest

from dlwa import runfiles

pytestmark = pytest.mark.ddsp


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def progress(tmp_path, clock):
    from dlwa.ddsp.training.progress import Progress

    made = Progress(tmp_path, 10000, 100, clock)
    made.start(0)
    return made


def _steps(progress, clock, steps, seconds_each):
    for step in steps:
        clock.now += seconds_each
        progress.step(step, {"total_loss": 5.0})


def _events(folder):
    return [event["event"] for event in runfiles.read_lines(folder / runfiles.EVENTS_FILE)]


def test_a_slow_down_is_told_in_the_events_and_taken_back(progress, clock, tmp_path):
    _steps(progress, clock, range(1, 301), 0.25)
    assert _events(tmp_path) == []
    _steps(progress, clock, range(301, 401), 1.0)
    assert _events(tmp_path) == ["slow"]
    _steps(progress, clock, range(401, 601), 0.25)
    events = list(runfiles.read_lines(tmp_path / runfiles.EVENTS_FILE))
    assert [event["event"] for event in events] == ["slow", "recovered"]
    assert "1 steps/s and was at 4" in events[0]["text"] and events[1]["of"] == "slow"


def test_saving_is_no_slow_down_and_no_part_of_the_speed(progress, clock, tmp_path):
    for begin in range(1, 1001, 100):
        _steps(progress, clock, range(begin, begin + 100), 0.25)
        with progress.pause():
            clock.now += 120.0
    assert _events(tmp_path) == []
    assert progress.steps_per_s == pytest.approx(4.0, rel=0.01)


def test_metrics_are_a_line_a_second_the_first_and_the_last_always(progress, clock, tmp_path):
    _steps(progress, clock, range(1, 48), 0.1)
    progress.close()
    steps = [line["step"] for line in runfiles.read_lines(tmp_path / runfiles.METRICS_FILE)]
    assert steps[0] == 1 and steps[-1] == 47 and 5 <= len(steps) <= 7


def test_gpus_take_memory_as_it_is_needed(monkeypatch):
    import tensorflow as tf

    from dlwa.ddsp import quiet

    grown = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda gpu, on: grown.append((gpu, on))
    )
    quiet.import_tensorflow(allow_memory_growth=False)
    assert not grown
    quiet.import_tensorflow(allow_memory_growth=True)
    assert grown == [("GPU:0", True), ("GPU:1", True)]
