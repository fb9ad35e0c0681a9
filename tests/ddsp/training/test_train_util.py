"""Whole trainings: exact resume, what they leave, what stops them."""

import json
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from dlwa import runfiles
from tests.ddsp.training import small_run

pytestmark = pytest.mark.ddsp


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data set")
    small_run.write_dataset(folder)
    return small_run.write_dataset(folder, 2, "heldout.tfrecord-00000-of-00001", seed=1)


@pytest.fixture(scope="module")
def six_steps(dataset, tmp_path_factory):
    """The folder of a training of six steps at once."""
    folder = tmp_path_factory.mktemp("six steps")
    done = small_run.run(dataset, folder, 6)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, done.stderr


def _values(prefix):
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(prefix))
    names = [n for n in reader.get_variable_to_shape_map() if not n.startswith("_CHECKPOINTABLE")]
    return {name: reader.get_tensor(name) for name in names}


def test_three_steps_and_three_more_equal_six(dataset, six_steps, tmp_path):
    for steps in (3, 6):
        done = small_run.run(dataset, tmp_path, steps)
        assert done.returncode == 0, done.stderr[-2000:]
    assert "at step 3" in done.stderr
    expected, got = _values(six_steps[0] / "ckpt-6"), _values(tmp_path / "ckpt-6")
    assert expected.keys() == got.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(got[name], value, err_msg=name)


def test_what_a_training_leaves(six_steps):
    folder, log = six_steps
    assert "step: 6\tspectral_loss: " in log and "Training Finished!" in log
    assert {"checkpoint", "ckpt-6.index", "operative_config-0.gin", "model_config.json"} <= {
        p.name for p in folder.iterdir()
    }
    metrics = list(runfiles.read_lines(folder / runfiles.METRICS_FILE))
    assert metrics[0]["step"] == 1 and metrics[-1]["step"] == 6
    assert metrics[-1]["total_steps"] == 6 and metrics[-1]["heldout_loss"] > 0
    saved = [
        e["step"]
        for e in runfiles.read_lines(folder / runfiles.EVENTS_FILE)
        if e["event"] == "checkpoint"
    ]
    assert saved == [0, 2, 4, 6]
    assert "RnnFcDecoder.ch = 16" in (folder / "operative_config-0.gin").read_text()


def test_tensorboard_files_hold_losses_and_speed(six_steps):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(six_steps[0] / "summaries" / "train"), {"tensors": 0})
    events.Reload()
    tags = set(events.Tags()["tensors"])
    assert {
        "losses/spectral_loss",
        "losses/total_loss",
        "steps_per_sec",
        "heldout/total_loss",
        "gin/operative_config-0",
    } <= tags
    assert [e.step for e in events.Tensors("losses/total_loss")] == [2, 4, 6]


def test_resuming_with_another_model_is_refused(dataset, six_steps):
    before = sorted(p.name for p in six_steps[0].glob("ckpt-*"))
    done = small_run.run(dataset, six_steps[0], 8, "SpectralLoss.mag_weight=0.5")
    assert done.returncode == 1
    assert "SpectralLoss.mag_weight: was 1.0, now 0.5" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in six_steps[0].glob("ckpt-*")) == before


@pytest.mark.parametrize(
    ("params", "code", "said"),
    [
        (["RnnFcDecoder.chh=3"], 2, "RnnFcDecoder.ch"),
        (["batch_sizee=8"], 2, "batch_size"),
        (["--gin_file=models/solo_instrumnt.gin"], 2, "solo_instrument"),
        (["TFRecordProvider.file_pattern='nowhere/data*'"], (1, 3), "nowhere"),
    ],
)
def test_wrong_settings_are_told_without_a_traceback(dataset, tmp_path, params, code, said):
    done = small_run.run(dataset, tmp_path, 2, *params)
    assert done.returncode in (code if isinstance(code, tuple) else (code,)), done.stderr[-1500:]
    assert said in done.stderr and "Traceback" not in done.stderr
    failed = [
        e for e in runfiles.read_lines(tmp_path / runfiles.EVENTS_FILE) if e["event"] == "failed"
    ]
    assert failed and said in failed[0]["reason"] + failed[0]["hint"]


