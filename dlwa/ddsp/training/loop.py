"""The loop of a training: step, tell, save, and what to do when something goes wrong."""

import inspect
import time

import numpy as np
import tensorflow as tf
from absl import logging

from dlwa.ddsp.training import checkpoints, guards

__all__ = ["Loop", "dataset_of"]


class Loop:
    """Trains until a step is reached, somebody asks to stop, or it cannot go on.

    Each step's numbers are read while the next step already runs, so that a device that works by
    itself never waits for the log.

    Args:
        trainer: a built trainer.
        provider: gives the batches.
        progress: is told everything.
        save_dir: folder of the checkpoints; '' for none.
        num_steps: step at which the training is finished.
        batch_size: examples a step.
        steps_per_save: steps between checkpoints.
        early_stop: finish once the total loss is as low; None for never.
        deadline: time.monotonic() at which to stop; None for never.
        heldout: measures on sounds that are not learnt from; None for nothing.
        tell_loss: called with (step, total loss) for every step; None for nobody.
    """

    def __init__(
        self,
        trainer,
        provider,
        progress,
        save_dir,
        num_steps,
        batch_size,
        steps_per_save,
        early_stop=None,
        deadline=None,
        heldout=None,
        tell_loss=None,
    ):
        self.trainer, self.provider, self.progress = trainer, provider, progress
        self.save_dir, self.num_steps, self.batch_size = save_dir, num_steps, batch_size
        self.steps_per_save, self.early_stop, self.deadline = steps_per_save, early_stop, deadline
        self.heldout, self.tell_loss = heldout, tell_loss
        self.heldout_loss = None
        self.saved_at = None
        self._iterator = None
        self._recent = []
        self._plateau = guards.Plateau()
        self._rollbacks = guards.Rollbacks()
        self._bad_batches = 0
        self._done = False

    @property
    def step(self):
        """Updates done, once everything under way is finished."""
        return int(self.trainer.step.numpy())

    def run(self, stop):
        """Train; returns 'finished' or 'stopped'.

        Args:
            stop: a guards.StopRequest.

        Raises:
            guards.TrainingFailedError: if it cannot go on.
        """
        launched, waiting = self.step, None
        self._iterator = iter(dataset_of(self.provider, self.trainer, self.batch_size))
        while launched < self.num_steps and not stop and not self._done:
            batch = next(self._iterator)
            result = (*self.trainer.advance(batch), batch)
            self.trainer.examples_seen += self.batch_size
            launched += 1
            due = launched % self.steps_per_save == 0 or launched >= self.num_steps
            at_once = due or self.early_stop is not None
            # What was launched before a failed step was seen is undone with it.
            went_well = self._finish(waiting) and (not at_once or self._finish(result, due))
            waiting = result if went_well and not at_once else None
            if not went_well:
                launched = self.step
            if self.deadline is not None and time.monotonic() > self.deadline:
                stop.time_is_up()
        self._finish(waiting)
        if self.saved_at != self.step:
            self.save()
        return self._end(stop)

    def _end(self, stop):
        if not stop or self.step >= self.num_steps or self._done:
            return "finished"
        self.progress.event(
            "stopped",
            f"Stopped at step {self.step}: {stop.reason}.",
            step=self.step,
            reason=stop.reason,
        )
        return "stopped"

    def _finish(self, result, save=False):
        """Read a step's numbers and tell them; False if the step came to nothing."""
        if result is None:
            return True
        losses, step, batch = result
        losses = {name: float(value) for name, value in losses.items()}
        if not guards.is_finite(losses):
            self._recover(losses, batch)
            return False
        step = int(step)
        self._rollbacks.went_well()
        self._bad_batches = 0
        self._recent = [*self._recent[-99:], losses["total_loss"]]
        if save:
            self.save()
        more = {} if self.heldout_loss is None else {"heldout_loss": self.heldout_loss}
        self.progress.step(step, losses, force=save, **more)
        if self.tell_loss:
            self.tell_loss(step, losses["total_loss"])
        if self.early_stop is not None and losses["total_loss"] <= self.early_stop:
            self.progress.event(
                "early_stop", f"Total loss is at most {self.early_stop}.", step=step
            )
            self._done = True
        return True

    # -- saving -----------------------------------------------------------------------------

    def save(self):
        """Measure on held-out sounds, write a checkpoint, note whether it is the best."""
        if self.save_dir:
            with self.progress.pause():
                self._save(self.step)

    def _save(self, step):
        loss = self._measure(step)
        if loss is None and self._recent:
            loss = sum(self._recent) / len(self._recent)
        try:
            # Noted as best only afterwards: until the new one is there, the old one is spared.
            self.trainer.save(self.save_dir)
        except OSError as error:
            raise guards.TrainingFailedError(
                f"{error}. The checkpoints before step {step} are whole",
                "free some space and train again; it resumes",
            ) from error
        best = loss is not None and checkpoints.note_best(self.save_dir, step, loss)
        self.saved_at = step
        self.progress.saved(step, loss, best)
        if self.heldout is not None and self._plateau.update(loss):
            self.progress.event(
                "plateau",
                "Held-out loss has not improved lately (best "
                f"{checkpoints.best_loss(self.save_dir):.2f} at step "
                f"{checkpoints.best_step(self.save_dir)}); more steps may not help.",
                step=step,
            )

    def _measure(self, step):
        if self.heldout is None:
            return None
        losses, remarks = self.heldout.measure(self.trainer)
        for name, value in losses.items():
            self.progress.scalar(f"heldout/{name}", value, step)
        for event, text in remarks:
            self.progress.event(event, text, step=step)
        self.heldout_loss = losses.get("total_loss")
        return self.heldout_loss

    # -- when a step comes to nothing -------------------------------------------------------

    def _recover(self, losses, batch):
        """Go on after a loss that is not a number: the model was not changed by that step."""
        told = ", ".join(f"{name}={value:g}" for name, value in losses.items())
        bad = _bad_features(batch)
        if bad:
            self._skip(bad)
        else:
            self._roll_back(told)

    def _skip(self, bad):
        self._bad_batches += 1
        where = f"examples {self.trainer.examples_seen - self.batch_size} and following"
        if self._bad_batches > guards.MAX_BAD_BATCHES:
            raise guards.TrainingFailedError(
                f"{', '.join(bad)} of {self._bad_batches} batches in a row holds values that are "
                "not a number",
                "prepare the data set again",
            )
        self.progress.event(
            "bad_data",
            f"Left out a batch in which {', '.join(bad)} holds values that are not a number "
            f"({where}).",
            step=self.step,
        )

    def _roll_back(self, told):
        step, seen = self.step, self.trainer.examples_seen
        scale = self.trainer.learning_rate_scale * 0.5
        prefix = checkpoints.newest(self.save_dir) if self.save_dir else None
        if self._rollbacks.is_enough() or prefix is None:
            raise guards.TrainingFailedError(
                f"the loss is not a number ({told}) at step {step}, after "
                f"{self._rollbacks.count} rollbacks to the last good checkpoint",
                "lower the learning rate, e.g. --gin_param=learning_rate=1e-4, or look for faulty "
                "recordings in the data set",
            )
        self._rollbacks.add()
        self.trainer.restore(prefix, restore_keys=[])
        self.trainer.set_learning_rate_scale(scale)
        # The data goes on: the batch that may have caused it does not come again at once.
        self.trainer.examples_seen = seen
        self.progress.event(
            "rollback",
            f"The loss was not a number at step {step} ({told}): back to step {self.step}, "
            f"learning rate now {self.trainer.learning_rate:.2g}.",
            step=step,
            to_step=self.step,
        )
        self.saved_at = self.step


def dataset_of(provider, trainer, batch_size):
    """The batches from where the trainer stands in the data, spread over its devices."""
    known = inspect.signature(provider.get_batch).parameters
    more = {"start_example": trainer.examples_seen, "seed": trainer.seed}
    if "start_example" not in known:  # a provider of the user's own
        if trainer.examples_seen:
            logging.info("%s starts its data over.", type(provider).__name__)
        more = {}
    dataset = provider.get_batch(batch_size, shuffle=True, repeats=-1, **more)
    return trainer.distribute_dataset(dataset)


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
