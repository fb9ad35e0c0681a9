"""Losses that compare controls of synthesizers with each other."""

import math

import gin
import tensorflow as tf

from dlwa.ddsp import core

from ._base import Loss, mean_difference

_register = gin.register(module="dlwa.ddsp.losses")


def amp_loss(amp, amp_target, loss_type="L1", weights=None, log=False, amin=1e-5):
    """Difference of amplitudes, or of their decimal logarithms from `amin` up.

    Example:
        >>> round(float(amp_loss([0.1], [1.0], log=True)), 3)
        1.0
    """
    amp, amp_target = core.tf_float32(amp), core.tf_float32(amp_target)
    if log:
        amp = core.log10(tf.maximum(amin, amp))
        amp_target = core.log10(tf.maximum(amin, amp_target))
    return mean_difference(amp, amp_target, loss_type, weights)


def freq_loss(f_hz, f_hz_target, loss_type="L1", weights=None):
    """Difference of frequencies in semitones.

    Example:
        >>> round(float(freq_loss([220.0], [440.0])), 3)
        12.0
    """
    return mean_difference(core.hz_to_midi(f_hz), core.hz_to_midi(f_hz_target), loss_type, weights)


@_register
class FilteredNoiseConsistencyLoss(Loss):
    """Difference of noise magnitudes.

    Example:
        >>> float(FilteredNoiseConsistencyLoss()([[[0.5, 0.25]]], [[[0.25, 0.25]]]))
        0.125
    """

    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight

    def call(self, noise_magnitudes, noise_magnitudes_target):
        """Scalar; both `[batch, n_frames, n_bands]`."""
        return self.weight * amp_loss(noise_magnitudes, noise_magnitudes_target)


@_register
class HarmonicConsistencyLoss(Loss):
    """Difference of two harmonic synthesizers' controls; shares and pitch count where it sounds.

    Args:
        amp_weight: weight of the amplitudes.
        dist_weight: weight of the harmonic distribution.
        f0_weight: weight of the pitch.
        amp_threshold: target amplitude from which a frame sounds.

    Example:
        >>> one, shares = [[[0.5]]], [[[0.75, 0.25]]]
        >>> told = HarmonicConsistencyLoss()(one, one, shares, shares, [[[220.0]]], [[[440.0]]])
        >>> {name: round(float(value), 3) for name, value in told.items()}
        {'harm_amp_loss': 0.0, 'harm_dist_loss': 0.0, 'f0_hz_loss': 12.0}
    """

    def __init__(
        self, amp_weight=1.0, dist_weight=1.0, f0_weight=1.0, amp_threshold=1e-4, **kwargs
    ):
        super().__init__(**kwargs)
        self.amp_weight = amp_weight
        self.dist_weight = dist_weight
        self.f0_weight = f0_weight
        self.amp_threshold = amp_threshold

    def call(self, harm_amp, harm_amp_target, harm_dist, harm_dist_target, f0_hz, f0_hz_target):
        """Compare controls: `[batch, n_frames, 1]`, distributions `[batch, n_frames, n_harmonics]`.

        Returns:
            Dictionary harm_amp_loss, harm_dist_loss, f0_hz_loss of scalars.

        Raises:
            ValueError: if shapes differ, or a known f0_hz is negative or not finite.
        """
        harm_amp_target = core.tf_float32(harm_amp_target)
        core.check_hz("f0_hz", f0_hz)
        core.check_hz("f0_hz_target", f0_hz_target)
        sounding = tf.cast(harm_amp_target >= self.amp_threshold, tf.float32)
        return {
            "harm_amp_loss": self.amp_weight * amp_loss(harm_amp, harm_amp_target),
            "harm_dist_loss": self.dist_weight
            * amp_loss(harm_dist, harm_dist_target, weights=sounding),
            "f0_hz_loss": self.f0_weight * freq_loss(f0_hz, f0_hz_target, weights=sounding),
        }

    def get_losses_dict(self, *args, **kwargs):
        """The three losses by their names."""
        return self(*args, **kwargs)


