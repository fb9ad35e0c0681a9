"""Whole trainings: exact resume, what they leave, what stops them."""

import json
import signal
import subprocess
import sys
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
    """The folder and the log of a training of six steps at once."""
    folder = tmp_path_factory.mktemp("six steps")
    done = small_run.run(dataset, folder, 6)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, done.stderr


@pytest.fixture
def run_here(capfd, caplog):
    """Run a small training in this process: (exit code, what it said)."""
    caplog.set_level("INFO", logger="absl")

    def run(*args, **kwargs):
        caplog.clear()
        code = small_run.run_here(*args, **kwargs)
        return code, caplog.text + capfd.readouterr().err

    return run


def _values(prefix):
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(prefix))
    names = [n for n in reader.get_variable_to_shape_map() if not n.startswith("_CHECKPOINTABLE")]
    return {name: reader.get_tensor(name) for name in names}


def test_three_steps_and_three_more_equal_six(dataset, six_steps, tmp_path, run_here):
    assert run_here(dataset, tmp_path, 3)[0] == 0
    done = small_run.run(dataset, tmp_path, 6)  # another process goes on
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


def test_resuming_with_another_model_is_refused(dataset, six_steps, run_here):
    before = sorted(p.name for p in six_steps[0].glob("ckpt-*"))
    code, said = run_here(dataset, six_steps[0], 8, "SpectralLoss.mag_weight=0.5")
    assert code == 1
    assert "SpectralLoss.mag_weight: was 1.0, now 0.5" in said
    assert "Traceback" not in said
    assert sorted(p.name for p in six_steps[0].glob("ckpt-*")) == before


@pytest.mark.parametrize(
    ("params", "code", "said"),
    [
        (["RnnFcDecoder.chh=3"], 2, "RnnFcDecoder.ch"),
        (["batch_sizee=8"], 2, "batch_size"),
        (["--gin_file=models/solo_instrumnt.gin"], 2, "solo_instrument"),
        (["TFRecordProvider.file_pattern='nowhere/data*'"], 3, "nowhere"),
        (["TFRecordProvider.example_secs=4"], 1, "TFRecordProvider.example_secs = 1"),
        (["TFRecordProvider.file_pattern=None"], 2, "file_pattern"),
        (["RnnFcDecoder.rnn_type='grü'"], 1, "rnn_type"),
    ],
)
def test_wrong_settings_are_told_without_a_traceback(
    dataset, tmp_path, run_here, params, code, said
):
    got, told = run_here(dataset, tmp_path, 2, *params)
    assert got == code
    assert said in told and "Traceback" not in told
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


KILLED_WHILE_SAVING = """
import os, sys, time
from pathlib import Path
import numpy as np
import tensorflow as tf  # not used before the fork: its threads would be lost
from dlwa.ddsp.training import checkpoints, trainers
from dlwa.ddsp.training.models import Model

folder = Path(sys.argv[1])

class Weights(Model):
    def build(self, *_):
        self.w = self.add_weight(name="w", shape=[20000], initializer="ones")
        self.built = True
    def call(self, features, training=True):
        self._losses_dict["a"] = tf.reduce_mean(self.w**2)
        return {}

def train_until_killed():
    tf.config.run_functions_eagerly(True)  # it is the saving that is tried, not the graph
    trainer = trainers.Trainer(Weights(), tf.distribute.get_strategy(), checkpoints_to_keep=2)
    batch = {"x": tf.zeros([1])}
    trainer.build(batch)
    if checkpoints.saved_steps(folder):
        trainer.restore(str(folder))
    (folder / "restored").write_text(str(int(trainer.step.numpy())))
    while True:
        trainer.train_step(batch)
        trainer.save(str(folder))

def newest():
    return max(checkpoints.saved_steps(folder), default=0)

random = np.random.default_rng(0)
saved = 0
for _ in range(10):
    child = os.fork()
    if not child:
        train_until_killed()
    deadline = time.monotonic() + 60
    while newest() < saved + 3 and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(float(random.uniform(0.0, 0.02)))  # the moment is random; nothing waits for it
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert int((folder / "restored").read_text()) >= saved - 1, (saved, os.listdir(folder))
    assert newest() >= saved + 3, "it came no further"
    saved = newest()
assert checkpoints.newest(folder), os.listdir(folder)
"""


def test_sigkill_at_ten_moments_of_saving_never_loses_a_good_checkpoint(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_SAVING, str(tmp_path)],
        capture_output=True,
        text=True,
        env=small_run.environment(),
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]


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


def test_a_loss_that_is_not_a_number_rolls_back_three_times_and_then_stops(tmp_path, run_here):
    """1e30 is a number, but its square is not."""
    _change_audio(small_run.write_dataset(tmp_path / "loud", 4), 1e30)
    code, said = run_here(tmp_path / "loud", tmp_path / "model", 4)
    events = _events(tmp_path / "model")
    assert code == 1 and "Traceback" not in said
    assert events.count("rollback") == 3 and events[-1] == "failed"
    assert "not a number" in said and "learning_rate=1e-4" in said
    assert (tmp_path / "model" / "ckpt-0.index").exists()


def test_examples_that_hold_no_numbers_are_left_out_and_told(tmp_path, run_here):
    good = small_run.write_dataset(tmp_path / "data", 4)
    bad = small_run.write_dataset(tmp_path / "bad", 1)
    _change_audio(bad, float("nan"))
    (bad / "data.tfrecord-00000-of-00001").rename(good / "data.tfrecord-00001-of-00002")
    code, said = run_here(good, tmp_path / "model", 6)
    assert code == 0
    events = _events(tmp_path / "model")
    assert "bad_data" in events and "rollback" not in events
    assert "audio holds values that are not a number" in said
    _change_audio(small_run.write_dataset(tmp_path / "all bad", 3), float("nan"))
    code, said = run_here(tmp_path / "all bad", tmp_path / "other model", 6)
    assert code == 1 and "prepare the data set again" in said


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
