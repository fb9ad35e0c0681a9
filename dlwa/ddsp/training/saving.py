"""What happens whenever a training saves: measuring, writing, noting the best, making room."""

import errno

from dlwa import runfiles
from dlwa.ddsp.training import alarms, checkpoints, guards
from dlwa.words import counted

__all__ = ["Keeper"]

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("No space left", "Disk quota exceeded")


class Keeper:
    """Saves a training, measured on held-out sounds before.

    Args:
        trainer: a built trainer.
        progress: is told everything.
        save_dir: folder of the checkpoints; '' for none.
        heldout: measures on sounds that are not learned from; None for nothing.

    Attributes:
        saved_at: step of the last checkpoint, None before the first.
        heldout_loss: as last measured, or None.
    """

    def __init__(self, trainer, progress, save_dir, heldout=None):
        self._trainer, self._progress, self._save_dir = trainer, progress, save_dir
        self._heldout = heldout
        self.saved_at = self.heldout_loss = None
        self._plateau = alarms.Plateau()
        if heldout is not None:
            self._remember(int(trainer.step.numpy()))

    def _remember(self, step):
        """Let the alarms know what was measured in earlier sessions of the same training."""
        for event in runfiles.read_lines(self._progress.folder / runfiles.EVENTS_FILE):
            if event.get("heldout") and event["step"] <= step:
                self._plateau.update(event["step"], event["loss"])

    def save(self, step, recent):
        """Write a checkpoint.

        Args:
            step: of the training.
            recent: its last losses; their mean tells how good the model is where no sounds are
                held out.

        Raises:
            guards.TrainingFailedError: if it cannot be written.
        """
        if not self._save_dir:
            return
        with self._progress.pause():
            loss = self._measure(step)
            measured = loss is not None
            if not measured and recent:
                loss = sum(recent) / len(recent)
            try:
                best = self._write(step, loss)
            except OSError as error:
                raise guards.TrainingFailedError(
                    f"{error}. The checkpoints before step {step} are whole",
                    "free some space and train again; it resumes",
                ) from error
            self.saved_at = step
            self._progress.saved(step, loss, best, heldout=measured)
            if measured:
                self._tell(self._plateau.update(step, loss), step)

    def _write(self, step, loss):
        """Save and note whether it is the best, with older ones deleted if the disk is full."""
        try:
            self._trainer.save(self._save_dir)
        except OSError as error:
            deleted = checkpoints.prune(self._save_dir, 1) if _is_full(error) else []
            if not deleted:
                raise
            self._progress.event(
                "disk_full",
                f"The disk is full: deleted {counted(len(deleted), 'older checkpoint')} to save "
                f"step {step}. Free some space.",
                step=step,
            )
            self._trainer.save(self._save_dir)
        # Noted as best only afterwards: until the new one is there, the old one is spared.
        return loss is not None and checkpoints.note_best(self._save_dir, step, loss)

    def _measure(self, step):
        if self._heldout is None:
            return None
        losses, remarks = self._heldout.measure(self._trainer)
        for name, value in losses.items():
            self._progress.scalar(f"heldout/{name}", value, step)
        self._tell(remarks, step)
        self.heldout_loss = losses.get("total_loss")
        return self.heldout_loss

    def _tell(self, remarks, step):
        for event, text, of in remarks:
            self._progress.event(event, text, step=step, **({"of": of} if of else {}))


def _is_full(error):
    return error.errno in _FULL or any(words in str(error) for words in _FULL_WORDS)
