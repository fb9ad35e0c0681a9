"""Banks of sine oscillators driven sample by sample."""

import math

import gin
import tensorflow as tf

from ._checks import (
    check_agree,
    check_broadcast,
    check_hz,
    check_layout,
    check_positive,
    check_whole,
)
from ._helpers import pad_axis, tf_float32
from ._units import safe_divide

_configurable = gin.configurable(module="dlwa.ddsp.core")
_BANK = "[batch, n_samples, n_sinusoids]"


def _turns(steps, start=0.0):
    """Running sum along axis 1 in whole turns and a rest: float64 `[...]`, `[...]` in 0...1.

    A float32 sum slips: after four seconds of 440 Hz at 48 kHz it plays 0.6 cent sharp, and later
    its steps are heard as clicks.
    """
    turns = start + tf.cumsum(tf.cast(steps, tf.float64), axis=1)
    return turns, turns - tf.floor(turns)


@_configurable
def angular_cumsum(angular_frequency, chunk_size=1000):
    """Running sum of phase steps, wrapped so that long sounds stay in tune.

    A plain float32 sum loses precision as the phase grows; here it is taken in chunks, and only
    the chunks' remainders modulo 2 pi are carried on. Good to about a thousandth of a radian;
    the oscillators of this package sum in float64 instead.

    Args:
        angular_frequency: `[batch, n_samples, ...]` in radians a sample.
        chunk_size: samples a chunk.

    Returns:
        Phase of the same shape, 0...2 pi; the first sample has made its step.

    Raises:
        ValueError: if there is no axis of time.

    Example:
        >>> print(angular_cumsum([[3.0, 3.0, 3.0]]).numpy().round(3))
        [[3.    6.    2.717]]
    """
    angular_frequency = tf.convert_to_tensor(angular_frequency)
    if angular_frequency.dtype != tf.float64:
        angular_frequency = tf.cast(angular_frequency, tf.float32)  # a phase is never half precise
    check_whole("chunk_size", chunk_size)
    if len(angular_frequency.shape) < 2:
        shape = tuple(angular_frequency.shape)
        raise ValueError(f"angular_frequency.shape={shape} must be [batch, n_samples, ...]")
    n_batch = tf.shape(angular_frequency)[0]
    n_time = tf.shape(angular_frequency)[1]
    rest = angular_frequency.shape[2:]
    remainder = (-n_time) % chunk_size
    padded = pad_axis(angular_frequency, [0, remainder], axis=1)
    n_chunks = (n_time + remainder) // chunk_size
    rest_shape = tf.shape(angular_frequency)[2:]
    chunks = tf.reshape(padded, tf.concat([[n_batch, n_chunks, chunk_size], rest_shape], axis=0))
    phase = tf.cumsum(chunks, axis=2)
    two_pi = tf.constant(2.0 * math.pi, dtype=angular_frequency.dtype)
    # A float32 sum over many chunks would step by more than a thousandth of a turn: audible clicks.
    ends = tf.cast(phase[:, :, -1:] % two_pi, tf.float64)
    turn = tf.cast(two_pi, tf.float64)
    offsets = tf.cast(tf.cumsum(ends, axis=1, exclusive=True) % turn, angular_frequency.dtype)
    phase = (phase + offsets) % two_pi
    phase = tf.reshape(phase, tf.concat([[n_batch, n_chunks * chunk_size], rest_shape], axis=0))
    phase = phase[:, :n_time]
    phase.set_shape([angular_frequency.shape[0], angular_frequency.shape[1], *rest])
    return phase


def remove_above_nyquist(frequency_envelopes, amplitude_envelopes, sample_rate=16000):
    """Silence every sinusoid whose frequency is at or above half the sample rate.

    Args:
        frequency_envelopes: `[..., k]` in Hz.
        amplitude_envelopes: the same shape.
        sample_rate: in Hz.

    Returns:
        The amplitudes, 0 where the frequency cannot be played.
    """
    frequency_envelopes = tf_float32(frequency_envelopes)
    amplitude_envelopes = tf_float32(amplitude_envelopes)
    check_broadcast(
        frequency_envelopes=frequency_envelopes, amplitude_envelopes=amplitude_envelopes
    )
    check_positive("sample_rate", sample_rate)
    return tf.where(
        frequency_envelopes >= sample_rate / 2.0,
        tf.zeros_like(amplitude_envelopes),
        amplitude_envelopes,
    )


def normalize_harmonics(harmonic_distribution, f0_hz=None, sample_rate=None):
    """Make the shares of the harmonics add up to one.

    Args:
        harmonic_distribution: `[batch, n_frames, n_harmonics]`.
        f0_hz: `[batch, n_frames, 1]`; with sample_rate, harmonics that cannot be played get no
            share.
        sample_rate: in Hz.
    """
    harmonic_distribution = tf_float32(harmonic_distribution)
    if sample_rate is not None and f0_hz is not None:
        f0_hz = tf_float32(f0_hz)
        check_broadcast(harmonic_distribution=harmonic_distribution, f0_hz=f0_hz)
        n_harmonics = int(harmonic_distribution.shape[-1])
        freqs = get_harmonic_frequencies(f0_hz, n_harmonics)
        harmonic_distribution = remove_above_nyquist(freqs, harmonic_distribution, sample_rate)
    total = tf.reduce_sum(harmonic_distribution, axis=-1, keepdims=True)
    return safe_divide(harmonic_distribution, total)


