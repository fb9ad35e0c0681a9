"""Between a bank of free sinusoids and a harmonic series."""

import tensorflow as tf

from ._checks import check_agree, check_layout, check_positive
from ._helpers import tf_float32
from ._oscillators import get_harmonic_frequencies, normalize_harmonics, remove_above_nyquist
from ._units import safe_divide


def sinusoidal_to_harmonic(
    sin_amps,
    sin_freqs,
    f0_hz,
    harmonic_width=0.1,
    n_harmonics=100,
    sample_rate=16000,
    normalize=False,
):
    """Collect free sinusoids into the harmonics they lie close to.

    Args:
        sin_amps: `[batch, n_frames, k]`.
        sin_freqs: `[batch, n_frames, k]` in Hz.
        f0_hz: `[batch, n_frames, 1]`.
        harmonic_width: width of a harmonic's catchment, as a share of f0.
        n_harmonics: number of harmonics.
        sample_rate: in Hz.
        normalize: no sinusoid may count more than once.

    Returns:
        Amplitude `[batch, n_frames, 1]` and distribution `[batch, n_frames, n_harmonics]`.
    """
    sin_amps, sin_freqs, f0_hz = map(tf_float32, (sin_amps, sin_freqs, f0_hz))
    check_layout("sin_amps", sin_amps, "[batch, n_frames, k]")
    check_layout("f0_hz", f0_hz, "[batch, n_frames, 1]")
    check_agree(("batch", "n_frames", "k"), sin_amps=sin_amps, sin_freqs=sin_freqs)
    check_agree(("batch", "n_frames"), sin_amps=sin_amps, f0_hz=f0_hz)
    check_positive("harmonic_width", harmonic_width)
    harmonics = get_harmonic_frequencies(f0_hz, n_harmonics)
    distance = sin_freqs[:, :, tf.newaxis, :] - harmonics[..., tf.newaxis]
    offset = safe_divide(distance, f0_hz[..., tf.newaxis])
    weights = tf.exp(-((offset / harmonic_width) ** 2.0))
    if normalize:
        total = tf.reduce_sum(weights, axis=-1, keepdims=True)
        weights = weights / tf.maximum(total, 1.0)
    amps = tf.reduce_sum(weights * sin_amps[:, :, tf.newaxis, :], axis=-1)
    amps = remove_above_nyquist(harmonics, amps, sample_rate)
    harm_amp = tf.reduce_sum(amps, axis=-1, keepdims=True)
    return harm_amp, safe_divide(amps, harm_amp)


def harmonic_to_sinusoidal(harm_amp, harm_dist, f0_hz, sample_rate=16000):
    """Spell a harmonic series out as amplitudes and frequencies of single sinusoids.

    Args:
        harm_amp: `[batch, n_frames, 1]`.
        harm_dist: `[batch, n_frames, n_harmonics]`.
        f0_hz: `[batch, n_frames, 1]`.
        sample_rate: in Hz.

    Returns:
        Amplitudes and frequencies, each `[batch, n_frames, n_harmonics]`.
    """
    harm_amp, harm_dist, f0_hz = map(tf_float32, (harm_amp, harm_dist, f0_hz))
    check_layout("harm_amp", harm_amp, "[batch, n_frames, 1]")
    check_layout("harm_dist", harm_dist, "[batch, n_frames, n_harmonics]")
    check_layout("f0_hz", f0_hz, "[batch, n_frames, 1]")
    check_agree(("batch", "n_frames"), harm_amp=harm_amp, harm_dist=harm_dist, f0_hz=f0_hz)
    freqs = get_harmonic_frequencies(f0_hz, harm_dist.shape[-1])
    return harm_amp * normalize_harmonics(harm_dist, f0_hz, sample_rate), freqs
