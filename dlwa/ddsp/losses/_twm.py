"""Two-way mismatch: which pitch explains a set of sinusoids."""

import gin
import numpy as np
import tensorflow as tf

from dlwa.ddsp import core

from ._base import Loss
from ._consistency import gaussian_mixture_log_prob, kde_log_prob


@gin.register(module="dlwa.ddsp.losses")
class TWMLoss(Loss):
    """How badly each candidate pitch explains the sinusoids, and they the candidate.

    A likelihood version of Maher and Beauchamp's two-way mismatch (1994); Engel et al. 2020 (ICML
    workshop on self-supervision).

    Args:
        sinusoids_weight: weight of sinusoids that no harmonic explains.
        harmonics_weight: weight of harmonics without a sinusoid.
        sinusoids_scale: width of the sinusoids' picture in semitones.
        harmonics_scale: width of a harmonic, as a share of the pitch.
        n_harmonic_points: harmonics that should be there.
        n_harmonic_gaussians: harmonics that may be there.
        softmin_temperature: how strictly the best candidate counts alone.
        sample_rate: in Hz.

    Example:
        >>> freqs = 200.0 * np.arange(1, 11).reshape(1, 1, 10)
        >>> TWMLoss().predict_f0([[[140.0, 200.0, 250.0]]], freqs, 1.0 / freqs).tolist()
        [[[200.0]]]
    """

    def __init__(
        self,
        sinusoids_weight=1.0,
        harmonics_weight=1.0,
        sinusoids_scale=0.5,
        harmonics_scale=0.2,
        n_harmonic_points=10,
        n_harmonic_gaussians=30,
        softmin_temperature=1.0,
        sample_rate=16000,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in {
            "sinusoids_scale": sinusoids_scale,
            "harmonics_scale": harmonics_scale,
            "softmin_temperature": softmin_temperature,
            "sample_rate": sample_rate,
        }.items():
            core.check_positive(name, value)
        core.check_whole("n_harmonic_points", n_harmonic_points)
        core.check_whole("n_harmonic_gaussians", n_harmonic_gaussians)
        self.sinusoids_weight = sinusoids_weight
        self.harmonics_weight = harmonics_weight
        self.sinusoids_scale = sinusoids_scale
        self.harmonics_scale = harmonics_scale
        self.n_harmonic_points = n_harmonic_points
        self.n_harmonic_gaussians = n_harmonic_gaussians
        self.softmin_temperature = softmin_temperature
        self.sample_rate = sample_rate

    def call(self, f0_candidates, freqs, amps):
        """The mismatch of the best candidates, scalar.

        Args:
            f0_candidates: `[batch, n_frames, n_candidates]` in Hz.
            freqs: `[batch, n_frames, k]` in Hz.
            amps: `[batch, n_frames, k]`.

        Raises:
            ValueError: if shapes do not fit each other, or a known f0_candidates is negative or
                not finite.
        """
        tensors = self.get_loss_tensors(f0_candidates, freqs, amps)
        core.check_hz("f0_candidates", f0_candidates)
        loss = self._weigh(*tensors)
        softmin = tf.nn.softmax(-loss / self.softmin_temperature, axis=-1)
        return tf.reduce_mean(loss * softmin)

    def _weigh(self, sinusoids_loss, harmonics_loss):
        return self.sinusoids_weight * sinusoids_loss + self.harmonics_weight * harmonics_loss

    def get_loss_tensors(self, f0_candidates, freqs, amps):
        """The two mismatches of every candidate, each `[batch, n_frames, n_candidates]`."""
        f0_candidates = core.tf_float32(f0_candidates)
        freqs, amps = core.tf_float32(freqs), core.tf_float32(amps)
        core.check_layout("f0_candidates", f0_candidates, "[batch, n_frames, n_candidates]")
        core.check_layout("freqs", freqs, "[batch, n_frames, k]")
        core.check_layout("amps", amps, "[batch, n_frames, k]")
        core.check_agree(("batch", "n_frames"), f0_candidates=f0_candidates, freqs=freqs, amps=amps)
        core.check_agree(("batch", "n_frames", "k"), freqs=freqs, amps=amps)
        return (
            self._sinusoids_loss(f0_candidates, freqs, amps),
            self._harmonics_loss(f0_candidates, freqs, amps),
        )

    def _sinusoids_loss(self, f0_candidates, freqs, amps):
        n = self.n_harmonic_gaussians
        # As safe_divide has it at 0 Hz; the square of a ratio to still less would be infinite.
        pitches = tf.maximum(f0_candidates, 1e-7)[..., tf.newaxis]
        ratios = freqs[:, :, tf.newaxis, :] / pitches
        centers = tf.linspace(1.0, float(n), n)
        # The reference meant falling weights, but passes equal logits: all harmonics count alike.
        log_weights = tf.fill([n], -float(np.log(n)))
        log_prob = gaussian_mixture_log_prob(ratios, centers, log_weights, self.harmonics_scale)
        weights = amps[:, :, tf.newaxis, :]
        weighted = tf.reduce_sum(-log_prob * weights, axis=-1)
        return core.safe_divide(weighted, tf.reduce_sum(weights, axis=-1))

    def _harmonics_loss(self, f0_candidates, freqs, amps):
        n = self.n_harmonic_points
        points = f0_candidates[..., tf.newaxis] * tf.linspace(1.0, float(n), n)
        shape = tf.shape(points)
        flat = tf.reshape(points, [shape[0], shape[1], shape[2] * n])
        log_prob = kde_log_prob(core.hz_to_midi(flat), amps, freqs, self.sinusoids_scale)
        nll = tf.reshape(-log_prob, shape)
        audible = tf.cast(points < self.sample_rate / 2, tf.float32)
        audible = core.safe_divide(audible, tf.reduce_mean(audible, axis=-1, keepdims=True))
        return tf.reduce_mean(nll * tf.linspace(1.0, 1.0 / n, n) * audible, axis=-1)

    def predict_f0(self, f0_candidates, freqs, amps):
        """The candidate with the smallest mismatch, NumPy `[batch, n_frames, 1]` in Hz.

        A candidate that is no number is never the best.
        """
        loss = np.asarray(self._weigh(*self.get_loss_tensors(f0_candidates, freqs, amps)))
        best = np.argmin(np.where(np.isnan(loss), np.inf, loss), axis=-1)[..., np.newaxis]
        return np.take_along_axis(np.asarray(f0_candidates), best, axis=-1)
