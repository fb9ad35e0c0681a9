"""Notes as regions of a pitch track, and rounding that lets gradients through."""

import tensorflow as tf

__all__ = [
    "get_note_lengths",
    "get_note_mask",
    "get_note_mask_from_onset",
    "get_note_moments",
    "get_short_note_loss_mask",
    "pool_over_notes",
    "straight_through_choice",
    "straight_through_int_quantization",
    "straight_through_softmax",
]


def straight_through_int_quantization(x):
    """Round to whole numbers, but pass the gradient as if nothing had happened."""
    return x + tf.stop_gradient(tf.round(x) - x)


def straight_through_softmax(logits):
    """Draw one class at random and keep a gradient.

    Args:
        logits: `[..., classes]`.

    Returns:
        (one-hot sample whose gradient is that of probability times sample, probabilities).
    """
    probs = tf.nn.softmax(logits)
    # The largest of logits plus Gumbel noise is a draw from the softmax.
    uniform = tf.random.uniform(tf.shape(logits), minval=1e-20, maxval=1.0)
    drawn = tf.argmax(logits - tf.math.log(-tf.math.log(uniform)), axis=-1)
    sample = tf.one_hot(drawn, logits.shape[-1], dtype=probs.dtype)
    chosen = probs * sample
    return sample + chosen - tf.stop_gradient(chosen), probs


def straight_through_choice(logits, values):
    """Draw one of `values` (last axis, kept as 1) with the probabilities of `logits`."""
    choice, _ = straight_through_softmax(logits)
    return tf.reduce_sum(choice * values, axis=-1, keepdims=True)


def get_note_mask(q_pitch, max_regions=100, note_on_only=True):
    """Number the notes of a quantised pitch track and tell which frame belongs to which.

    A new region starts wherever the pitch changes (not in the very last frame).

    Args:
        q_pitch: `[batch, time]` or `[batch, time, 1]`.
        max_regions: regions after this many are left out.
        note_on_only: drop regions of pitch 0.

    Returns:
        `[batch, time, max_regions]` of 0 and 1.
    """
    pitch = _two_axes(q_pitch)
    changes = tf.cast(pitch[:, 1:] != pitch[:, :-1], tf.float32)
    starts = tf.pad(changes[:, :-1], [[0, 0], [1, 1]])[:, : tf.shape(pitch)[1]]
    mask = _regions(starts, max_regions)
    if not note_on_only:
        return mask
    means = get_note_moments(pitch, mask, return_std=False)
    return mask * tf.cast(means > 0.0, tf.float32)[:, tf.newaxis, :]


def get_note_mask_from_onset(q_pitch, onset, max_regions=100, note_on_only=True):
    """Like get_note_mask(), but regions start where `onset` is not 0.

    Args:
        q_pitch, onset: `[batch, time]` or `[batch, time, 1]`.
        max_regions: regions after this many are left out.
        note_on_only: drop frames of pitch 0.

    Returns:
        `[batch, time, max_regions]` of 0 and 1.
    """
    starts = tf.cast(_two_axes(onset) != 0.0, tf.float32)
    starts = starts * tf.cast(tf.range(tf.shape(starts)[1]) > 0, tf.float32)
    mask = _regions(starts, max_regions)
    if note_on_only:
        mask *= tf.cast(_two_axes(q_pitch) > 0.0, tf.float32)[:, :, tf.newaxis]
    return mask


def get_note_lengths(note_mask):
    """Frames of each note: `[batch, time, regions]` -> `[batch, regions]`."""
    return tf.reduce_sum(note_mask, axis=1)


def get_note_moments(x, note_mask, return_std=True):
    """Mean and standard deviation of x inside each note, 0 for empty ones.

    Args:
        x: `[batch, time]` or `[batch, time, d]`.
        note_mask: `[batch, time, regions]`.
        return_std: also return the (biased) standard deviation.

    Returns:
        mean, or (mean, std): `[batch, regions]` or `[batch, regions, d]`.
    """
    flat = len(x.shape) == 2
    values = tf.cast(x[..., tf.newaxis] if flat else x, tf.float32)
    lengths = get_note_lengths(note_mask)[..., tf.newaxis]
    mean = tf.math.divide_no_nan(tf.einsum("btr,btd->brd", note_mask, values), lengths)
    if not return_std:
        return mean[..., 0] if flat else mean
    deviation = (values[:, :, tf.newaxis] - mean[:, tf.newaxis]) ** 2
    total = tf.reduce_sum(deviation * note_mask[..., tf.newaxis], axis=1)
    std = _safe_sqrt(tf.math.divide_no_nan(total, lengths))
    return (mean[..., 0], std[..., 0]) if flat else (mean, std)


def pool_over_notes(x, note_mask, return_std=True):
    """The mean (and standard deviation) of each note, spread back over its frames.

    `[batch, time, d]` -> `[batch, time, d]`, or a pair of them.
    """
    mean, std = get_note_moments(x, note_mask, return_std=True)
    mean, std = (tf.einsum("btr,brd->btd", note_mask, value) for value in (mean, std))
    return (mean, std) if return_std else mean


def get_short_note_loss_mask(note_mask, note_lengths, note_pitches, min_length=40):
    """`[batch, time]`: 1 inside sounding notes (pitch > 0) of fewer than `min_length` frames."""
    short = tf.cast((note_lengths < min_length) & (note_pitches > 0.0), tf.float32)
    return tf.einsum("btr,br->bt", note_mask, short)


def _two_axes(x):
    x = tf.cast(x, tf.float32)
    return x[..., 0] if len(x.shape) == 3 else x


def _regions(starts, max_regions):
    number = tf.cumsum(starts, axis=1)[:, :, tf.newaxis]
    return tf.cast(number == tf.range(max_regions, dtype=tf.float32), tf.float32)


def _safe_sqrt(x):
    # sqrt has an infinite slope at 0; notes of one frame have variance 0.
    positive = x > 0.0
    return tf.where(positive, tf.sqrt(tf.where(positive, x, 1.0)), 0.0)
