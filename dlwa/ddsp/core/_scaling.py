"""Nonlinearities that turn network outputs into amplitudes and frequencies."""

import gin
import tensorflow as tf

from ._checks import check_positive, check_whole
from ._helpers import tf_float32
from ._units import (
    bark_to_hz,
    hz_to_bark,
    hz_to_erb,
    hz_to_mel,
    mel_to_hz,
    soft_limit,
    unit_to_hz,
)

_register = gin.register(module="dlwa.ddsp.core")


@_register
def exp_sigmoid(x, exponent=10.0, max_value=2.0, threshold=1e-7):
    """Turn any number into an amplitude between `threshold` and `max_value`.

    max_value * sigmoid(x) ** ln(exponent) + threshold (Engel et al. 2020, section B.5): equal steps
    of x are about equal steps in loudness.

    Example:
        >>> print(exp_sigmoid([-5.0, 0.0, 5.0]).numpy().round(4))
        [0.     0.4054 1.9693]
    """
    x = tf_float32(x)
    check_positive("exponent", exponent)
    # A power of sigmoid(x) would have no gradient where sigmoid(x) has become 0.
    return max_value * tf.exp(tf.math.log_sigmoid(x) * tf.math.log(exponent)) + threshold


@_register
def sym_exp_sigmoid(x, width=8.0):
    """exp_sigmoid of the magnitude: small around 0, large on both sides."""
    x = tf_float32(x)
    return exp_sigmoid(width * (tf.abs(x) / 2.0 - 1.0))


def _with_depth(freqs, depth):
    """`[batch, time, k * depth]` or `[batch, time, k, depth]` -> the latter, and its depth."""
    check_whole("depth", depth)
    freqs = tf_float32(freqs)
    if len(freqs.shape) == 3:
        shape = tf.shape(freqs)
        channels = freqs.shape[-1]
        if channels is not None and channels % depth:
            raise ValueError(f"depth={depth} must divide freqs.shape[-1]={channels}")
        freqs = tf.reshape(freqs, [shape[0], shape[1], channels // depth, depth])
    elif len(freqs.shape) != 4:
        raise ValueError(
            f"freqs.shape={tuple(freqs.shape)} must be [batch, time, k * depth] "
            "or [batch, time, k, depth]"
        )
    return freqs, freqs.shape[-1]


@_register
def frequencies_softmax(freqs, depth=1, hz_min=20.0, hz_max=8000.0):
    """Turn network outputs into frequencies by a soft choice among `depth` points of pitch.

    Args:
        freqs: `[batch, n_frames, k * depth]` or `[batch, n_frames, k, depth]`.
        depth: number of points, equally spaced in pitch from hz_min to hz_max.
        hz_min: lowest frequency.
        hz_max: highest frequency.

    Returns:
        Frequencies `[batch, n_frames, k]` in Hz.
    """
    freqs, depth = _with_depth(freqs, depth)
    probs = tf.nn.softmax(freqs, axis=-1)
    unit_bins = tf.linspace(0.0, 1.0, depth)
    return unit_to_hz(tf.reduce_sum(unit_bins * probs, axis=-1), hz_min=hz_min, hz_max=hz_max)


@_register
def frequencies_sigmoid(freqs, depth=1, hz_min=0.0, hz_max=8000.0):
    """Turn network outputs into frequencies by a sum of sigmoids, each finer than the one before.

    Shapes as in frequencies_softmax. Lower limits of 0 Hz count as 8.18 Hz (MIDI 0) each.
    """
    freqs, depth = _with_depth(freqs, depth)
    probs = tf.nn.sigmoid(freqs)
    span = hz_max - hz_min
    scale = span ** (1.0 / depth)
    hz = 0.0
    rest = span
    for i in range(depth - 1):
        top = rest * (1.0 - 1.0 / scale)
        hz += unit_to_hz(probs[..., i], hz_min=0.0, hz_max=top)
        rest -= top
    return hz + unit_to_hz(probs[..., -1], hz_min=hz_min, hz_max=rest)


@_register
def frequencies_critical_bands(
    freqs,
    depth=1,
    depth_scale=10.0,
    bandwidth_scale=1.0,
    hz_min=20.0,
    hz_max=8000.0,
    scale="bark",
):
    """Turn network outputs into frequencies, each wandering inside a critical band of its own.

    Args:
        freqs: `[batch, n_frames, k * depth]` or `[batch, n_frames, k, depth]`.
        depth: number of ever finer corrections.
        depth_scale: how much finer each is.
        bandwidth_scale: how many bandwidths a frequency may wander.
        hz_min: lowest centre.
        hz_max: highest centre.
        scale: 'bark' or 'mel', the spacing of the centres.

    Raises:
        ValueError: if the scale is neither.
    """
    to_scale, to_hz = _scale_functions(scale)
    freqs, depth = _with_depth(freqs, depth)
    n_centers = freqs.shape[-2]
    # 20 Hz and 8 kHz as tensors: mel_to_hz and friends take logarithms of them.
    low, high = to_scale(tf.constant(hz_min)), to_scale(tf.constant(hz_max))
    centers = to_hz(tf.linspace(low, high, n_centers))
    bandwidths = hz_to_erb(centers)
    modifiers = tf.nn.tanh(freqs)
    steps = tf.constant([float(depth_scale) ** -i for i in range(depth)])
    modifier = tf.reduce_sum(modifiers * steps, axis=-1)
    return soft_limit(centers + bandwidth_scale * bandwidths * modifier, hz_min, hz_max)


def _scale_functions(scale):
    functions = {"bark": (hz_to_bark, bark_to_hz), "mel": (hz_to_mel, mel_to_hz)}
    if scale not in functions:
        raise ValueError(f"scale={scale!r} must be one of {sorted(functions)}")
    return functions[scale]
