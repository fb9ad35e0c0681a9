"""Reading sounds out of tables, and delays that change over time."""

import tensorflow as tf

from ._checks import (
    check_agree,
    check_hz,
    check_layout,
    check_positive,
    check_whole,
    check_whole_frames,
)
from ._helpers import tf_float32
from ._resampling import positions, resample


def _between(phase, size):
    """Index of the table entry below each phase, and how far the phase is on to the next."""
    width = tf.cast(size, tf.float32)
    below = tf.clip_by_value(tf.cast(tf.floor(phase * width), tf.int32), 0, size - 1)
    # Taken between phases, not table positions, where float32 is coarser.
    fraction = (phase - tf.cast(below, tf.float32) / width) * width
    return below, tf.clip_by_value(fraction, 0.0, 1.0)


def linear_lookup(phase, wavetables):
    """Read wavetables at any phase, interpolating between neighbours.

    Args:
        phase: `[batch, n_samples, 1]` or `[batch, n_samples]`, 0...1.
        wavetables: `[batch, n_samples, n_wavetable]` or `[batch, n_wavetable]`; circular.

    Returns:
        `[batch, n_samples]`.

    Example:
        >>> linear_lookup([[0.0, 0.125, 0.5, 1.0]], [[0.0, 1.0, 0.0, -1.0]]).numpy().tolist()
        [[0.0, 0.5, 0.0, 0.0]]
    """
    phase, wavetables = tf_float32(phase), tf_float32(wavetables)
    check_layout("phase", phase, "[batch, n_samples, 1]", "[batch, n_samples]")
    check_layout(
        "wavetables", wavetables, "[batch, n_samples, n_wavetable]", "[batch, n_wavetable]"
    )
    check_agree(
        ["batch", "n_samples"][: len(wavetables.shape) - 1], phase=phase, wavetables=wavetables
    )
    if len(phase.shape) == 3:
        phase = phase[..., 0]
    size = tf.shape(wavetables)[-1]
    below, fraction = _between(phase, size)

    def read(index):
        if len(wavetables.shape) == 2:
            return tf.gather(wavetables, index, batch_dims=1)
        return tf.gather(wavetables, index[..., tf.newaxis], batch_dims=2)[..., 0]

    here, there = read(below), read((below + 1) % size)
    return here + fraction * (there - here)


def harmonic_distribution_to_wavetable(harmonic_distribution, n_wavetable=2048):
    """One period of the sound with the given shares of harmonics.

    Args:
        harmonic_distribution: `[..., n_harmonics]`, at most n_wavetable / 2 of them.
        n_wavetable: samples of the table.

    Returns:
        `[..., n_wavetable]`.

    Raises:
        ValueError: if the table is too short for the harmonics.

    Example:
        >>> harmonic_distribution_to_wavetable([1.0], n_wavetable=4).numpy().tolist()
        [1.0, 0.0, -1.0, 0.0]
    """
    harmonic_distribution = tf_float32(harmonic_distribution)
    check_whole("n_wavetable", n_wavetable, least=2)
    n_bins = n_wavetable // 2 + 1
    n_harmonics = harmonic_distribution.shape[-1]
    if n_harmonics > n_bins - 1:
        raise ValueError(
            f"n_wavetable={n_wavetable} must be at least {2 * n_harmonics} for "
            f"harmonic_distribution.shape={tuple(harmonic_distribution.shape)}"
        )
    paddings = [[0, 0]] * (len(harmonic_distribution.shape) - 1) + [[1, n_bins - 1 - n_harmonics]]
    spectrum = tf.complex(tf.pad(harmonic_distribution, paddings), 0.0)
    return tf.signal.irfft(spectrum) * (n_wavetable / 2)


