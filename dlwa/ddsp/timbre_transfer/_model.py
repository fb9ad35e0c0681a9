"""A trained model, loaded to play."""

import contextlib
import copy
from dataclasses import dataclass
from pathlib import Path

import gin
import tensorflow as tf

from dlwa.ddsp.timbre_transfer._errors import TransferError
from dlwa.ddsp.training import (
    checkpoint_util,
    checkpoints,
    gin_util,
    inference,
    models,
    postprocessing,
)
from dlwa.ddsp.training.decoders import RnnFcDecoder

_OVERRIDES = (
    "F0LoudnessPreprocessor.compute_loudness = False",
    "RnnFcDecoder.stateless = True",
    "Autoencoder.losses = None",
)
_FEW_FRAMES = 4


@dataclass(frozen=True)
class PlayableModel:
    """A model with its weights and what it learned from.

    `loudness_rate` is the sample rate at which it measured loudness while it learned.
    """

    model: models.Autoencoder
    folder: Path
    checkpoint: str
    statistics: dict | None
    sample_rate: int
    hop_size: int
    frame_rate: int
    loudness_rate: int
    notes: tuple[str, ...] = ()

    @property
    def state_size(self):
        """Numbers the decoder carries from block to block; 0 if it carries none."""
        decoder = self.model.decoder
        if not isinstance(decoder, RnnFcDecoder):
            return 0
        return decoder.rnn.rnn.units * (2 if decoder.rnn.rnn_type == "lstm" else 1)


def load_model(folder, checkpoint="best"):
    """Load a model folder: configuration, weights and statistics.

    Args:
        folder: holds operative_config-*.gin and checkpoints (ours or of the field's package), and
            the data set's statistics if it has any.
        checkpoint: "best" (of the training), "latest", or a step.

    Raises:
        TransferError: if something is missing, damaged or no instrument model.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise TransferError(f"model_dir={folder} does not exist", "name a folder with checkpoints")
    notes = []
    prefix = _choose_checkpoint(folder, checkpoint, notes)
    with _own_gin():
        model, loudness_rate, frame_rate = _build(folder)
    hop = inference.hop_size_of(model)
    played = PlayableModel(
        model=model,
        folder=folder,
        checkpoint=prefix,
        statistics=_statistics(folder, notes),
        sample_rate=inference.sample_rate_of(model),
        hop_size=hop,
        frame_rate=frame_rate,
        loudness_rate=loudness_rate,
        notes=tuple(notes),
    )
    _restore(played, prefix)
    return played


def _choose_checkpoint(folder, wanted, notes):
    steps = checkpoints.saved_steps(folder)
    if not steps:
        raise TransferError(
            f"model_dir={folder} holds no checkpoint (ckpt-*.index)",
            "train first, or name the folder of a trained model",
        )
    if wanted not in ("best", "latest"):
        if not str(wanted).isdigit() or int(wanted) not in steps:
            raise TransferError(
                f"checkpoint={wanted} must be best, latest or one of {steps}", "--checkpoint=best"
            )
        return _readable(folder, int(wanted))
    step = checkpoints.best_step(folder) if wanted == "best" else None
    if step is not None and checkpoints.is_readable(checkpoints.prefix_of(folder, step)):
        return checkpoints.prefix_of(folder, step)
    if step is not None:
        notes.append(f"the best checkpoint, ckpt-{step}, is damaged; taking the newest whole one")
    for number in reversed(steps):
        if checkpoints.is_readable(checkpoints.prefix_of(folder, number)):
            return checkpoints.prefix_of(folder, number)
        notes.append(f"checkpoint ckpt-{number} is damaged")
    raise TransferError(
        f"every checkpoint in {folder} is damaged: {', '.join(f'ckpt-{s}' for s in steps)}",
        "copy the model folder again, or train anew",
    )


def _readable(folder, step):
    prefix = checkpoints.prefix_of(folder, step)
    if not checkpoints.is_readable(prefix):
        raise TransferError(f"checkpoint {prefix} is damaged", "--checkpoint=best")
    return prefix


@contextlib.contextmanager
def _own_gin():
    """A gin configuration of our own; the caller's is put back afterwards."""
    kept = copy.copy(gin.config._CONFIG), gin.config.config_is_locked()
    gin.config._set_config_is_locked(False)
    try:
        gin.clear_config()
        yield
    finally:
        gin.clear_config()
        gin.config._CONFIG.update(kept[0])
        gin.config._set_config_is_locked(kept[1])


def _build(folder):
    """(model, rate and frame rate of its loudness) from the folder's configuration."""
    try:
        path = checkpoint_util.get_latest_operative_config(folder)
    except FileNotFoundError:
        raise TransferError(
            f"model_dir={folder} holds no operative_config-*.gin",
            "copy it from where the model was trained; it says what the network looks like",
        ) from None
    try:
        config = gin_util.Config()
        config.add_old_config(path)
        config.add_params(_OVERRIDES)
        model = models.get_model()
    except (gin_util.GinError, ValueError, RuntimeError, TypeError) as error:
        raise TransferError(f"{path} describes no model we can build: {error}") from error
    parts = (model, getattr(model, "preprocessor", None), getattr(model, "decoder", None))
    if not isinstance(model, models.Autoencoder) or None in parts:
        raise TransferError(
            f"{folder} holds a {type(model).__name__}, which plays no pitch and loudness",
            "timbre transfer needs an Autoencoder, e.g. of models/solo_instrument.gin",
        )
    frame_rate = int(getattr(model.preprocessor, "frame_rate", 250))
    measured_itself = "F0LoudnessPreprocessor.compute_loudness" not in _bound_false(path)
    rate = int(getattr(model.preprocessor, "sample_rate", 16000)) if measured_itself else 16000
    return model, rate, frame_rate


def _bound_false(path):
    bindings = gin_util.bindings_of(Path(path).read_text(encoding="utf-8"))
    return {name for name, value in bindings.items() if value == "False"}


def _statistics(folder, notes):
    try:
        return postprocessing.load_statistics(folder)
    except ValueError as error:
        notes.append(f"the statistics cannot be used: {error}")
        return None


def _restore(played, prefix):
    """Call every part once on a few frames, so that its weights exist, then fill them."""
    model = played.model
    inference.set_length(model, _FEW_FRAMES, played.hop_size)
    frames = tf.zeros([1, _FEW_FRAMES])
    features = {"f0_hz": frames + 440.0, "loudness_db": frames - 40.0, "power_db": frames - 40.0}
    features["audio"] = tf.zeros([1, _FEW_FRAMES * played.hop_size])
    if played.state_size:
        features["state"] = tf.zeros([1, played.state_size])
    if model.encoder is not None:  # its spectra need more samples than four frames
        features["audio"] = tf.zeros([1, played.sample_rate * 4])
    model(features, training=False)
    try:
        checkpoint_util.load_reference_checkpoint(model, prefix)
    except ValueError as error:
        raise TransferError(
            str(error), "the checkpoint belongs to another configuration"
        ) from error
