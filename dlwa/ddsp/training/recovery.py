"""What a training does when a step comes to nothing: the loss is not a number."""

import numpy as np
import tensorflow as tf

from dlwa.ddsp.training import checkpoints, guards
from dlwa.words import counted

__all__ = ["Recovery"]


class Recovery:
    """Leaves out faulty data, or goes back to the last good checkpoint at half the rate.

    Args:
        trainer: a built trainer.
        progress: is told everything.
        save_dir: folder of the checkpoints; '' for none.
        batch_size: examples a step.
    """

    def __init__(self, trainer, progress, save_dir, batch_size):
        self._trainer, self._progress = trainer, progress
        self._save_dir, self._batch_size = save_dir, batch_size
        self._rollbacks = guards.Rollbacks()
        self._bad_batches = 0

    def went_well(self):
        """Count a good step."""
        self._rollbacks.went_well()
        self._bad_batches = 0

    def recover(self, losses, batch):
        """Go on after a step whose losses, or after which weights, are not numbers.

        Args:
            losses: of the step, plain numbers by name.
            batch: it was made with.

        Returns:
            Whether the training went back to a checkpoint.

        Raises:
            guards.TrainingFailedError: if it happened too often.
        """
        bad = _bad_features(batch)
        if bad:
            self._skip(bad)
        else:
            self._roll_back(losses)
        return not bad

    def _skip(self, bad):
        self._bad_batches += 1
        where = f"examples {self._trainer.examples_seen - self._batch_size} and following"
        if self._bad_batches > guards.MAX_BAD_BATCHES:
            raise guards.TrainingFailedError(
                f"{', '.join(bad)} of {self._bad_batches} batches in a row holds values that are "
                "not a number",
                "prepare the data set again",
            )
        self._progress.event(
            "bad_data",
            f"Left out a batch in which {', '.join(bad)} holds values that are not a number "
            f"({where}).",
            step=self._step,
        )

    @property
    def _step(self):
        return int(self._trainer.step.numpy())

    def _roll_back(self, losses):
        trainer = self._trainer
        told = ", ".join(f"{name}={value:g}" for name, value in losses.items())
        what = f"weight is not a number (after {told})"
        if not guards.is_finite(losses):
            what = f"loss is not a number ({told})"
        step, seen = self._step, trainer.examples_seen
        scale = trainer.learning_rate_scale * 0.5
        prefix = checkpoints.newest(self._save_dir) if self._save_dir else None
        if self._rollbacks.is_enough() or prefix is None:
            raise guards.TrainingFailedError(
                f"the {what} at step {step}, after {counted(self._rollbacks.count, 'rollback')} "
                "to the last good checkpoint",
                "lower the learning rate, e.g. --gin_param=learning_rate=1e-4, or look for faulty "
                "recordings in the data set",
            )
        self._rollbacks.add()
        trainer.restore(prefix, restore_keys=[])
        trainer.set_learning_rate_scale(scale)
        # The data goes on: the batch that may have caused it does not come again at once.
        trainer.examples_seen = seen
        self._progress.went_back(self._step)
        self._progress.event(
            "rollback",
            f"The {what} at step {step}: back to step {self._step}, learning rate now "
            f"{trainer.learning_rate:.2g}.",
            step=step,
            to_step=self._step,
        )


def _bad_features(batch):
    """Names of the features of a batch (or of several side by side) that hold no numbers."""
    parts = batch if isinstance(batch, list | tuple) else [batch]
    bad = []
    for part in parts:
        for name, value in part.items():
            values = value.values if hasattr(value, "values") else [value]
            for one in values:
                if tf.as_dtype(one.dtype).is_floating and not np.isfinite(one.numpy()).all():
                    bad.append(name)
                    break
    return bad
