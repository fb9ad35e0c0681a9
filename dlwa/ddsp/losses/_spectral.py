"""The multi-scale spectral loss."""

import functools

import gin
import tensorflow as tf

from dlwa.ddsp import core, spectral_ops

from ._base import Loss, check_loss_type, check_same_shape, mean_difference


@gin.register(module="dlwa.ddsp.losses")
class SpectralLoss(Loss):
    """How different two sounds are to the ear: their spectra compared at several resolutions.

    Wang et al. 2019; Engel et al. 2020, section 4.2.1. Phase plays no part. The sum over all FFT
    sizes is not divided by their number.

    Args:
        fft_sizes: frame lengths, from fine in frequency to fine in time.
        loss_type: 'L1', 'L2' or 'COSINE'.
        mag_weight: weight of the magnitudes.
        delta_time_weight: weight of their change from frame to frame.
        delta_freq_weight: weight of their change from bin to bin.
        cumsum_freq_weight: weight of their running sum over bins.
        logmag_weight: weight of the logarithm of the magnitudes.
        loudness_weight: weight of the loudness curve (once, not for every size).

    Raises:
        ValueError: if the loss type is unknown.

    Example:
        >>> sound = tf.sin(tf.range(8000.0))[tf.newaxis]
        >>> loss = SpectralLoss(logmag_weight=1.0)
        >>> float(loss(sound, sound)), float(loss(sound, 0.5 * sound)) > 1.0
        (0.0, True)
    """

    def __init__(
        self,
        fft_sizes=(2048, 1024, 512, 256, 128, 64),
        loss_type="L1",
        mag_weight=1.0,
        delta_time_weight=0.0,
        delta_freq_weight=0.0,
        cumsum_freq_weight=0.0,
        logmag_weight=0.0,
        loudness_weight=0.0,
        name="spectral_loss",
    ):
        super().__init__(name=name)
        check_loss_type(loss_type)
        for size in fft_sizes:
            core.check_whole("fft_size", size, least=4)
        self.fft_sizes = tuple(fft_sizes)
        self.loss_type = loss_type
        self.mag_weight = mag_weight
        self.delta_time_weight = delta_time_weight
        self.delta_freq_weight = delta_freq_weight
        self.cumsum_freq_weight = cumsum_freq_weight
        self.logmag_weight = logmag_weight
        self.loudness_weight = loudness_weight

    def _terms(self):
        return [
            (self.mag_weight, tf.identity),
            (self.delta_time_weight, functools.partial(core.diff, axis=1)),
            (self.delta_freq_weight, functools.partial(core.diff, axis=2)),
            (self.cumsum_freq_weight, functools.partial(tf.math.cumsum, axis=2)),
            (self.logmag_weight, core.safe_log),
        ]

    def call(self, target_audio, audio, weights=None):
        """Compare two sounds.

        Args:
            target_audio: `[batch, n_samples]`, `[n_samples]` or `[batch, n_samples, 1]`.
            audio: the same shape.
            weights: factor of each difference, broadcast to `[batch, n_frames, n_frequencies]` of
                every FFT size, e.g. `[batch, 1, 1]`.

        Returns:
            Scalar.

        Raises:
            ValueError: if the shapes differ or the weights do not fit.
        """
        target_audio, audio = core.tf_float32(target_audio), core.tf_float32(audio)
        _check_lengths(target_audio, audio)
        if len(audio.shape) == 1:
            target_audio, audio = target_audio[tf.newaxis], audio[tf.newaxis]
        loss = 0.0
        for size in self.fft_sizes:
            target_mag = spectral_ops.compute_mag(target_audio, size=size)
            value_mag = spectral_ops.compute_mag(audio, size=size)
            for weight, measure in self._terms():
                if weight > 0:
                    loss += weight * mean_difference(
                        measure(target_mag), measure(value_mag), self.loss_type, weights
                    )
        if self.loudness_weight > 0:
            target = spectral_ops.compute_loudness(target_audio, n_fft=2048)
            value = spectral_ops.compute_loudness(audio, n_fft=2048)
            loss += self.loudness_weight * mean_difference(
                target, value, self.loss_type, _a_frame(weights)
            )
        return tf.convert_to_tensor(loss)


def _a_frame(weights):
    """Weights for `[batch, n_frames]` from those for `[batch, n_frames, n_frequencies]`."""
    if weights is None:
        return None
    weights = core.tf_float32(weights)
    return weights[..., 0] if len(weights.shape) == 3 and weights.shape[2] == 1 else weights


def _check_lengths(target_audio, audio):
    layouts = "[batch, n_samples]", "[n_samples]", "[batch, n_samples, 1]"
    core.check_layout("target_audio", target_audio, *layouts)
    core.check_layout("audio", audio, *layouts)
    check_same_shape(target_audio=target_audio, audio=audio)