def wasserstein_distance(u_values, v_values, u_weights, v_weights, p=1.0):
    """How far the mass of one set of points has to move to become the other.

    As in the reference the weights are not normalised, so the distance grows with them.

    Args:
        u_values: `[..., n]`.
        v_values: `[..., m]`.
        u_weights: `[..., n]`.
        v_weights: `[..., m]`.
        p: order of the distance.

    Returns:
        `[...]`.

    Example:
        >>> float(wasserstein_distance([0.0], [3.0], [1.0], [1.0]))
        3.0
    """
    u_values, v_values = core.tf_float32(u_values), core.tf_float32(v_values)
    u_weights, v_weights = core.tf_float32(u_weights), core.tf_float32(v_weights)
    _check_weighted("u", u_values, u_weights)
    _check_weighted("v", v_values, v_weights)
    core.check_positive("p", p)
    merged = tf.sort(tf.concat([u_values, v_values], axis=-1), axis=-1)
    deltas = merged[..., 1:] - merged[..., :-1]
    u_cdf = _cumulative(u_values, u_weights, merged[..., :-1])
    v_cdf = _cumulative(v_values, v_weights, merged[..., :-1])
    gaps = tf.abs(u_cdf - v_cdf)
    if p == 1.0:
        return tf.reduce_sum(deltas * gaps, axis=-1)
    return _root(tf.reduce_sum(deltas * _root(gaps, p), axis=-1), 1.0 / p)


def _root(x, power):
    """x to a power that may be below 1, whose slope at 0 is then infinite: 0 stands in for it."""
    positive = x > 0.0
    return tf.where(positive, tf.where(positive, x, 1.0) ** power, 0.0)


def _check_weighted(name, values, weights):
    if not values.shape.is_compatible_with(weights.shape):
        raise ValueError(
            f"{name}_values.shape={tuple(values.shape)} and {name}_weights.shape="
            f"{tuple(weights.shape)} must be the same"
        )


def _cumulative(values, weights, points):
    """Weight of all values up to and including each point."""
    up_to = values[..., tf.newaxis, :] <= points[..., tf.newaxis]
    weights = weights[..., tf.newaxis, :]
    return tf.reduce_sum(tf.where(up_to, weights, tf.zeros_like(weights)), axis=-1)


