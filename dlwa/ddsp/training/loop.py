"""The loop of a training: step, tell, save, and when to stop."""

import inspect
import time
from dataclasses import dataclass

from absl import logging

from dlwa.ddsp.training import guards
from dlwa.ddsp.training.recovery import Recovery

__all__ = ["Goal", "Loop", "dataset_of"]

_RECENT = 100


@dataclass(frozen=True)
class Goal:
    """What a training is to reach, and how.

    Attributes:
        num_steps: step at which it is finished.
        batch_size: examples a step.
        steps_per_save: steps between checkpoints.
        early_stop: finish once the total loss is as low; None for never.
        hours: stop, to be resumed, after this time; None for never.
    """

    num_steps: int
    batch_size: int
    steps_per_save: int
    early_stop: float | None = None
    hours: float | None = None

    def __post_init__(self):
        for name in ("num_steps", "batch_size", "steps_per_save"):
            value, least = getattr(self, name), int(name != "num_steps")
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name}={value!r} must be an integer of at least {least}")
        if self.hours is not None and not self.hours > 0:
            raise ValueError(f"hours={self.hours!r} must be a positive number")


class Loop:
    """Trains until a step is reached, somebody asks to stop, or it cannot go on.

    Each step's numbers are read while the next step already runs, so that a device that works by
    itself never waits for the log.

    Args:
        trainer: a built trainer.
        provider: gives the batches.
        progress: is told everything.
        keeper: saves.
        goal: a Goal.
        save_dir: where to go back to after a failure; '' for nowhere.
        tell_loss: called with (step, total loss) for every step; None for nobody.
    """

    def __init__(self, trainer, provider, progress, keeper, goal, save_dir="", tell_loss=None):
        self.trainer, self.provider, self.progress = trainer, provider, progress
        self.keeper, self.goal, self.tell_loss = keeper, goal, tell_loss
        self._recovery = Recovery(trainer, progress, save_dir, goal.batch_size)
        self._recent = []
        self._done = False
        trainer.tell = lambda event, text: progress.event(event, text, step=self.step)

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
        goal, began = self.goal, time.monotonic()
        launched, waiting = self.step, None
        batches = iter(dataset_of(self.provider, self.trainer, goal.batch_size))
        while launched < goal.num_steps and not stop and not self._done:
            batch = next(batches)
            result = (*self.trainer.advance(batch), batch)
            self.trainer.examples_seen += goal.batch_size
            launched += 1
            due = launched % goal.steps_per_save == 0 or launched >= goal.num_steps
            at_once = due or goal.early_stop is not None
            # What was launched before a failed step was seen is undone with it.
            went_well = self._finish(waiting) and (not at_once or self._finish(result, due))
            waiting = result if went_well and not at_once else None
            if not went_well:
                launched = self.step
            if goal.hours is not None and time.monotonic() - began > 3600 * goal.hours:
                stop.time_is_up(goal.hours)
        self._finish(waiting, save=True)
        if self.keeper.saved_at != self.step and self.trainer.is_finite():
            self.keeper.save(self.step, self._recent)
        return self._end(stop)

    def _end(self, stop):
        if not stop or self.step >= self.goal.num_steps or self._done:
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
        # What is saved must be good to go back to.
        if not guards.is_finite(losses) or (save and not self.trainer.is_finite()):
            if self._recovery.recover(losses, batch):
                self.keeper.saved_at = self.step
            return False
        step = int(step)
        self._recovery.went_well()
        self._recent = [*self._recent[1 - _RECENT :], losses["total_loss"]]
        if save:
            self.keeper.save(step, self._recent)
        measured = self.keeper.heldout_loss
        more = {} if measured is None else {"heldout_loss": measured}
        self.progress.step(step, losses, force=save, **more)
        if self.tell_loss:
            self.tell_loss(step, losses["total_loss"])
        limit = self.goal.early_stop
        if limit is not None and losses["total_loss"] <= limit:
            self.progress.event("early_stop", f"Total loss is at most {limit}.", step=step)
            self._done = True
        return True


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
