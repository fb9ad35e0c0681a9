"""Harmonic synthesis as matrix products a frame, for frames of a whole number of samples.

Between two frames every harmonic's amplitude is a mix of the two frames' amplitudes, and the mix is
the same for all harmonics. So a frame of sound is (sines of the frame) x (amplitudes of its two
ends), two matrix products, and no amplitude or frequency envelope is ever stretched to samples. The
sines themselves are made a chunk at a time and made again for the gradient.

The phase is exact: within a frame the sum of a straight line has a closed form; it is added to the
sum over the frames before in float64 and then wrapped, so an hour-long tone stays in tune.
"""

import math

import tensorflow as tf

from ._resampling import whole_hop

# Values a chunk of sines may hold: 4 MiB of float32, so that it stays in the cache.
_CHUNK_VALUES = 1 << 20


def phase_and_frequency(f0_hz, hop_size, sample_rate):
    """Phase in cycles and frequency in Hz of every sample, with f0 linear between frames.

    Args:
        f0_hz: `[batch, n_frames]`.
        hop_size: samples a frame.
        sample_rate: in Hz.

    Returns:
        Two tensors `[batch, n_frames, hop_size]`. The first sample of all has made its first step.
    """
    after = tf.concat([f0_hz[:, 1:], f0_hz[:, -1:]], axis=1)
    hop = tf.cast(hop_size, tf.float32)
    sample = tf.range(hop, dtype=tf.float32)
    frequency = f0_hz[..., tf.newaxis] + ((after - f0_hz) / hop)[..., tf.newaxis] * sample
    step = tf.cast(f0_hz, tf.float64) / sample_rate
    hop, sample = tf.cast(hop, tf.float64), tf.cast(sample, tf.float64)
    growth = tf.cast(after - f0_hz, tf.float64) / (sample_rate * hop)
    start = tf.cumsum(step * hop + growth * (hop * (hop - 1.0) / 2.0), axis=1, exclusive=True)
    cycles = (
        start[..., tf.newaxis]
        + step[..., tf.newaxis] * (sample + 1.0)
        + growth[..., tf.newaxis] * (sample * (sample + 1.0) / 2.0)
    )
    return tf.cast(cycles - tf.floor(cycles), tf.float32), frequency


def mixing_weights(hop_size, method):
    """How the two ends of a frame mix over its samples, `[hop_size, 2]`."""
    hop = tf.cast(hop_size, tf.float32)
    position = tf.range(hop, dtype=tf.float32) / hop
    rising = 0.5 - 0.5 * tf.cos(math.pi * position) if method == "window" else position
    return tf.stack([1.0 - rising, rising], axis=-1)


def harmonic_frames(f0_hz, amplitudes, n_samples, sample_rate, method):
    """Play harmonics 1...k of f0 with the given amplitudes.

    Args:
        f0_hz: `[batch, n_frames, 1]`.
        amplitudes: `[batch, n_frames, n_harmonics]`.
        n_samples: length of the sound, a multiple of n_frames.
        sample_rate: in Hz; harmonics at or above its half are silent, sample by sample.
        method: 'window' or 'linear', how amplitudes change between frames.

    Returns:
        Audio `[batch, n_samples]`.
    """
    n_harmonics = amplitudes.shape[2]
    n_frames = amplitudes.shape[1] if amplitudes.shape[1] is not None else tf.shape(amplitudes)[1]
    hop_size = whole_hop(n_samples, n_frames)
    n_batch = tf.maximum(tf.shape(f0_hz)[0], tf.shape(amplitudes)[0])
    f0_hz = tf.broadcast_to(f0_hz, [n_batch, n_frames, 1])
    amplitudes = tf.broadcast_to(amplitudes, [n_batch, n_frames, n_harmonics])
    phase, frequency = phase_and_frequency(f0_hz[..., 0], hop_size, float(sample_rate))
    after = tf.concat([amplitudes[:, 1:], amplitudes[:, -1:]], axis=1)
    ends = tf.stack([amplitudes, after], axis=-1)
    weights = mixing_weights(hop_size, method)
    audio = _sine_products(
        tf.reshape(phase, [-1, hop_size]),
        tf.stop_gradient(tf.reshape(frequency, [-1, hop_size])),
        tf.reshape(ends, [-1, n_harmonics, 2]),
        weights,
        sample_rate / 2.0,
    )
    return tf.reshape(audio, [n_batch, n_samples])


def _sine_products(phase, frequency, ends, weights, nyquist):
    """`[frames, hop]` phases and `[frames, k, 2]` amplitudes -> `[frames, hop]` sound."""
    n_harmonics = ends.shape[1]
    numbers = tf.range(1, n_harmonics + 1, dtype=tf.float32)

    def audible(wave, frequency):
        return tf.where(frequency[..., tf.newaxis] * numbers < nyquist, wave, 0.0)

    def angles(phase):
        return (phase[..., tf.newaxis] * numbers) * (2.0 * math.pi)

    def play(phase, frequency, ends):
        products = tf.matmul(audible(tf.sin(angles(phase)), frequency), ends)
        return tf.reduce_sum(products * weights, axis=-1)

    def to_ends(phase, frequency, upstream):
        waves = audible(tf.sin(angles(phase)), frequency)
        return tf.matmul(waves, upstream[..., tf.newaxis] * weights, transpose_a=True)

    def to_phase(phase, frequency, ends, upstream):
        slopes = audible(tf.cos(angles(phase)), frequency) * (numbers * 2.0 * math.pi)
        return tf.reduce_sum(tf.matmul(slopes, ends) * weights, axis=-1) * upstream

    @tf.custom_gradient
    def bank(phase, frequency, ends):
        # One loop a gradient: a graph then drops the one nobody asks for.
        def backward(upstream):
            return (
                _by_chunks(to_phase, n_harmonics, phase, frequency, ends, upstream),
                None,
                _by_chunks(to_ends, n_harmonics, phase, frequency, upstream),
            )

        return _by_chunks(play, n_harmonics, phase, frequency, ends), backward

    return bank(phase, frequency, ends)


def _by_chunks(function, n_harmonics, *frames):
    """Apply a function of frames to a few frames at a time."""
    n_frames = tf.shape(frames[0])[0]
    hop_size = frames[0].shape[1]
    if hop_size is not None:
        size = max(1, _CHUNK_VALUES // (hop_size * n_harmonics))
    else:
        size = tf.maximum(1, _CHUNK_VALUES // (tf.shape(frames[0])[1] * n_harmonics))
    n_chunks = -(-n_frames // size)
    padding = n_chunks * size - n_frames

    def chunked(x):
        x = tf.pad(x, [[0, padding]] + [[0, 0]] * (len(x.shape) - 1))
        return tf.reshape(x, tf.concat([[n_chunks, size], tf.shape(x)[1:]], axis=0))

    known = size if hop_size is not None else None
    chunks = [tf.ensure_shape(chunked(x), [None, known, *x.shape[1:]]) for x in frames]
    results = tf.map_fn(lambda parts: function(*parts), chunks, fn_output_signature=tf.float32)
    flat = tf.reshape(results, tf.concat([[n_chunks * size], tf.shape(results)[2:]], axis=0))
    return flat[:n_frames]
