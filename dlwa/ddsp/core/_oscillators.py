"""Banks of sine oscillators driven sample by sample."""

import math

import gin
import tensorflow as tf

from ._checks import check_agree, check_hz, check_layout, check_positive, check_whole
from ._helpers import pad_axis, tf_float32
from ._units import safe_divide

_configurable = gin.configurable(module="dlwa.ddsp.core")
_BANK = "[batch, n_samples, n_sinusoids]"


@_configurable
def angular_cumsum(angular_frequency, chunk_size=1000):
    """Running sum of phase steps, wrapped so that long sounds stay in tune.

    A plain float32 sum loses precision as the phase grows; here it is taken in chunks, and only
    the chunks' remainders modulo 2 pi are carried on.

    Args:
        angular_frequency: `[batch, n_samples, ...]` in radians a sample.
        chunk_size: samples a chunk.

    Returns:
        Phase of the same shape, 0...2 pi; the first sample has made its step.
    """
    check_whole("chunk_size", chunk_size)
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
    if sample_rate is not None and f0_hz is not None:
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
        use_angular_cumsum: wrap the phase (in tune for any length, a little slower).

    Returns:
        Audio `[batch, n_samples]`, or `[batch, n_samples, n_sinusoids]` unmixed.
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
    # This order of operations gives the reference's float32 phase to the last bit.
    omegas = frequency_envelopes * (2.0 * math.pi)
    omegas = omegas / float(sample_rate)
    phases = angular_cumsum(omegas) if use_angular_cumsum else tf.cumsum(omegas, axis=1)
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
        use_angular_cumsum: wrap the phase.

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
    omega = frequency * (2.0 * math.pi) / float(sample_rate)
    phase = angular_cumsum(omega) if use_angular_cumsum else tf.cumsum(omega, axis=1)
    if initial_phase is not None:
        # Wrapped, so that a stream of any number of blocks keeps its precision.
        phase += tf_float32(initial_phase) % (2.0 * math.pi)
    final_phase = phase[:, -1:, :]
    phases = get_harmonic_frequencies(phase, amplitude_envelopes.shape[-1])
    return tf.reduce_sum(amplitude_envelopes * tf.sin(phases), axis=-1), final_phase
