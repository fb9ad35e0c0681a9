"""A disk that is really full, and memory that is really too small."""

import shutil
import subprocess
import sys

import pytest

from tests.ddsp.training import small_run

pytestmark = [pytest.mark.ddsp, pytest.mark.integration]
OWN_MOUNTS = ["unshare", "--mount", "--map-root-user"]

ON_A_SMALL_DISK = """
import os
import sys
from pathlib import Path
from dlwa import runfiles
from dlwa.ddsp.training import checkpoints, guards, trainers
from tests.ddsp.training import tiny_training as tiny

disk = Path(sys.argv[1])
folder = disk / "model"

class Crowded(trainers.Trainer):
    # before step 13 somebody else fills the disk

    def advance(self, batch):
        if int(self.step.numpy()) == 12:
            filler = os.open(disk / "filler", os.O_WRONLY | os.O_CREAT)
            try:
                while os.write(filler, bytes(1000)):
                    pass
            except OSError:
                os.close(filler)
        return super().advance(batch)

def train(steps, keep, kind=trainers.Trainer):
    trainer = tiny.trainer_of(tiny.Linear(width=50000), kind, checkpoints_to_keep=keep)
    data = tiny.Numbers(8, width=50000)
    outcome, _ = tiny.train(folder, data, trainer, num_steps=steps, steps_per_save=1)
    assert outcome == "finished"

def readable():
    steps = checkpoints.saved_steps(folder)
    assert steps and all(checkpoints.is_readable(checkpoints.prefix_of(folder, s)) for s in steps)
    assert not list(folder.glob(".saving*"))
    return steps

# 0.6 MB a checkpoint: ten of them do not fit on 3 MB, but older ones may go
train(12, keep=10)
events = [e["event"] for e in runfiles.read_lines(folder / runfiles.EVENTS_FILE)]
assert "disk_full" in events, events
assert 12 in readable()

checkpoints.prune(folder, 1)  # nothing is left that may go
try:
    train(14, keep=1, kind=Crowded)
except guards.TrainingFailedError as error:
    assert "No space left" in str(error) and "free some space" in str(error), error
else:
    raise AssertionError("it did not notice")
assert 12 in readable() and 13 not in readable()

(disk / "filler").unlink()
train(14, keep=1)
assert 14 in readable()
print("all well")
"""


def _can_mount(folder):
    words = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "none", str(folder)]
    return shutil.which("unshare") and not subprocess.run(words, capture_output=True).returncode


def test_a_full_disk_costs_old_checkpoints_first_and_never_the_last_good_one(tmp_path, project):
    if not _can_mount(tmp_path):
        pytest.skip("this machine lets nobody mount a small disk")
    mount = 'mount -t tmpfs -o size=3m none "$1" && exec "$2" -c "$3" "$1"'
    script = ["sh", "-c", mount, "sh", str(tmp_path), sys.executable, ON_A_SMALL_DISK]
    done = subprocess.run(
        [*OWN_MOUNTS, *script],
        capture_output=True,
        text=True,
        env=small_run.environment(),
        cwd=project,
        timeout=200,
    )
    assert done.returncode == 0 and "all well" in done.stdout, done.stderr[-3000:]


WITH_LITTLE_MEMORY = """
import resource
import numpy as np
import tensorflow as tf
from tests.ddsp.training import tiny_training as tiny
from dlwa.ddsp.training.models import Model

class Wide(tiny.Linear):
    def call(self, features, training=True):
        # 200 bytes a row become 8 MB on the way
        rows = tf.repeat(features["x"], 40_000, axis=1) * tf.repeat(self.w, 40_000)
        y = tf.reduce_mean(tf.reshape(rows, [-1, self.width, 40_000]), axis=2)
        self._losses_dict["a"] = tf.reduce_mean((y - features["y"]) ** 2)
        return {"y": y}

def weights(limit_bytes=None):
    trainer = tiny.trainer_of(Wide(width=50), learning_rate=0.1)
    told = []
    trainer.tell = lambda event, text: told.append((event, text))
    data = iter(tiny.Numbers(64, width=50).get_batch(8))
    trainer.build({k: v[:1] for k, v in next(data).items()})
    if limit_bytes:
        used = 4096 * int(open("/proc/self/statm").read().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (used + limit_bytes, -1))
    for _ in range(2):
        losses = trainer.train_step(next(data))
    return trainer.model.w.numpy(), float(losses["total_loss"]), trainer.micro_batches, told

# the small memory first: TensorFlow keeps what it once had
parts = weights(100_000_000)
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
whole = weights()
assert whole[2] == 1 and not whole[3]
assert parts[2] > 1, parts[2]
assert parts[3][0][0] == "out_of_memory" and "in 2 parts" in parts[3][0][1], parts[3]
np.testing.assert_allclose(parts[0], whole[0], rtol=1e-5)
assert abs(parts[1] - whole[1]) < 1e-5 * whole[1]
print("all well", parts[2])
"""


def test_memory_that_is_really_too_small_is_answered_by_parts(project):
    done = subprocess.run(
        [sys.executable, "-c", WITH_LITTLE_MEMORY],
        capture_output=True,
        text=True,
        env=small_run.environment(),
        cwd=project,
        timeout=200,
    )
    assert done.returncode == 0 and "all well" in done.stdout, done.stderr[-3000:]
