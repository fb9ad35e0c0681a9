"""Trainings of milliseconds, through the real train(): one weight a column, targets known."""

import numpy as np
import tensorflow as tf

from dlwa.ddsp.training import train_util, trainers
from dlwa.ddsp.training.models import Model


class Linear(Model):
    """w * x, which is to be y."""

    def __init__(self, width=4):
        super().__init__()
        self.width = width

    def build(self, *_):
        """Make the one variable."""
        self.w = self.add_weight(name="w", shape=[self.width], initializer="ones")
        self.built = True

    def call(self, features, training=True):
        """The loss of a batch."""
        y = self.w * features["x"]
        self._losses_dict["a"] = tf.reduce_mean((y - features["y"]) ** 2)
        return {"y": y}


class Numbers:
    """Examples whose best weights are 3; `values` overrides single ones, {number: value}."""

    def __init__(self, n=4000, values=None, width=4):
        random = np.random.default_rng(0)
        self.x = random.normal(size=[n, width]).astype(np.float32)
        self.y = 3.0 * self.x
        for number, value in (values or {}).items():
            self.x[number] = value

    def get_batch(self, batch_size, shuffle=True, repeats=-1, start_example=0, seed=0):
        """Batches in the order of the numbers."""
        data = tf.data.Dataset.from_tensor_slices({"x": self.x, "y": self.y})
        return data.repeat(repeats).skip(start_example).batch(batch_size)


def trainer_of(model=None, kind=trainers.Trainer, **settings):
    """A trainer of the tiny model."""
    return kind(model or Linear(), tf.distribute.get_strategy(), **{"seed": 1, **settings})


def train(folder, provider=None, trainer=None, **settings):
    """Train; returns (outcome, trainer)."""
    trainer = trainer or trainer_of(learning_rate=0.1)
    defaults = {"batch_size": 4, "num_steps": 20, "steps_per_save": 5, "steps_per_summary": 5}
    outcome = train_util.train(
        provider or Numbers(),
        trainer,
        save_dir=str(folder),
        restore_dir=str(folder),
        **{**defaults, **settings},
    )
    return outcome, trainer
