"""Harmonic sound in blocks that join without a seam."""

import tensorflow as tf

from ._harmonic_frames import _sine_products, mixing_weights, phase_and_frequency


def harmonic_block(f0_hz, amplitudes, hop_size, sample_rate, method="window", start_cycles=0.0):
    """Play all frames but the last, which only says where the controls are heading.

    Blocks overlap by that one frame: the last frame of a block is the first of the next. Played so,
    with each block starting at the phase the one before ended with, they equal one long sound.

    Args:
        f0_hz: `[batch, n_frames + 1, 1]`.
        amplitudes: `[batch, n_frames + 1, n_harmonics]`.
        hop_size: samples a frame.
        sample_rate: in Hz; harmonics at or above its half are silent, sample by sample.
        method: 'window' or 'linear', how amplitudes change between frames.
        start_cycles: phase before the first sample in cycles, `[batch]` float64 or one number.

    Returns:
        Audio `[batch, n_frames * hop_size]` and the phase after it, `[batch]` float64 in 0...1.
    """
    if method not in ("window", "linear"):
        raise ValueError(f"method={method!r} must be 'window' or 'linear'")
    n_frames, n_harmonics = f0_hz.shape[1] - 1, amplitudes.shape[2]
    pitch = f0_hz[..., 0]
    within, frequency = phase_and_frequency(
        tf.reshape(tf.stack([pitch[:, :-1], pitch[:, 1:]], axis=-1), [-1, 2]),
        hop_size,
        float(sample_rate),
    )
    starts, end = _frame_starts(pitch, hop_size, sample_rate, start_cycles)
    # Each pair of neighbours was taken as a sound of two frames, of which the first is ours.
    phase = within[:, 0] + tf.reshape(tf.cast(starts, tf.float32), [-1, 1])
    ends = tf.stack([amplitudes[:, :-1], amplitudes[:, 1:]], axis=-1)
    audio = _sine_products(
        phase,
        tf.stop_gradient(frequency[:, 0]),
        tf.reshape(ends, [-1, n_harmonics, 2]),
        mixing_weights(hop_size, method),
        sample_rate / 2.0,
    )
    return tf.reshape(audio, [-1, n_frames * hop_size]), end


def _frame_starts(pitch, hop_size, sample_rate, start_cycles):
    """Phase at the start of every frame `[batch, n_frames]` and after the last one `[batch]`."""
    here, after = tf.cast(pitch[:, :-1], tf.float64), tf.cast(pitch[:, 1:], tf.float64)
    steps = (here * hop_size + (after - here) * (hop_size - 1) / 2.0) / sample_rate
    start = tf.reshape(tf.cast(start_cycles, tf.float64), [-1, 1])
    sums = start + tf.cumsum(steps, axis=1)
    starts = tf.concat([tf.broadcast_to(start, tf.shape(steps[:, :1])), sums[:, :-1]], axis=1)
    end = sums[:, -1]
    return starts - tf.floor(starts), end - tf.floor(end)
