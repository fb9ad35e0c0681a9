"""Models as players: a trained model made to play other lengths than it learned from."""

from pathlib import Path

import gin

from dlwa.ddsp.training import checkpoint_util, gin_util, models

__all__ = ["AutoencoderInference", "parse_operative_config"]


def parse_operative_config(ckpt_dir):
    """Read the newest operative_config-*.gin in a folder, or beside a checkpoint, leniently.

    Returns:
        Sentences about what was translated or skipped.

    Raises:
        FileNotFoundError: if there is none.
    """
    return gin_util.parse_operative_config(
        checkpoint_util.get_latest_operative_config(Path(ckpt_dir).expanduser())
    )


@gin.configurable(module="dlwa.ddsp.training.inference")
class AutoencoderInference(models.Autoencoder):
    """A trained autoencoder for playing given pitch and loudness of any one length.

    The model is built from the operative configuration beside the checkpoint. It is always called
    with training=False and takes the loudness it is given, whatever the training did.

    Args:
        ckpt: a checkpoint, or a folder whose newest one is taken.
        length_seconds: how long the features and the sound are.
        remove_reverb: play without the learned room.
        verbose: log what is loaded.
    """

    def __init__(self, ckpt, length_seconds=4, remove_reverb=True, verbose=True, **kwargs):
        if not length_seconds > 0:
            raise ValueError(f"length_seconds={length_seconds} must be positive")
        self.notes = parse_operative_config(ckpt)
        if remove_reverb:
            gin.bind_parameter("ProcessorGroup.dag", _without_reverb())
        gin.bind_parameter("F0LoudnessPreprocessor.compute_loudness", False)
        gin.bind_parameter("oscillator_bank.use_angular_cumsum", True)
        parts = models.Autoencoder(losses=None)
        super().__init__(
            preprocessor=parts.preprocessor,
            encoder=parts.encoder,
            decoder=parts.decoder,
            processor_group=parts.processor_group,
            **kwargs,
        )
        self.hop_size = hop_size_of(self)
        self.sample_rate = sample_rate_of(self)
        n_frames = int(length_seconds * self.sample_rate / self.hop_size)
        set_length(self, n_frames, self.hop_size)
        self.n_frames, self.n_samples = n_frames, n_frames * self.hop_size
        self.restore(ckpt, verbose=verbose)

    def call(self, features, training=False):
        """All controls and signals by name; `training` is ignored, nothing is learned here."""
        return super().call(features, training=False)


def hop_size_of(model):
    """Samples a frame, from the lengths or the frame rate a model was trained with.

    Raises:
        ValueError: if they do not divide, or the model is no autoencoder with a synthesizer.
    """
    lengths = {p.n_samples for p in model.processor_group.processors if hasattr(p, "n_samples")}
    time_steps = getattr(model.preprocessor, "time_steps", None)
    frame_rate = getattr(model.preprocessor, "frame_rate", None)
    if not time_steps and frame_rate and sample_rate_of(model) % frame_rate == 0:
        return int(sample_rate_of(model) // frame_rate)  # real-time models have no length
    if not time_steps or len(lengths) != 1:
        raise ValueError(
            f"a model to play needs a preprocessor with time_steps (found {time_steps}) and "
            f"synthesizers of one length n_samples (found {sorted(lengths)})"
        )
    (n_samples,) = lengths
    if n_samples % time_steps:
        raise ValueError(f"n_samples={n_samples} must be a multiple of time_steps={time_steps}")
    return n_samples // time_steps


def sample_rate_of(model):
    """Sample rate of a model's synthesizer in Hz."""
    rates = {p.sample_rate for p in model.processor_group.processors if hasattr(p, "sample_rate")}
    if len(rates) != 1:
        raise ValueError(f"the synthesizers must have one sample_rate (found {sorted(rates)})")
    return int(rates.pop())


def set_length(model, n_frames, hop_size):
    """Make a model play this many frames."""
    if hasattr(model.preprocessor, "time_steps"):
        model.preprocessor.time_steps = n_frames
    for processor in model.processor_group.processors:
        if hasattr(processor, "n_samples"):
            processor.n_samples = n_frames * hop_size


def _without_reverb():
    dag = gin.query_parameter("ProcessorGroup.dag")
    kept = [node for node in dag if "reverb" not in str(node[0]).lower()]
    return kept or dag
