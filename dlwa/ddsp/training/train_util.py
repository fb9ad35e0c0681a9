"""The training loop and the files around it."""

import json
import os
import shutil
import time
from pathlib import Path

import gin
import tensorflow as tf
from absl import logging

from dlwa import runfiles
from dlwa.ddsp.training import checkpoints, guards, heldout
from dlwa.ddsp.training.checkpoint_util import (
    get_latest_checkpoint,
    get_latest_file,
    get_latest_operative_config,
)
from dlwa.ddsp.training.model_config import check_same_model, write_model_config
from dlwa.ddsp.training.progress import Progress

__all__ = [
    "expand_path",
    "get_latest_checkpoint",
    "get_latest_file",
    "get_latest_operative_config",
    "get_strategy",
    "train",
    "write_gin_config",
]

STATISTICS_FILES = ("dataset_statistics.json", "dataset_statistics.pkl")


def expand_path(file_path):
    """A path with its variables and ~ spelt out."""
    return str(Path(os.path.expandvars(file_path)).expanduser())


def get_strategy(tpu="", cluster_config=""):
    """How the training is spread over devices.

    Args:
        tpu: address of a TPU.
        cluster_config: JSON or dictionary in TF_CONFIG layout, for several machines.

    Returns:
        A tf.distribute strategy: for several GPUs of one machine they share each batch; for one
        device there is nothing to spread.
    """
    if tpu:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    if cluster_config:
        text = cluster_config if isinstance(cluster_config, str) else json.dumps(cluster_config)
        try:
            json.loads(text)
        except ValueError as error:
            raise ValueError(f"cluster_config={text!r} must be JSON: {error}") from None
        os.environ["TF_CONFIG"] = text
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def write_gin_config(summary_writer, save_dir, step):
    """Write the configuration in force to `operative_config-<step>.gin` and to TensorBoard."""
    text = gin.operative_config_str()
    path = Path(save_dir) / f"operative_config-{step}.gin"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
    if summary_writer is not None:
        # Indented, markdown shows it as code.
        shown = "\n".join("    " + line for line in text.splitlines())
        with summary_writer.as_default():
            tf.summary.text(f"gin/operative_config-{step}", shown, step=step)
        summary_writer.flush()


def _copy_statistics(provider, save_dir):
    """Keep the data set's statistics with the model; playing other sounds needs them."""
    pattern = getattr(provider, "file_pattern", None)
    if not isinstance(pattern, str):
        return
    for name in STATISTICS_FILES:
        source = Path(pattern).parent / name
        if source.is_file():
            aside = Path(save_dir) / f".{name}.tmp"
            shutil.copyfile(source, aside)
            aside.replace(Path(save_dir) / name)


class _Loop:
    """The state of one call of train()."""

    def __init__(self, trainer, progress, save_dir, num_steps):
        self.trainer = trainer
        self.progress = progress
        self.save_dir = save_dir
        self.num_steps = num_steps
        self.heldout = None
        self.heldout_loss = None
        self.plateau = guards.Plateau()
        self.rollbacks = 0
        self.recent = []

    @property
    def step(self):
        return int(self.trainer.step.value)

    def save(self):
        """Measure on held-out sounds, write a checkpoint, note whether it is the best."""
        if self.save_dir:
            with self.progress.pause():
                self._save(self.step)

    def _save(self, step):
        if self.heldout is not None:
            losses = self.heldout.losses(self.trainer)
            self.heldout_loss = heldout.total(losses)
            for name, value in losses.items():
                self.progress.scalar(f"heldout/{name}", value, step)
        loss = self.heldout_loss
        if loss is None and self.recent:
            loss = sum(self.recent) / len(self.recent)
        lowest = checkpoints.best_loss(self.save_dir)
        best = loss is not None and (lowest is None or loss < lowest)
        try:
            # Before note_best, the old best is still spared; the new one is the newest.
            self.trainer.save(self.save_dir)
        except OSError as error:
            raise guards.TrainingFailedError(
                f"{error}. The checkpoints before step {step} are whole; free some space and "
                "train again to resume"
            ) from error
        if best:
            checkpoints.note_best(self.save_dir, step, loss)
        self._tell_saved(step, loss, best)

    def _tell_saved(self, step, loss, best):
        folder = Path(self.save_dir)
        runfiles.report_event(folder, "checkpoint", step=step, loss=loss, best=bool(best))
        if self.heldout is not None and self.plateau.update(loss):
            self.progress.event(
                "plateau",
                f"Held-out loss has not improved lately (best {checkpoints.best_loss(folder):.2f} "
                f"at step {checkpoints.best_step(folder)}); more steps may not help.",
                step=step,
            )

    def roll_back(self, losses):
        """Go back to the last good checkpoint with half the learning rate."""
        bad = ", ".join(f"{name}={value}" for name, value in losses.items())
        self.rollbacks += 1
        prefix = checkpoints.newest(self.save_dir) if self.save_dir else None
        if self.rollbacks > guards.MAX_ROLLBACKS or prefix is None:
            raise guards.TrainingFailedError(
                f"The loss is not a number ({bad}) after {self.rollbacks - 1} rollbacks; lower the "
                "learning rate, e.g. -- --gin_param=learning_rate=1e-4, or look for faulty "
                "recordings in the data set"
            )
        step = self.step
        scale = 0.5**self.rollbacks
        self.trainer.restore(prefix, restore_keys=None)
        self.trainer.lower_learning_rate(scale)
        self.progress.event(
            "rollback",
            f"The loss was not a number at step {step} ({bad}): back to step {self.step}, "
            f"learning rate now {self.trainer.learning_rate:.2g}.",
            step=step,
            to_step=self.step,
        )


