"""Originals and what the model makes of their pitch and loudness."""

import glob
from dataclasses import dataclass
from pathlib import Path

import gin
import numpy as np

from dlwa.ddsp import core
from dlwa.ddsp.training import checkpoint_util, checkpoints, gin_util, models
from dlwa.ddsp.training.heldout import HELDOUT_PREFIX
from dlwa.words import counted

_LOOKED_THROUGH = 200
_NOISE_SEED = 0
_RMS_HEARD = 1e-3


class NothingToHearError(Exception):
    """Why there are no sounds."""


@dataclass(frozen=True)
class Pair:
    """A stretch of a recording and the model's version: samples at `rate`, and the loss."""

    original: np.ndarray
    played: np.ndarray
    rate: int
    loss: float


@dataclass(frozen=True)
class Heard:
    """Pairs, the step of the model that played, and whether it had not learned from the sounds."""

    pairs: list[Pair]
    step: int
    heldout: bool


def listen(folder, dataset_dir=None, n_pairs=3):
    """Let a model play held-out stretches of its data set, or learned ones if there are none.

    Args:
        folder: the model's.
        dataset_dir: where the data set lies; default: where the configuration says.
        n_pairs: how many stretches.

    Raises:
        NothingToHearError: with the reason.
    """
    step = _step(folder)
    try:
        config = checkpoint_util.get_latest_operative_config(folder)
    except FileNotFoundError:
        raise NothingToHearError("the model folder holds no operative_config-*.gin") from None
    gin_util.parse_operative_config(config)
    provider, heldout = _provider(dataset_dir)
    stretches = _stretches(provider, n_pairs)
    model = models.get_model()
    model(stretches[0], training=False)  # makes the variables
    model.restore(checkpoints.prefix_of(folder, step), verbose=False)
    rate = int(provider.sample_rate)
    return Heard([_play(model, stretch, rate) for stretch in stretches], step, heldout)


def _play(model, stretch, rate):
    with core.noise_seed(_NOISE_SEED):
        outputs, losses = model(stretch, return_losses=True, training=False)
    played = np.reshape(model.get_audio_from_outputs(outputs), -1)
    original = np.reshape(stretch["audio"], -1)
    return Pair(original, played, rate, float(losses["total_loss"]))


def _step(folder):
    """The best checkpoint that can be read, else the newest."""
    steps = checkpoints.saved_steps(folder)
    learned = [step for step in steps if step > 0]
    if not learned:
        raise NothingToHearError("nothing has been learned and saved yet")
    best = checkpoints.best_step(folder)
    for step in [*([best] if best else []), *reversed(learned)]:
        if checkpoints.is_readable(checkpoints.prefix_of(folder, step)):
            return step
    raise NothingToHearError(f"of {counted(len(learned), 'checkpoint')} none can be read")


def _provider(dataset_dir):
    """(provider of the records to hear, whether they are held out)."""
    try:
        provider = gin.get_bindings("train_util.train").get("data_provider")
    except ValueError as error:
        raise NothingToHearError(f"its data cannot be opened: {error}") from error
    if provider is None:
        raise NothingToHearError("its configuration names no data")
    pattern = getattr(provider, "file_pattern", None)
    if not isinstance(pattern, str) or not hasattr(provider, "with_file_pattern"):
        return provider, False
    if dataset_dir is not None:
        pattern = f"{glob.escape(str(dataset_dir))}/{Path(pattern).name}"
    folder = Path(pattern).parent
    heldout = f"{folder}/{HELDOUT_PREFIX}*"
    # The folder is part of a pattern already: what is special in its name is escaped in it.
    for found, is_heldout in ((heldout, True), (pattern, False)):
        if any(Path(name).stat().st_size for name in glob.glob(found)):  # noqa: PTH207
            return provider.with_file_pattern(found), is_heldout
    raise NothingToHearError(f"its data set is gone: no {pattern}")


def _stretches(provider, n_pairs):
    """Batches of one from all over the data; silent ones only where there is nothing else."""
    dataset = provider.get_batch(1, shuffle=False, repeats=1)
    examples = list(dataset.take(_LOOKED_THROUGH))
    if not examples:
        raise NothingToHearError("its data set holds no whole example")
    if "audio" not in examples[0]:
        raise NothingToHearError("its data set holds no audio")
    heard = [e for e in examples if float(np.sqrt(np.mean(e["audio"] ** 2))) > _RMS_HEARD]
    examples = heard or examples
    places = np.linspace(0, len(examples), min(n_pairs, len(examples)), endpoint=False)
    return [examples[int(place)] for place in places]
