"""Reading sounds out of tables, and delays that change over time."""

import tensorflow as tf

from ._helpers import tf_float32
from ._resampling import resample


def linear_lookup(phase, wavetables):
    """Read wavetables at any phase, interpolating between neighbours.

    Args:
        phase: `[batch, n_samples, 1]` or `[batch, n_samples]`, 0...1.
        wavetables: `[batch, n_samples, n_wavetable]` or `[batch, n_wavetable]`; circular.

    Returns:
        `[batch, n_samples]`.
    """
    phase, wavetables = tf_float32(phase), tf_float32(wavetables)
    if len(phase.shape) == 3:
        phase = phase[..., 0]
    table = tf.concat([wavetables, wavetables[..., :1]], axis=-1)
    size = tf.shape(wavetables)[-1]
    width = tf.cast(size, tf.float32)
    below = tf.clip_by_value(tf.cast(tf.floor(phase * width), tf.int32), 0, size - 1)

    def read(index):
        if len(wavetables.shape) == 2:
            return tf.gather(table, index, batch_dims=1)
        return tf.gather(table, index[..., tf.newaxis], batch_dims=2)[..., 0]

    def weight(index):
        # Distances are taken between phases, not table positions, where float32 is coarser.
        distance = tf.abs(phase - tf.cast(index, tf.float32) / width) * width
        return tf.nn.relu(1.0 - distance)

    return weight(below) * read(below) + weight(below + 1) * read(below + 1)


def harmonic_distribution_to_wavetable(harmonic_distribution, n_wavetable=2048):
    """One period of the sound with the given shares of harmonics.

    Args:
        harmonic_distribution: `[..., n_harmonics]`.
        n_wavetable: samples of the table.

    Returns:
        `[..., n_wavetable]`.
    """
    harmonic_distribution = tf_float32(harmonic_distribution)
    n_bins = n_wavetable // 2 + 1
    n_harmonics = harmonic_distribution.shape[-1]
    paddings = [[0, 0]] * (len(harmonic_distribution.shape) - 1) + [[1, n_bins - 1 - n_harmonics]]
    spectrum = tf.complex(tf.pad(harmonic_distribution, paddings), 0.0)
    return tf.signal.irfft(spectrum) * (n_wavetable / 2)


def wavetable_synthesis(frequencies, amplitudes, wavetables, n_samples=64000, sample_rate=16000):
    """Play wavetables at a pitch.

    Args:
        frequencies: `[batch, n_frames, 1]` in Hz.
        amplitudes: `[batch, n_frames, 1]`.
        wavetables: `[batch, n_wavetable]` or `[batch, n_frames, n_wavetable]`.
        n_samples: length of the sound.
        sample_rate: in Hz.

    Returns:
        Audio `[batch, n_samples]`.
    """
    wavetables = tf_float32(wavetables)
    amplitudes = resample(amplitudes, n_samples, method="window")
    frequencies = resample(frequencies, n_samples)
    if len(wavetables.shape) == 3 and wavetables.shape[1] != 1:
        wavetables = resample(wavetables, n_samples)
    elif len(wavetables.shape) == 3:
        wavetables = wavetables[:, 0]
    velocity = frequencies / float(sample_rate)
    phase = tf.cumsum(velocity, axis=1, exclusive=True) % 1.0
    return linear_lookup(phase, wavetables) * amplitudes[..., 0]


def variable_length_delay(phase, audio, max_length=512):
    """Delay a sound by a time that changes every sample (chorus, flanger, vibrato).

    Args:
        phase: `[batch, n_samples, 1]`, 0 no delay ... 1; the table is circular, so 1 is no delay
            again.
        audio: `[batch, n_samples]`.
        max_length: samples of delay at phase 1.

    Returns:
        `[batch, n_samples]`.
    """
    audio = tf_float32(audio)
    padded = tf.pad(audio, [[0, 0], [max_length - 1, 0]])
    past = tf.signal.frame(padded, frame_length=max_length, frame_step=1)
    return linear_lookup(phase, past[..., ::-1])