@gin.configurable(module="dlwa.ddsp.training.train_util")
def train(
    data_provider,
    trainer,
    batch_size=32,
    num_steps=1000000,
    steps_per_summary=300,
    steps_per_save=300,
    save_dir="/tmp/ddsp",
    restore_dir="/tmp/ddsp",
    early_stop_loss_value=None,
    report_loss_to_hypertune=False,
    hours=None,
    evaluate_heldout=True,
):
    """Train until `num_steps`, resuming where an earlier training of the folder left off.

    Args:
        data_provider: gives batches of features.
        trainer: a Trainer.
        batch_size: examples a step.
        num_steps: steps in all, those of earlier trainings included.
        steps_per_summary: steps between TensorBoard points.
        steps_per_save: steps between checkpoints.
        save_dir: where everything is written; empty for nowhere.
        restore_dir: where to resume from.
        early_stop_loss_value: stop when the total loss is as low.
        report_loss_to_hypertune: tell cloudml-hypertune the loss of every step.
        hours: stop (saved, to be resumed) after this time.
        evaluate_heldout: measure on `heldout.tfrecord-*` beside the data set at every save.

    Returns:
        'finished' or 'stopped'.

    Raises:
        guards.TrainingFailedError: if the loss stays not a number or a save fails.
    """
    if report_loss_to_hypertune:
        import hypertune  # noqa: F401  (only where the user runs a study; fails early if absent)

    first_batch = next(iter(_dataset(data_provider, trainer, batch_size, 0)))
    trainer.build(first_batch)
    first_step = _restore(trainer, restore_dir)
    progress = Progress(save_dir, first_step, num_steps, steps_per_summary)
    loop = _Loop(trainer, progress, save_dir, num_steps)
    if save_dir:
        check_same_model(save_dir, resuming=first_step > 0)
        write_gin_config(progress.writer, save_dir, first_step)
        write_model_config(save_dir)
        _copy_statistics(data_provider, save_dir)
        if evaluate_heldout:
            loop.heldout = heldout.find(data_provider, batch_size)
        if first_step == 0:
            # Something to go back to if the very first steps go wrong.
            loop.save()
    deadline = time.monotonic() + hours * 3600 if hours else None
    with guards.stop_request() as stop:
        outcome = _run(
            loop, data_provider, batch_size, steps_per_save, early_stop_loss_value, stop, deadline
        )
    progress.close()
    if outcome == "finished":
        logging.info("Training Finished!")
    return outcome


def _dataset(provider, trainer, batch_size, step):
    try:
        dataset = provider.get_batch(
            batch_size, shuffle=True, repeats=-1, seed=trainer.seed, start_step=step
        )
    except TypeError:
        # A provider of the user's own with the plain signature.
        dataset = provider.get_batch(batch_size, shuffle=True, repeats=-1)
    return trainer.distribute_dataset(dataset)


def _restore(trainer, restore_dir):
    try:
        logging.info("Restoring from checkpoint...")
        prefix = trainer.restore(restore_dir)
    except FileNotFoundError:
        logging.info(
            "No existing checkpoint found in %s, skipping checkpoint loading.", restore_dir
        )
        return 0
    step = int(trainer.step.value)
    logging.info("Going on from %s at step %d.", prefix, step)
    return step


def _run(loop, provider, batch_size, steps_per_save, early_stop, stop, deadline):
    iterator = iter(_dataset(provider, loop.trainer, batch_size, loop.step))
    saved_at = loop.step
    pending = None
    while loop.step < loop.num_steps and not stop:
        pending = loop.trainer.train_step(iterator)
        losses = {name: float(value) for name, value in pending.items()}
        if not guards.is_finite(losses):
            loop.roll_back(losses)
            iterator = iter(_dataset(provider, loop.trainer, batch_size, loop.step))
            saved_at = loop.step
            continue
        step = loop.step
        loop.recent = [*loop.recent[-99:], losses["total_loss"]]
        save_now = step % steps_per_save == 0
        if save_now:
            loop.save()
            saved_at = step
        more = {} if loop.heldout_loss is None else {"heldout_loss": loop.heldout_loss}
        loop.progress.step(step, losses, force=save_now or step == loop.num_steps, **more)
        if early_stop is not None and losses["total_loss"] <= early_stop:
            loop.progress.event("early_stop", f"Total loss is at most {early_stop}.", step=step)
            break
        if deadline is not None and time.monotonic() > deadline:
            stop.signal = stop.signal or -1
    if loop.save_dir and loop.step != saved_at:
        loop.save()
    if stop and loop.step < loop.num_steps:
        why = "its time was up" if stop.signal == -1 else f"asked to by {stop.name}"
        loop.progress.event(
            "stopped", f"Stopped at step {loop.step}: {why}.", step=loop.step, reason=why
        )
        return "stopped"
    return "finished"
