"""The training loop and the files around it."""

import contextlib
import json
import os
import shutil
from pathlib import Path

import gin
import tensorflow as tf
from absl import logging

from dlwa import runfiles
from dlwa.ddsp.training import checkpoints, gin_util, guards, heldout, loop
from dlwa.ddsp.training.checkpoint_util import (
    get_latest_checkpoint,
    get_latest_file,
    get_latest_operative_config,
)
from dlwa.ddsp.training.model_config import check_same_model, write_model_config
from dlwa.ddsp.training.progress import Progress
from dlwa.ddsp.training.saving import Keeper

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
    """A path with its variables and ~ spelt out; an empty one stays empty."""
    path = os.path.expandvars(file_path)
    return str(Path(path).expanduser()) if path else ""


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
    text = gin_util.operative_config_str()
    path = Path(save_dir) / f"operative_config-{step}.gin"
    path.parent.mkdir(parents=True, exist_ok=True)
    with runfiles.written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")
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
            with runfiles.written_aside(Path(save_dir) / name) as aside:
                shutil.copyfile(source, aside)


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
    allow_other_config=False,
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
        allow_other_config: go on in a folder that holds a training with another configuration.

    Returns:
        'finished' or 'stopped'.

    Raises:
        guards.TrainingFailedError: if the loss stays not a number or a save fails.
    """
    goal = loop.Goal(num_steps, batch_size, steps_per_save, early_stop_loss_value, hours)
    trainer.build(next(iter(loop.dataset_of(data_provider, trainer, batch_size))))
    progress = Progress(save_dir, num_steps, steps_per_summary)
    if save_dir and checkpoints.saved_steps(save_dir) and not allow_other_config:
        # Before restoring, which could only list variables of other shapes.
        check_same_model(save_dir)
    first_step = _restore(trainer, restore_dir, batch_size)
    if save_dir:
        _write_papers(data_provider, progress, save_dir, first_step)
    listened = _heldout(data_provider, batch_size) if save_dir and evaluate_heldout else None
    keeper = Keeper(trainer, progress, save_dir, listened)
    tell_loss = _hypertune() if report_loss_to_hypertune else None
    training = loop.Loop(trainer, data_provider, progress, keeper, goal, save_dir, tell_loss)
    with guards.stop_request() as stop, contextlib.closing(progress):
        progress.start(first_step)
        if first_step == 0:
            # Something to go back to if the very first steps go wrong.
            keeper.save(0, [])
        keeper.saved_at = first_step
        outcome = training.run(stop)
    if outcome == "finished":
        logging.info("Training Finished!")
    return outcome


def _write_papers(provider, progress, save_dir, step):
    """Leave beside the checkpoints what is needed to use them: configuration and statistics."""
    write_gin_config(progress.writer, save_dir, step)
    write_model_config(save_dir)
    _copy_statistics(provider, save_dir)


def _heldout(provider, batch_size):
    """What measures on held-out sounds, or None, which is said."""
    found = heldout.find(provider, batch_size)
    if found is None:
        logging.info(
            "No sounds are held out: plateau, silence and noise are not watched, and the best "
            "checkpoint is that of the lowest loss."
        )
    return found


def _hypertune():
    """Reporter of every step's loss to a study of cloudml-hypertune."""
    try:
        import hypertune
    except ImportError:
        raise ValueError(
            "hypertune=True needs the package cloudml-hypertune: pip install cloudml-hypertune"
        ) from None
    reporter = hypertune.HyperTune()

    def tell(step, loss):
        reporter.report_hyperparameter_tuning_metric(
            hyperparameter_metric_tag="Loss", metric_value=loss, global_step=step
        )

    return tell


def _restore(trainer, restore_dir, batch_size):
    """Go on from the newest checkpoint, if there is one; returns the step."""
    try:
        logging.info("Restoring from checkpoint...")
        prefix = trainer.restore(restore_dir)
    except FileNotFoundError:
        logging.info(
            "No existing checkpoint found in %s, skipping checkpoint loading.", restore_dir
        )
        return 0
    step = int(trainer.step.numpy())
    if trainer.examples_seen < 0:  # a checkpoint of another program
        trainer.examples_seen = step * batch_size
    logging.info("Going on from %s at step %d.", prefix, step)
    return step