def wavetable_synthesis(frequencies, amplitudes, wavetables, n_samples=64000, sample_rate=16000):
    """Play wavetables at a pitch.

    The phase is summed in float64, so that a sound of any length stays in tune; tables that change
    are read frame by frame and never stretched to samples.

    Args:
        frequencies: `[batch, n_frames, 1]` in Hz.
        amplitudes: `[batch, n_frames, 1]`.
        wavetables: `[batch, n_wavetable]` or `[batch, n_frames, n_wavetable]`.
        n_samples: length of the sound.
        sample_rate: in Hz.

    Returns:
        Audio `[batch, n_samples]`.

    Raises:
        ValueError: if shapes are wrong or frequencies are negative or not finite.
    """
    frequencies, wavetables = tf_float32(frequencies), tf_float32(wavetables)
    amplitudes = tf_float32(amplitudes)
    check_layout("frequencies", frequencies, "[batch, n_frames, 1]")
    check_layout("amplitudes", amplitudes, "[batch, n_frames, 1]")
    check_layout("wavetables", wavetables, "[batch, n_frames, n_wavetable]", "[batch, n_wavetable]")
    check_agree(["batch"], frequencies=frequencies, amplitudes=amplitudes, wavetables=wavetables)
    check_hz("frequencies", frequencies)
    check_positive("sample_rate", sample_rate)
    check_whole("n_samples", n_samples)
    check_whole_frames(n_samples, amplitudes)
    amplitudes = resample(amplitudes, n_samples, method="window")[..., 0]
    velocity = tf.cast(resample(frequencies, n_samples)[..., 0], tf.float64) / sample_rate
    cycles = tf.cumsum(velocity, axis=1, exclusive=True)
    phase = tf.cast(cycles - tf.floor(cycles), tf.float32)
    if len(wavetables.shape) == 2:
        return linear_lookup(phase, wavetables) * amplitudes
    return _read_frames(phase, wavetables, n_samples) * amplitudes


def _read_frames(phase, wavetables, n_samples):
    """Read tables `[batch, n_frames, n_wavetable]` that change linearly from frame to frame."""
    n_frames, size = tf.shape(wavetables)[1], tf.shape(wavetables)[2]
    flat = tf.reshape(wavetables, [tf.shape(wavetables)[0], n_frames * size])
    frame, share = positions(n_frames, n_samples)
    below, fraction = _between(phase, size)

    def read(frame):
        here = tf.gather(flat, frame * size + below, batch_dims=1)
        there = tf.gather(flat, frame * size + (below + 1) % size, batch_dims=1)
        return here + fraction * (there - here)

    now, after = read(frame), read(tf.minimum(frame + 1, n_frames - 1))
    return now + share * (after - now)


def variable_length_delay(phase, audio, max_length=512):
    """Delay a sound by a time that changes every sample (chorus, flanger, vibrato).

    Args:
        phase: `[batch, n_samples, 1]` or `[batch, n_samples]`, 0 no delay ... 1; the table is
            circular, so 1 is no delay again.
        audio: `[batch, n_samples]`.
        max_length: samples of delay at phase 1.

    Returns:
        `[batch, n_samples]`.

    Example:
        >>> impulse = [[1.0, 0.0, 0.0, 0.0]]
        >>> variable_length_delay([[0.5] * 4], impulse, max_length=4).numpy().tolist()
        [[0.0, 0.0, 1.0, 0.0]]
    """
    phase, audio = tf_float32(phase), tf_float32(audio)
    check_layout("audio", audio, "[batch, n_samples]")
    check_layout("phase", phase, "[batch, n_samples, 1]", "[batch, n_samples]")
    check_agree(["batch", "n_samples"], phase=phase, audio=audio)
    check_whole("max_length", max_length)
    if len(phase.shape) == 3:
        phase = phase[..., 0]
    delay, fraction = _between(phase, max_length)
    padded = tf.pad(audio, [[0, 0], [max_length, 0]])
    now = tf.range(max_length, max_length + tf.shape(audio)[1])
    here = tf.gather(padded, now - delay, batch_dims=1)
    there = tf.gather(padded, now - (delay + 1) % max_length, batch_dims=1)
    return here + fraction * (there - here)
