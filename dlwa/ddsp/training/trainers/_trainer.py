"""One step of training, and saving and restoring all of its state."""

import gin
import tensorflow as tf
from absl import logging

from dlwa.ddsp import core
from dlwa.ddsp.training import checkpoint_util, checkpoints

from ._adam import Adam
from ._parts import add_gradients, cut_batch, energies_of

_configurable = gin.configurable(module="dlwa.ddsp.training.trainers")
_MAX_MICRO_BATCHES = 64
# Keeps the noise of the parts of a batch apart; the first part has that of an undivided batch.
_SEED_STRIDE = 1_000_003


@_configurable
class Trainer:
    """Improves a model by gradient descent, a batch at a time.

    Adam with an exponentially decaying learning rate; gradients are averaged over devices and
    clipped by their global norm. A step whose loss or gradient is not finite changes nothing.
    A batch for which the memory is too small is computed in parts, with the same result but for
    the noise.

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
        self.checkpoints_to_keep = checkpoints_to_keep
        self.grad_clip_norm = grad_clip_norm
        self.restore_keys = restore_keys
        self.seed = seed
        self.micro_batches = micro_batches
        self.examples_seen = 0
        with self.strategy.scope():
            self.optimizer = Adam(learning_rate, lr_decay_steps, lr_decay_rate)
        self._variables = None
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

    # -- building ---------------------------------------------------------------------------

    def build(self, batch):
        """Make all variables by running the model once."""
        logging.info("Building the model...")
        batch = self._local(batch)
        with self.strategy.scope(), core.noise_seed(self.seed):
            self.model(batch, training=True)
            self._variables = [v.value for v in self._trainable()]
            self.optimizer.build(self._variables)
        count = sum(int(tf.size(v)) for v in self._variables)
        logging.info("The model has %d parameters in %d variables.", count, len(self._variables))

    def _local(self, batch):
        if self.strategy.num_replicas_in_sync == 1:
            return batch
        first = lambda x: self.strategy.experimental_local_results(x)[0]  # noqa: E731
        return tf.nest.map_structure(first, batch)

    def _trainable(self):
        """The trainable variables in the order in which checkpoints number their moments."""
        trainable = {id(v) for v in self.model.trainable_variables}
        named = [v for v in self._paths().values() if id(v) in trainable]
        known = {id(v) for v in named}
        return named + [v for v in self.model.trainable_variables if id(v) not in known]

    def _paths(self):
        return checkpoint_util.variable_paths(self.model)

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
        return self.advance(batch)[0]

    def advance(self, batch):
        """One update; returns before the numbers are there if the device works by itself.

        Returns:
            (losses by name, step after the update). If loss or gradient were not finite,
            total_loss is not a number and the step has not grown.
        """
        if self._variables is None:
            self.build(batch)
        while True:
            try:
                return self._step_function(batch)
            except tf.errors.ResourceExhaustedError:
                if self.micro_batches >= _MAX_MICRO_BATCHES:
                    raise
                self.micro_batches *= 2
                logging.warning(
                    "The memory is too small for a whole batch: computing it in %d parts from now "
                    "on. The model learns the same, a little slower.",
                    self.micro_batches,
                )
                self._step_function = tf.function(self._distributed_step)

    def _distributed_step(self, batch):
        losses, step = self.strategy.run(self.step_fn, args=(batch,))
        if self.strategy.num_replicas_in_sync > 1:
            step = self.strategy.experimental_local_results(step)[0]
        return self._mean(losses), step

    def _mean(self, values):
        if self.strategy.num_replicas_in_sync == 1:
            return values
        mean = tf.distribute.ReduceOp.MEAN
        return {k: self.strategy.reduce(mean, v, axis=None) for k, v in values.items()}

    def step_fn(self, batch):
        """One update on one replica: (losses by name, step after it)."""
        losses, gradients = self._losses_and_gradients(batch)
        gradients, norm = tf.clip_by_global_norm(gradients, self.grad_clip_norm)
        finite = tf.math.is_finite(self._sum(losses["total_loss"])) & tf.math.is_finite(norm)

        def update():
            self.optimizer.apply(gradients, self._variables)
            return tf.constant(0.0)

        no_number = tf.cond(finite, update, lambda: tf.constant(float("nan")))
        losses = {**losses, "total_loss": losses["total_loss"] + no_number}
        with tf.control_dependencies([no_number]):
            return losses, self.step.read_value()

    def _losses_and_gradients(self, batch):
        """Both for the whole batch, gradients averaged over the replicas."""
        losses, gradients, before = {}, None, []
        for number, (part, share) in enumerate(cut_batch(batch, self.micro_batches)):
            # One part after the other, or the parts would not save memory.
            with tf.control_dependencies(before):
                part = tf.nest.map_structure(tf.identity, part)
            part_losses, part_gradients = self._part(part, number)
            for name, loss in part_losses.items():
                losses[name] = losses.get(name, 0.0) + share * loss
            scaled = [None if g is None else share * g for g in part_gradients]
            gradients = scaled if gradients is None else list(map(add_gradients, gradients, scaled))
            before = [g for g in gradients if g is not None]
        if self.strategy.num_replicas_in_sync > 1:
            gradients = tf.distribute.get_replica_context().all_reduce(
                tf.distribute.ReduceOp.MEAN,
                [
                    tf.zeros_like(v) if g is None else g
                    for g, v in zip(gradients, self._variables, strict=True)
                ],
            )
        return losses, gradients

    def _part(self, batch, number):
        seed = tf.stack(
            [tf.constant(self.seed + _SEED_STRIDE * number, tf.int64), self.step.read_value()]
        )
        with tf.GradientTape() as tape, core.noise_seed(seed):
            _, losses = self.model(batch, return_losses=True, training=True)
        gradients = tape.gradient(losses["total_loss"], self._variables)
        return losses, [None if g is None else tf.convert_to_tensor(g) for g in gradients]

    def _sum(self, value):
        if self.strategy.num_replicas_in_sync == 1:
            return value
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, value)

    # -- evaluating -------------------------------------------------------------------------

    def evaluate_step(self, batch):
        """Losses of a batch without an update, always with the same noise."""
        return self._evaluate_function(batch)[0]

    def listen_step(self, batch):
        """The same, and energies of the sounds: (losses, {name: mean square})."""
        return self._evaluate_function(batch)

    def _distributed_evaluation(self, batch):
        def evaluate(batch):
            with core.noise_seed(self.seed):
                outputs, losses = self.model(batch, return_losses=True, training=False)
            return losses, energies_of(self.model, batch, outputs)

        losses, energies = self.strategy.run(evaluate, args=(batch,))
        return self._mean(losses), self._mean(energies)

    # -- saving -----------------------------------------------------------------------------

    def _objects(self):
        """What must be in a checkpoint: saved path -> variable."""
        objects = {f"model/{path}": variable for path, variable in self._paths().items()}
        # The layout of the field's checkpoints: entry 0 is not used, then both moments of each
        # variable in turn.
        optimizer = self.optimizer
        pairs = zip(optimizer.first_moments, optimizer.second_moments, strict=True)
        for i, moment in enumerate([moment for pair in pairs for moment in pair], 1):
            objects[f"optimizer/_variables/{i}"] = moment
        objects["optimizer/_iterations"] = optimizer.iterations
        return objects

    def _own_state(self):
        """What only our checkpoints hold, and readers of others do not miss."""
        return {
            "dlwa_learning_rate_scale": tf.Variable(self.learning_rate_scale),
            "dlwa_examples_seen": tf.Variable(self.examples_seen, dtype=tf.int64),
            "dlwa_seed": tf.Variable(self.seed, dtype=tf.int64),
        }

    def save(self, save_dir):
        """Write `ckpt-<step>` into a folder and prune old ones.

        Raises:
            OSError: if it could not be written; older checkpoints are untouched.
        """
        step = int(self.step.numpy())
        rate = {"optimizer/_current_learning_rate": tf.Variable(self.learning_rate)}
        checkpoints.write(save_dir, step, {**self._objects(), **rate, **self._own_state()})
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
            optimizer = {k: v for k, v in self._objects().items() if k.startswith("optimizer/")}
            checkpoints.load_values(prefix, optimizer)
            self._restore_own(prefix)
        logging.info("Restored %s at step %d", prefix, int(self.step.numpy()))
        return prefix

    def _restore_own(self, prefix):
        own = checkpoints.read_values(prefix, "dlwa_")
        self.set_learning_rate_scale(own.get("dlwa_learning_rate_scale", 1.0))
        self.examples_seen = int(own.get("dlwa_examples_seen", -1))
        self.seed = int(own.get("dlwa_seed", self.seed))


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