def _wait_for(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing happened; exit code {process.poll()}")


def _start(dataset, folder, *more, **kwargs):
    return subprocess.Popen(
        small_run.argv(dataset, folder, 100000, *more, **kwargs),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=small_run.environment(),
        text=True,
    )


def _highest_step(folder):
    lines = list(runfiles.read_lines(Path(folder) / runfiles.METRICS_FILE))
    return lines[-1]["step"] if lines else 0


def test_sigterm_saves_says_stopped_and_exits_well(dataset, tmp_path):
    process = _start(dataset, tmp_path, steps_per_save=100000)
    _wait_for(lambda: _highest_step(tmp_path) >= 1, process)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0, log[-1500:]
    events = list(runfiles.read_lines(tmp_path / runfiles.EVENTS_FILE))
    assert events[-1]["event"] == "stopped" and "SIGTERM" in events[-1]["text"]
    step = events[-1]["step"]
    assert step >= 1 and (tmp_path / f"ckpt-{step}.index").exists()


def test_sigkill_at_any_moment_leaves_a_good_checkpoint(dataset, tmp_path):
    """Saving after every step, so that most kills fall into a save."""
    from dlwa.ddsp.training import checkpoints

    random = np.random.default_rng(0)
    before = 0
    for _ in range(3):
        process = _start(dataset, tmp_path, steps_per_save=1)
        goal = before + 2
        _wait_for(
            lambda goal=goal: max(checkpoints.saved_steps(tmp_path), default=0) >= goal, process
        )
        # The moment itself is random; nothing waits for it.
        time.sleep(float(random.uniform(0.0, 0.05)))
        process.kill()
        process.communicate()
        newest = checkpoints.newest(tmp_path)
        assert newest is not None
        step = int(newest.rsplit("-", 1)[1])
        assert step >= goal
        before = step


def _change_audio(dataset, value):
    """Put a value into every example's audio."""
    import tensorflow as tf

    (record,) = dataset.glob("data*")
    raw = [r.numpy() for r in tf.data.TFRecordDataset(str(record))]
    with tf.io.TFRecordWriter(str(record)) as writer:
        for example in map(tf.train.Example.FromString, raw):
            example.features.feature["audio"].float_list.value[5] = value
            writer.write(example.SerializeToString())


def _events(folder):
    return [e["event"] for e in runfiles.read_lines(folder / runfiles.EVENTS_FILE)]


def test_a_loss_that_is_not_a_number_rolls_back_three_times_and_then_stops(tmp_path):
    """1e30 is a number, but its square is not."""
    _change_audio(small_run.write_dataset(tmp_path / "loud", 4), 1e30)
    done = small_run.run(tmp_path / "loud", tmp_path / "model", 4)
    events = _events(tmp_path / "model")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert events.count("rollback") == 3 and events[-1] == "failed"
    assert "not a number" in done.stderr and "learning_rate=1e-4" in done.stderr
    assert (tmp_path / "model" / "ckpt-0.index").exists()


def test_examples_that_hold_no_numbers_are_left_out_and_told(tmp_path):
    good = small_run.write_dataset(tmp_path / "data", 4)
    bad = small_run.write_dataset(tmp_path / "bad", 1)
    _change_audio(bad, float("nan"))
    (bad / "data.tfrecord-00000-of-00001").rename(good / "data.tfrecord-00001-of-00002")
    done = small_run.run(good, tmp_path / "model", 6)
    assert done.returncode == 0, done.stderr[-1500:]
    events = _events(tmp_path / "model")
    assert "bad_data" in events and "rollback" not in events
    assert "audio holds values that are not a number" in done.stderr
    _change_audio(small_run.write_dataset(tmp_path / "all bad", 3), float("nan"))
    done = small_run.run(tmp_path / "all bad", tmp_path / "other model", 6)
    assert done.returncode == 1 and "prepare the data set again" in done.stderr


def test_file_choices_are_those_of_the_reference(tmp_path):
    from dlwa.ddsp.training import train_util
    from tests.ddsp.golden import FOLDER

    for number, case in enumerate(
        json.loads((FOLDER / "train_util_files.json").read_text())["cases"]
    ):
        folder = tmp_path / str(number)
        for name, text in case["files"].items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        folder.mkdir(exist_ok=True)
        arguments = [a.replace("$DIR", str(folder)) for a in case["args"]]
        function = getattr(train_util, case["function"])
        if case["result"].startswith("!"):
            with pytest.raises(Exception) as caught:
                function(*arguments)
            assert type(caught.value).__name__ == case["result"][1:]
        else:
            assert function(*arguments) == case["result"].replace("$DIR", str(folder))


def test_paths_are_spelt_out(monkeypatch):
    from dlwa.ddsp.training import train_util

    monkeypatch.setenv("SOMEWHERE", "/data")
    assert train_util.expand_path("$SOMEWHERE/x") == "/data/x"
    assert train_util.expand_path("") == ""
    assert train_util.expand_path("~/x") == str(Path("~/x").expanduser())
