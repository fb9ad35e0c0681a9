"""One step of training, and saving and restoring all of its state."""

import gin
import tensorflow as tf
from absl import logging

from dlwa.ddsp.training import checkpoint_util, checkpoints
from dlwa.words import counted

from . import _state
from ._adam import Adam
from ._compute import losses_and_gradients, losses_and_sounds, run_once
from ._devices import Devices
from ._parts import cut_batch, rows_of

_configurable = gin.configurable(module="dlwa.ddsp.training.trainers")


@_configurable
class Trainer:
    """Improves a model by gradient descent, a batch at a time.

    Adam with an exponentially decaying learning rate; gradients are averaged over devices and
    clipped by their global norm. A step whose loss or gradient is not finite changes nothing.
    A batch for which the memory is too small is computed in parts, with the same result.

    Args:
        model: called as `model(batch, return_losses=True, training=True)`.
        strategy: tf.distribute strategy.
        checkpoints_to_keep: how many of the newest checkpoints stay.
        learning_rate: at the start.
        lr_decay_steps: steps in which the rate falls by lr_decay_rate.
        lr_decay_rate: see lr_decay_steps.
        grad_clip_norm: largest global norm of the gradients.
        restore_keys: parts of the model to restore alone.
        seed: of the noise; the noise of a step is a function of seed and step.
        micro_batches: parts in which a batch is computed.

    Attributes:
        examples_seen: examples taken from the data so far, for going on at the right place.
        tell: called with (event, text) when something remarkable happens; warns in the log.
    """

    def __init__(
        self,
        model,
        strategy,
        checkpoints_to_keep=100,
        learning_rate=0.001,
        lr_decay_steps=10000,
        lr_decay_rate=0.98,
        grad_clip_norm=3.0,
        restore_keys=None,
        seed=0,
        micro_batches=1,
    ):
        self.model = model
        self.strategy = strategy
        self._devices = Devices(strategy)
        self.checkpoints_to_keep = checkpoints_to_keep
        self.grad_clip_norm = grad_clip_norm
        self.restore_keys = restore_keys
        self.seed = seed
        self.micro_batches = micro_batches
        self.examples_seen = 0
        with self.strategy.scope():
            self.optimizer = Adam(learning_rate, lr_decay_steps, lr_decay_rate)
        self.tell = lambda _, text: logging.warning("%s", text)
        self._variables = None
        self._trace()

    def _trace(self):
        """Have the graphs made, anew after something in them has changed."""
        self._step_function = tf.function(self._distributed_step)
        self._evaluate_function = tf.function(self._distributed_evaluation)

    @property
    def step(self):
        """Number of updates done, a scalar variable."""
        return self.optimizer.iterations

    @property
    def learning_rate(self):
        """The rate of the next update."""
        return float(self.optimizer.learning_rate())

    @property
    def learning_rate_scale(self):
        """The factor by which the rate has been lowered."""
        return float(self.optimizer.scale.numpy())

    def set_learning_rate_scale(self, scale):
        """Multiply the scheduled learning rate by this from now on."""
        self.optimizer.scale.assign(scale)

    def is_finite(self):
        """Whether all weights and moments are numbers."""
        values = [*self._variables, *self.optimizer.variables]
        floats = [value for value in values if value.dtype.is_floating]
        return all(bool(tf.reduce_all(tf.math.is_finite(value))) for value in floats)

    # -- building ---------------------------------------------------------------------------

    def build(self, batch):
        """Make all variables by running the model once."""
        logging.info("Building the model...")
        batch = self._devices.first(batch)
        with self.strategy.scope():
            run_once(self.model, batch, self.seed)
            self._variables = [v.value for v in self._trainable()]
            self.optimizer.build(self._variables)
        count = sum(int(tf.size(v)) for v in self._variables)
        parts = counted(len(self._variables), "variable")
        logging.info("The model has %s in %s.", counted(count, "parameter"), parts)

    def _trainable(self):
        """The trainable variables in the order in which checkpoints number their moments."""
        trainable = {id(v) for v in self.model.trainable_variables}
        named = checkpoint_util.variable_paths(self.model).values()
        named = [v for v in named if id(v) in trainable]
        known = {id(v) for v in named}
        return named + [v for v in self.model.trainable_variables if id(v) not in known]

    def distribute_dataset(self, dataset):
        """Spread a dataset over the replicas."""
        return self._devices.spread(dataset)

    # -- stepping ---------------------------------------------------------------------------

    def train_step(self, inputs):
        """One update.

        Args:
            inputs: an iterator over batches, or a batch.

        Returns:
            Dictionary of the losses before the update, averaged over replicas.
        """
        batch = next(inputs) if hasattr(inputs, "__next__") else inputs
        return self.advance(batch)[0]

    def advance(self, batch):
        """One update; returns before the numbers are there if the device works by itself.

        Returns:
            (losses by name, step after the update). If loss or gradient were not finite,
            total_loss is not a number and the step has not grown.
        """
        if self._variables is None:
            self.build(batch)
        return self._within_memory(lambda: self._step_function(batch), rows_of(batch))

    def _within_memory(self, compute, rows):
        """Compute something about a batch of so many rows, in more parts until they fit."""
        while True:
            try:
                return compute()
            except tf.errors.ResourceExhaustedError:
                if self.micro_batches >= rows:
                    raise
            self.micro_batches = min(2 * self.micro_batches, rows)
            self._trace()
            self.tell(
                "out_of_memory",
                f"The memory is too small for {rows} examples at once: computing them in "
                f"{self.micro_batches} parts from now on. The model learns the same, a little "
                "slower.",
            )

    def _distributed_step(self, batch):
        losses, step = self.strategy.run(self.step_fn, args=(batch,))
        return self._devices.mean(losses), self._devices.first(step)

    def step_fn(self, batch):
        """One update on one replica: (losses by name, step after it)."""
        losses, gradients = self._losses_and_gradients(batch)
        gradients, norm = tf.clip_by_global_norm(gradients, self.grad_clip_norm)
        finite = tf.math.is_finite(
            self._devices.total_here(losses["total_loss"])
        ) & tf.math.is_finite(norm)

        def update():
            self.optimizer.apply(gradients, self._variables)
            return tf.constant(0.0)

        no_number = tf.cond(finite, update, lambda: tf.constant(float("nan")))
        losses = {**losses, "total_loss": losses["total_loss"] + no_number}
        with tf.control_dependencies([no_number]):
            return losses, self.step.read_value()

    def _losses_and_gradients(self, batch):
        """Both for the whole batch, gradients averaged over the replicas."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), self.step.read_value()])
        parts = cut_batch(batch, self.micro_batches)
        losses, gradients = losses_and_gradients(self.model, self._variables, parts, seed)
        return losses, self._devices.mean_gradients_here(gradients, self._variables)

    # -- evaluating -------------------------------------------------------------------------

    def evaluate_step(self, batch):
        """Losses of a batch without an update, always with the same noise."""
        return self.listen_step(batch)[0]

    def listen_step(self, batch):
        """The same, and what is heard: (losses, {name: mean}), see `heard`."""
        return self._within_memory(lambda: self._evaluate_function(batch), rows_of(batch))

    def _distributed_evaluation(self, batch):
        def evaluate(batch):
            return losses_and_sounds(self.model, cut_batch(batch, self.micro_batches), self.seed)

        losses, sounds = self.strategy.run(evaluate, args=(batch,))
        return self._devices.mean(losses), self._devices.mean(sounds)

    # -- saving -----------------------------------------------------------------------------

    def save(self, save_dir):
        """Write `ckpt-<step>` into a folder and prune old ones.

        Raises:
            OSError: if it could not be written; older checkpoints are untouched.
        """
        step = int(self.step.numpy())
        values = {**_state.variables_of(self), **_state.remarks_of(self)}
        checkpoints.write(save_dir, step, values)
        checkpoints.prune(save_dir, self.checkpoints_to_keep)
        logging.info("Saved checkpoint to %s at step %d", save_dir, step)

    def restore(self, checkpoint_path, restore_keys=None):
        """Take over weights, and the optimizer's state unless only parts are restored.

        Args:
            checkpoint_path: a checkpoint, or a folder whose newest readable one is taken.
            restore_keys: parts of the model to restore alone; default: the trainer's.

        Returns:
            Path of the checkpoint.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if it does not fit the model.
        """
        prefix = checkpoints.newest(checkpoint_path)
        if prefix is None:
            raise FileNotFoundError(f"no checkpoint in {checkpoint_path}")
        _state.restore(self, prefix, restore_keys or self.restore_keys)
        logging.info("Restored %s at step %d", prefix, int(self.step.numpy()))
        return prefix


def configured_seed():
    """The seed that gin gives the trainer, 0 if it gives none."""
    try:
        return int(gin.query_parameter("trainers.Trainer.seed"))
    except ValueError:
        return 0


@_configurable
def get_trainer_class(trainer_class=Trainer):
    """The trainer that a gin configuration names."""
    return trainer_class
