"""What a checkpoint holds of a trainer."""

import tensorflow as tf

from dlwa.ddsp.training import checkpoint_util, checkpoints


def variables_of(trainer):
    """What must be in a checkpoint: saved path -> variable."""
    paths = checkpoint_util.variable_paths(trainer.model)
    objects = {f"model/{path}": variable for path, variable in paths.items()}
    return {**objects, **_optimizer(trainer.optimizer)}


def _optimizer(optimizer):
    """The layout of the field's checkpoints: entry 0 is not used, then both moments of each
    variable in turn.
    """
    pairs = zip(optimizer.first_moments, optimizer.second_moments, strict=True)
    moments = [moment for pair in pairs for moment in pair]
    objects = {f"optimizer/_variables/{i}": moment for i, moment in enumerate(moments, 1)}
    return {**objects, "optimizer/_iterations": optimizer.iterations}


def remarks_of(trainer):
    """What is told in a checkpoint besides; what begins with dlwa_ only our readers know."""
    return {
        "optimizer/_current_learning_rate": tf.Variable(trainer.learning_rate),
        "dlwa_learning_rate_scale": tf.Variable(trainer.learning_rate_scale),
        "dlwa_examples_seen": tf.Variable(trainer.examples_seen, dtype=tf.int64),
        "dlwa_seed": tf.Variable(trainer.seed, dtype=tf.int64),
    }


def restore(trainer, prefix, restore_keys=None):
    """Give a trainer what a checkpoint holds.

    Args:
        trainer: whose model was built.
        prefix: the checkpoint.
        restore_keys: parts of the model to restore alone, without the optimizer.

    Raises:
        ValueError: if it does not fit the model.
    """
    checkpoint_util.load_reference_checkpoint(trainer.model, prefix, restore_keys)
    if restore_keys or not checkpoints.has_optimizer(prefix):
        return
    checkpoints.load_values(prefix, _optimizer(trainer.optimizer))
    own = checkpoints.read_values(prefix, "dlwa_")
    trainer.set_learning_rate_scale(own.get("dlwa_learning_rate_scale", 1.0))
    trainer.examples_seen = int(own.get("dlwa_examples_seen", -1))
    trainer.seed = int(own.get("dlwa_seed", trainer.seed))