@_register
class WassersteinConsistencyLoss(Loss):
    """How far the sinusoids of one bank have to move in pitch to become the other's.

    Args:
        weight: factor.
        midi: measure in semitones; otherwise the reference's result is 0, which is kept.

    Example:
        >>> loss = WassersteinConsistencyLoss()
        >>> round(float(loss([[[1.0]]], [[[220.0]]], [[[1.0]]], [[[440.0]]])), 3)
        12.0
    """

    def __init__(self, weight=1.0, midi=True, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.midi = midi

    def call(self, amps_a, freqs_a, amps_b, freqs_b):
        """Scalar; all `[batch, n_frames, k]`."""
        _check_banks(amps_a=amps_a, freqs_a=freqs_a, amps_b=amps_b, freqs_b=freqs_b)
        if not self.midi:
            return tf.constant(0.0)
        distance = wasserstein_distance(
            core.hz_to_midi(freqs_a), core.hz_to_midi(freqs_b), amps_a, amps_b, p=1.0
        )
        return tf.reduce_mean(self.weight * distance)


def gaussian_mixture_log_prob(x, centers, log_weights, scale):
    """Log density of points under a mixture of equally wide Gaussians.

    Args:
        x: `[..., n]`.
        centers: `[..., k]`.
        log_weights: `[..., k]`, of weights that add up to one.
        scale: standard deviation.

    Returns:
        `[..., n]`.
    """
    offset = (x[..., tf.newaxis] - centers[..., tf.newaxis, :]) / scale
    log_prob = -0.5 * offset**2 - math.log(scale * math.sqrt(2.0 * math.pi))
    return tf.reduce_logsumexp(log_prob + log_weights[..., tf.newaxis, :], axis=-1)


@_register
class KDEConsistencyLoss(Loss):
    """How likely the sinusoids of each bank are under a smoothed picture of the other.

    Args:
        weight_a: weight of a under the picture of b.
        weight_b: weight of b under the picture of a.
        weight_mean_amp: weight of the difference of mean amplitudes.
        scale_a: width of a's picture in semitones.
        scale_b: width of b's picture in semitones.

    Example:
        >>> loss, one = KDEConsistencyLoss(), [[[1.0]]]
        >>> near, far = (float(loss(one, [[[440.0]]], one, [[[hz]]])) for hz in (441.0, 466.0))
        >>> near < far
        True
    """

    def __init__(
        self,
        weight_a=1.0,
        weight_b=1.0,
        weight_mean_amp=1.0,
        scale_a=0.1,
        scale_b=0.1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        core.check_positive("scale_a", scale_a)
        core.check_positive("scale_b", scale_b)
        self.weight_a = weight_a
        self.weight_b = weight_b
        self.weight_mean_amp = weight_mean_amp
        self.scale_a = scale_a
        self.scale_b = scale_b

    def nll(self, amps, freqs, amps_target, freqs_target, scale_target):
        """Negative log likelihood `[batch, n_frames]` of sinusoids `[batch, n_frames, k]`."""
        amps = core.tf_float32(amps)
        _check_banks(amps=amps, freqs=freqs, amps_target=amps_target, freqs_target=freqs_target)
        log_prob = kde_log_prob(core.hz_to_midi(freqs), amps_target, freqs_target, scale_target)
        shares = core.safe_divide(amps, tf.reduce_sum(amps, axis=-1, keepdims=True))
        return tf.reduce_mean(-log_prob * shares, axis=-1)

    def call(self, amps_a, freqs_a, amps_b, freqs_b):
        """Scalar; all `[batch, n_frames, k]`."""
        amps_a, freqs_a, amps_b, freqs_b = map(core.tf_float32, (amps_a, freqs_a, amps_b, freqs_b))
        _check_banks(amps_a=amps_a, freqs_a=freqs_a, amps_b=amps_b, freqs_b=freqs_b)
        loss = 0.0
        if self.weight_a > 0:
            nll = self.nll(amps_a, freqs_a, amps_b, freqs_b, self.scale_b)
            loss += self.weight_a * tf.reduce_mean(nll)
        if self.weight_b > 0:
            nll = self.nll(amps_b, freqs_b, amps_a, freqs_a, self.scale_a)
            loss += self.weight_b * tf.reduce_mean(nll)
        if self.weight_mean_amp > 0:
            means = tf.reduce_mean(amps_a, axis=-1), tf.reduce_mean(amps_b, axis=-1)
            loss += self.weight_mean_amp * mean_difference(*means)
        return tf.convert_to_tensor(loss)


def _check_banks(**banks):
    """Raise ValueError unless these are two banks of sinusoids: amps, freqs, amps, freqs."""
    for name, bank in banks.items():
        core.check_layout(name, bank, "[batch, n_frames, k]")
    names = list(banks)
    core.check_agree(("batch", "n_frames"), **banks)
    for pair in (names[:2], names[2:]):
        core.check_agree(("batch", "n_frames", "k"), **{name: banks[name] for name in pair})


def kde_log_prob(midi, amps, freqs, scale):
    """Log density of pitches `[batch, n_frames, n]` in the smoothed picture of sinusoids."""
    amps = core.tf_float32(amps)
    amps = tf.where(tf.equal(amps, 0.0), 1e-7 * tf.ones_like(amps), amps)
    shares = core.safe_divide(amps, tf.reduce_sum(amps, axis=-1, keepdims=True))
    return gaussian_mixture_log_prob(midi, core.hz_to_midi(freqs), tf.math.log(shares), scale)