def get_harmonic_frequencies(frequencies, n_harmonics):
    """Frequencies of the first n_harmonics multiples of f0.

    Args:
        frequencies: `[batch, n_frames, 1]` in Hz.
        n_harmonics: how many.

    Returns:
        `[batch, n_frames, n_harmonics]` in Hz.
    """
    frequencies = tf_float32(frequencies)
    check_whole("n_harmonics", n_harmonics)
    return frequencies * tf.linspace(1.0, float(n_harmonics), int(n_harmonics))


@_configurable
def oscillator_bank(
    frequency_envelopes,
    amplitude_envelopes,
    sample_rate=16000,
    sum_sinusoids=True,
    use_angular_cumsum=False,
):
    """Play any number of sine oscillators whose frequency and amplitude change every sample.

    Args:
        frequency_envelopes: `[batch, n_samples, n_sinusoids]` in Hz.
        amplitude_envelopes: the same shape.
        sample_rate: in Hz.
        sum_sinusoids: mix them into one sound.
        use_angular_cumsum: what the reference needs to stay in tune for more than a few seconds.
            Here the phase is exact either way.

    Returns:
        Audio `[batch, n_samples]`, or `[batch, n_samples, n_sinusoids]` unmixed.

    Raises:
        ValueError: if shapes do not fit each other or frequencies are not finite.

    Example:
        >>> eighth = tf.fill([1, 3, 1], 2000.0)  # of a turn each sample
        >>> print(oscillator_bank(eighth, tf.ones([1, 3, 1])).numpy().round(3))
        [[0.707 1.    0.707]]
    """
    frequency_envelopes = tf_float32(frequency_envelopes)
    amplitude_envelopes = tf_float32(amplitude_envelopes)
    check_layout("frequency_envelopes", frequency_envelopes, _BANK)
    check_layout("amplitude_envelopes", amplitude_envelopes, _BANK)
    check_agree(
        ["batch", "n_samples", "n_sinusoids"],
        frequency_envelopes=frequency_envelopes,
        amplitude_envelopes=amplitude_envelopes,
    )
    check_hz("frequency_envelopes", frequency_envelopes, negative=True)
    check_positive("sample_rate", sample_rate)
    amplitude_envelopes = remove_above_nyquist(
        frequency_envelopes, amplitude_envelopes, sample_rate
    )
    del use_angular_cumsum
    _, rest = _turns(tf.cast(frequency_envelopes, tf.float64) / sample_rate)
    phases = tf.cast(rest, tf.float32) * (2.0 * math.pi)
    audio = amplitude_envelopes * tf.sin(phases)
    return tf.reduce_sum(audio, axis=-1) if sum_sinusoids else audio


@_configurable
def harmonic_oscillator_bank(
    frequency,
    amplitude_envelopes,
    initial_phase=None,
    sample_rate=16000,
    use_angular_cumsum=True,
):
    """Play a harmonic series from one phase, which can be handed from block to block.

    Args:
        frequency: `[batch, n_samples, 1]` in Hz.
        amplitude_envelopes: `[batch, n_samples, n_harmonics]`; nothing is masked at Nyquist.
        initial_phase: `[batch, 1, 1]` in radians.
        sample_rate: in Hz.
        use_angular_cumsum: wrap the phase that is returned; the sound is the same.

    Returns:
        Audio `[batch, n_samples]` and the phase after the last sample `[batch, 1, 1]`.
    """
    frequency = tf_float32(frequency)
    amplitude_envelopes = tf_float32(amplitude_envelopes)
    check_layout("frequency", frequency, "[batch, n_samples, 1]")
    check_layout("amplitude_envelopes", amplitude_envelopes, "[batch, n_samples, n_harmonics]")
    check_agree(
        ["batch", "n_samples"], frequency=frequency, amplitude_envelopes=amplitude_envelopes
    )
    check_hz("frequency", frequency, negative=True)
    check_positive("sample_rate", sample_rate)
    start = 0.0 if initial_phase is None else tf_float32(initial_phase)
    start = tf.cast(start, tf.float64) / (2.0 * math.pi)
    turns, rest = _turns(tf.cast(frequency, tf.float64) / sample_rate, start)
    phases = get_harmonic_frequencies(rest, amplitude_envelopes.shape[-1]) * (2.0 * math.pi)
    audio = tf.reduce_sum(amplitude_envelopes * tf.sin(phases), axis=-1)
    final = rest if use_angular_cumsum else turns
    return audio, tf.cast(final[:, -1:] * (2.0 * math.pi), tf.float32)
