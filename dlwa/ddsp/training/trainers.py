"""One step of training, and saving and restoring all of its state."""

import gin
import keras
import tensorflow as tf
from absl import logging

from dlwa.ddsp import core
from dlwa.ddsp.training import checkpoint_util, checkpoints

_configurable = gin.configurable(module="dlwa.ddsp.training.trainers")


class _ScaledDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Exponential decay of the learning rate, times a factor that can be lowered on the way."""

    def __init__(self, rate, decay_steps, decay_rate):
        super().__init__()
        self.decay = keras.optimizers.schedules.ExponentialDecay(rate, decay_steps, decay_rate)
        self.scale = tf.Variable(1.0, trainable=False, name="learning_rate_scale")

    def __call__(self, step):
        return self.decay(step) * self.scale

    def get_config(self):
        return self.decay.get_config()


@_configurable
class Trainer:
    """Improves a model by gradient descent, a batch at a time.

    Adam (Kingma and Ba 2015) with an exponentially decaying learning rate and gradients clipped by
    their global norm. A step whose loss or gradient is not finite changes nothing.

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
    ):
        self.model = model
        self.strategy = strategy
        self.checkpoints_to_keep = checkpoints_to_keep
        self.grad_clip_norm = grad_clip_norm
        self.restore_keys = restore_keys
        self.seed = seed
        self._schedule = _ScaledDecay(learning_rate, lr_decay_steps, lr_decay_rate)
        with self.strategy.scope():
            self.optimizer = keras.optimizers.Adam(self._schedule)
        self._variables = None
        self._step_function = tf.function(self._distributed_step)
        self._evaluate_function = tf.function(self._distributed_losses)

    @property
    def step(self):
        """Number of updates done, a scalar."""
        return self.optimizer.iterations

    @property
    def learning_rate(self):
        """The rate of the next update."""
        return float(self._schedule(tf.cast(self.step.value, tf.float32)))

    def lower_learning_rate(self, factor=0.5):
        """Multiply the learning rate by a factor from now on."""
        self._schedule.scale.assign(self._schedule.scale * factor)

    # -- building ---------------------------------------------------------------------------

    def build(self, batch):
        """Make all variables by running the model once."""
        logging.info("Building the model...")
        batch = self._local(batch)
        with self.strategy.scope(), core.noise_seed(self.seed):
            self.model(batch, training=True)
            self._prepare_variables()
        count = sum(int(tf.size(v.value)) for v in self._variables)
        logging.info("The model has %d parameters in %d variables.", count, len(self._variables))

    def _local(self, batch):
        if self.strategy.num_replicas_in_sync == 1:
            return batch
        first = lambda x: self.strategy.experimental_local_results(x)[0]  # noqa: E731
        return tf.nest.map_structure(first, batch)

    def _prepare_variables(self):
        if self._variables is None:
            trainable = {id(v) for v in self.model.trainable_variables}
            paths = checkpoint_util.variable_paths(self.model)
            named = [v for v in paths.values() if id(v) in trainable]
            known = {id(v) for v in named}
            named += [v for v in self.model.trainable_variables if id(v) not in known]
            self._variables = named
            self.optimizer.build(named)

    def distribute_dataset(self, dataset):
        """Spread a dataset over the replicas."""
        if self.strategy.num_replicas_in_sync == 1:
            return dataset
        return self.strategy.experimental_distribute_dataset(dataset)

    # -- stepping ---------------------------------------------------------------------------

    def train_step(self, inputs):
        """One update.

        Args:
            inputs: an iterator over batches, or a batch.

        Returns:
            Dictionary of the losses before the update, averaged over replicas.
        """
        batch = next(inputs) if hasattr(inputs, "__next__") else inputs
        if self._variables is None:
            self.build(batch)
        return self._step_function(batch)

    def _distributed_step(self, batch):
        return self._mean(self.strategy.run(self.step_fn, args=(batch,)))

    def _mean(self, losses):
        if self.strategy.num_replicas_in_sync == 1:
            return losses
        mean = tf.distribute.ReduceOp.MEAN
        return {k: self.strategy.reduce(mean, v, axis=None) for k, v in losses.items()}

    def step_fn(self, batch):
        """One update on one replica: the losses by name."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), tf.cast(self.step.value, tf.int64)])
        with tf.GradientTape() as tape, core.noise_seed(seed):
            _, losses = self.model(batch, return_losses=True, training=True)
            total = losses["total_loss"]
        variables = [v.value for v in self._variables]
        gradients = tape.gradient(total, variables)
        gradients, norm = tf.clip_by_global_norm(gradients, self.grad_clip_norm)
        finite = tf.math.is_finite(total) & tf.math.is_finite(norm)

        def update():
            self.optimizer.apply(
                [
                    tf.zeros_like(v) if g is None else g
                    for g, v in zip(gradients, variables, strict=True)
                ],
                self._variables,
            )
            return tf.constant(True)

        tf.cond(finite, update, lambda: tf.constant(False))
        return losses

    def evaluate_step(self, batch):
        """Losses of a batch without an update, always with the same noise."""
        return self._evaluate_function(batch)

    def _distributed_losses(self, batch):
        def losses(batch):
            with core.noise_seed(self.seed):
                return self.model(batch, return_losses=True, training=False)[1]

        return self._mean(self.strategy.run(losses, args=(batch,)))

    # -- saving -----------------------------------------------------------------------------

    def _model_objects(self):
        paths = checkpoint_util.variable_paths(self.model)
        return {f"model/{path}": variable for path, variable in paths.items()}

    def _optimizer_objects(self):
        # The layout of the field's checkpoints: entry 0 is not used, then both moments of each
        # variable in turn.
        moments = [
            v
            for pair in zip(self.optimizer._momentums, self.optimizer._velocities, strict=True)
            for v in pair
        ]
        objects = {f"optimizer/_variables/{i + 1}": v for i, v in enumerate(moments)}
        objects["optimizer/_iterations"] = self.optimizer.iterations
        return objects

    def save(self, save_dir):
        """Write `ckpt-<step>` into a folder and prune old ones.

        Raises:
            OSError: if it could not be written; older checkpoints are untouched.
        """
        step = int(self.step.value)
        extra = {
            "optimizer/_current_learning_rate": tf.Variable(self.learning_rate),
            "dlwa_learning_rate_scale": self._schedule.scale,
        }
        checkpoints.write(
            save_dir, step, {**self._model_objects(), **self._optimizer_objects(), **extra}
        )
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
        restore_keys = restore_keys or self.restore_keys
        checkpoint_util.load_reference_checkpoint(self.model, prefix, restore_keys)
        if not restore_keys and checkpoints.has_optimizer(prefix):
            checkpoints.load_values(prefix, self._optimizer_objects())
            scale = {"dlwa_learning_rate_scale": self._schedule.scale}
            if "dlwa_learning_rate_scale/.ATTRIBUTES/VARIABLE_VALUE" in dict(
                tf.train.list_variables(prefix)
            ):
                checkpoints.load_values(prefix, scale)
        logging.info("Restored %s at step %d", prefix, int(self.step.value))
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
