"""A trained model, loaded to play: from a folder of checkpoints or from a bundle."""

from dataclasses import dataclass, field
from pathlib import Path

import tensorflow as tf

from dlwa.ddsp.timbre_transfer._build import build
from dlwa.ddsp.timbre_transfer._checkpoint import choose_checkpoint
from dlwa.ddsp.timbre_transfer._decoding import scaled_features
from dlwa.ddsp.timbre_transfer._errors import TransferError
from dlwa.ddsp.training import (
    bundles,
    checkpoint_util,
    inference,
    models,
    postprocessing,
    preprocessing,
)
from dlwa.ddsp.training.decoders import RnnFcDecoder

_FEW_FRAMES = 4


@dataclass(frozen=True)
class PlayableModel:
    """A model with its weights and what it learned from.

    `loudness_rate` is the sample rate at which it measured loudness while it learned.
    `config` is the text of the configuration it was built from. `traced` holds what has been
    prepared for playing blocks, by their size.
    """

    model: models.Autoencoder
    folder: Path
    checkpoint: str
    statistics: dict | None
    sample_rate: int
    hop_size: int
    frame_rate: int
    loudness_rate: int
    config: str = ""
    notes: tuple[str, ...] = ()
    traced: dict = field(default_factory=dict, repr=False, compare=False)

    @property
    def power_frame(self):
        """Samples of a frame if the model hears power instead of loudness; else 0."""
        powers = preprocessing.F0PowerPreprocessor | preprocessing.OnlineF0PowerPreprocessor
        preprocessor = self.model.preprocessor
        return int(preprocessor.frame_size) if isinstance(preprocessor, powers) else 0

    @property
    def state_size(self):
        """Numbers the decoder carries from block to block; 0 if it carries none."""
        decoder = self.model.decoder
        if not isinstance(decoder, RnnFcDecoder):
            return 0
        return decoder.rnn.rnn.units * (2 if decoder.rnn.rnn_type == "lstm" else 1)


def load_model(folder, checkpoint="best"):
    """Load a model: configuration, weights and statistics.

    Args:
        folder: a folder with operative_config-*.gin and checkpoints (ours or of the field's
            package), and the data set's statistics if it has any; or a bundle, folder or zip.
        checkpoint: "best" (of the training), "latest", or a step; a bundle has just one.

    Raises:
        TransferError: if something is missing, damaged or no instrument model.
    """
    path = Path(folder).expanduser()
    if bundles.is_bundle(path):
        return _load_bundle(path, checkpoint)
    if not path.is_dir():
        raise TransferError(
            f"model_dir={path} " + ("is no bundle" if path.exists() else "does not exist"),
            "name a folder with checkpoints, or a bundle",
        )
    return _load_folder(path, checkpoint)


def _load_folder(folder, checkpoint):
    notes = []
    prefix = choose_checkpoint(folder, checkpoint, notes)
    try:
        path = checkpoint_util.get_latest_operative_config(folder)
    except FileNotFoundError:
        raise TransferError(
            f"model_dir={folder} holds no operative_config-*.gin",
            "copy it from where the model was trained; it says what the network looks like",
        ) from None
    text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    built = build(lambda config: config.add_old_config(path), text, path)
    statistics = _statistics(folder, notes)
    played = _playable(built, folder, prefix, statistics, text, notes)
    try:
        checkpoint_util.load_reference_checkpoint(played.model, prefix)
    except ValueError as error:
        raise TransferError(
            str(error),
            "copy checkpoint and operative_config-*.gin together from where they were made",
        ) from error
    return played


def _load_bundle(path, checkpoint):
    try:
        bundle = bundles.read(path)
        text = bundles.config_text(bundle.bindings)
    except ValueError as error:
        raise TransferError(str(error), "copy the bundle again, or export it anew") from error
    step = bundle.facts.get("step")
    if checkpoint not in ("best", "latest", step, str(step)):
        raise TransferError(
            f"checkpoint={checkpoint} is not in the bundle {path}, which holds step {step}",
            "--checkpoint=best",
        )
    built = build(lambda config: config.add_params([text]), text, path)
    where = f"{path}/ckpt-{step}" if step is not None else str(path)
    played = _playable(built, path, where, bundle.statistics, text, [])
    try:
        bundles.assign(played.model, bundle.weights, path)
    except ValueError as error:
        raise TransferError(str(error), "export the model anew") from error
    return played


def _playable(built, folder, checkpoint, statistics, text, notes):
    """The built model with its clock; its variables exist afterwards."""
    try:
        hop_size, sample_rate = inference.hop_size_of(built.model), built.sample_rate
    except ValueError as error:
        raise TransferError(f"{folder} holds a model that cannot be played: {error}") from error
    played = PlayableModel(
        model=built.model,
        folder=folder,
        checkpoint=checkpoint,
        statistics=statistics,
        sample_rate=sample_rate,
        hop_size=hop_size,
        frame_rate=built.frame_rate,
        loudness_rate=built.loudness_rate,
        config=text,
        notes=tuple(notes),
    )
    _make_variables(played)
    return played


def _statistics(folder, notes):
    try:
        return postprocessing.load_statistics(folder)
    except ValueError as error:
        notes.append(f"the statistics cannot be used: {error}")
        return None


@tf.autograph.experimental.do_not_convert  # of which Keras would make sure, layer by layer
def _make_variables(played):
    """Call every part once on a few frames, so that its weights exist."""
    model = played.model
    inference.set_length(model, _FEW_FRAMES, played.hop_size)
    frames = tf.zeros([1, _FEW_FRAMES, 1])
    features = scaled_features(frames + 440.0, frames - 40.0, None)
    if model.encoder is not None:  # its spectra need more samples than four frames
        features["audio"] = tf.zeros([1, played.sample_rate * 4])
        features.update(model.encoder(features))
    if played.state_size:
        features["state"] = tf.zeros([1, played.state_size])
    features.update(model.decoder(features))
    model.processor_group(features)
