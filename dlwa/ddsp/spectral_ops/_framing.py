"""Cutting sound into frames."""

import math

import numpy as np
import tensorflow as tf

from dlwa.ddsp import core

_PADDINGS = ("valid", "same", "center")


def get_framed_lengths(input_length, frame_size, hop_size, padding="center"):
    """How many frames a sound makes, and how long it is after padding.

    Args:
        input_length: samples of the sound.
        frame_size: samples a frame.
        hop_size: samples from frame to frame.
        padding: 'valid' only whole frames; 'same' one frame a hop, frames start at the hops;
            'center' frames lie around the hops.

    Returns:
        (number of frames, samples after padding).

    Raises:
        ValueError: if the padding is unknown.

    Example:
        >>> [get_framed_lengths(64000, 512, 64, p)[0] for p in ("valid", "same", "center")]
        [993, 1000, 1001]
    """
    if padding not in _PADDINGS:
        raise ValueError(f"padding={padding!r} must be one of {list(_PADDINGS)}")
    core.check_whole("frame_size", frame_size)
    core.check_whole("hop_size", hop_size)
    core.check_whole("input_length", input_length, least=0)
    if padding == "same":
        n_frames = -(-input_length // hop_size)
        return n_frames, (n_frames - 1) * hop_size + frame_size
    padded = input_length + frame_size if padding == "center" else input_length
    n_frames = (padded - frame_size) // hop_size + 1
    return n_frames if tf.is_tensor(n_frames) else max(0, n_frames), padded


def pad(x, frame_size, hop_size, padding="center", axis=1, mode="CONSTANT", constant_values=0):
    """Lengthen a sound so that it makes the frames get_framed_lengths counts.

    Args:
        x: `[batch, n_samples, ...]` or `[n_samples]`.
        frame_size: samples a frame.
        hop_size: samples from frame to frame, at most frame_size.
        padding: see get_framed_lengths.
        axis: the axis of time.
        mode: see tf.pad.
        constant_values: see tf.pad.

    Returns:
        float32 tensor.

    Raises:
        ValueError: if frames would leave gaps or the padding is unknown.
    """
    x = core.tf_float32(x)
    core.check_whole("frame_size", frame_size)
    core.check_whole("hop_size", hop_size)
    if padding not in _PADDINGS:
        raise ValueError(f"padding={padding!r} must be one of {list(_PADDINGS)}")
    if hop_size > frame_size:
        raise ValueError(
            f"hop_size={hop_size} must be at most frame_size={frame_size}, else samples are lost"
        )
    axis = 0 if len(x.shape) <= 1 else axis
    if padding == "valid":
        if (x.shape[axis] or frame_size) < frame_size:
            raise ValueError(
                f"x.shape={tuple(x.shape)} must have at least frame_size={frame_size} samples "
                "with padding='valid'"
            )
        return x
    if padding == "center":
        sides = (frame_size // 2, frame_size // 2)
    else:
        length = x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]
        _, padded = get_framed_lengths(length, frame_size, hop_size, padding)
        # A sound longer than its last frame keeps its end: hop <= frame makes this >= 0.
        sides = (0, padded - length)
    return core.pad_axis(x, sides, axis=axis, mode=mode, constant_values=constant_values)


def frame_at_rate(audio, sample_rate, frame_rate, frame_size, padding="center"):
    """Frames of a sound, `frame_rate` of them a second.

    Where the frame rate does not divide the sample rate (44100 Hz at 250 Hz), each frame lies at
    the sample nearest to its time, so that frames and sound never drift apart.

    Args:
        audio: `[batch, n_samples]` or `[n_samples]`.
        sample_rate: in Hz.
        frame_rate: frames a second.
        frame_size: samples a frame.
        padding: see get_framed_lengths.

    Returns:
        `[batch, n_frames, frame_size]` or `[n_frames, frame_size]`.

    Raises:
        ValueError: if frames would be less than a sample apart or leave gaps.

    Example:
        >>> second = tf.range(44100, dtype=tf.float32)
        >>> frames = frame_at_rate(second, 44100, 250, 512, padding="same")
        >>> [int(frames[j, 0]) for j in (0, 1, 2, 249)]
        [0, 176, 353, 43924]
    """
    core.check_positive("sample_rate", sample_rate)
    core.check_positive("frame_rate", frame_rate)
    core.check_layout("audio", audio, "[batch, n_samples]", "[n_samples]")
    hop = sample_rate / frame_rate
    if hop < 1.0:
        raise ValueError(f"frame_rate={frame_rate} must be at most sample_rate={sample_rate}")
    if hop.is_integer():
        return tf.signal.frame(pad(audio, frame_size, int(hop), padding), frame_size, int(hop))
    padded = pad(audio, frame_size, math.ceil(hop), padding)
    length = tf.cast(tf.shape(padded)[-1], tf.float64)
    if padding == "same":
        n_frames = tf.math.ceil(tf.cast(tf.shape(audio)[-1], tf.float64) / hop)
        padded = core.pad_axis(padded, (0, frame_size), axis=-1)
    else:
        n_frames = tf.floor((length - frame_size) / hop) + 1.0
    starts = tf.cast(tf.round(tf.range(n_frames, dtype=tf.float64) * hop), tf.int32)
    return tf.gather(padded, starts[:, tf.newaxis] + tf.range(frame_size), axis=-1)


def pad_or_trim_to_expected_length(
    vector, expected_len, pad_value=0, len_tolerance=20, use_tf=False
):
    """Make the last axis exactly as long as expected, if it nearly is.

    Args:
        vector: `[..., n]`.
        expected_len: wanted length.
        pad_value: what is appended to a short one.
        len_tolerance: how far off it may be.
        use_tf: TensorFlow; NumPy otherwise.

    Raises:
        ValueError: if the lengths differ by more than len_tolerance.

    Example:
        >>> pad_or_trim_to_expected_length(np.ones(3), 5).tolist()
        [1.0, 1.0, 1.0, 0.0, 0.0]
    """
    expected_len = int(expected_len)
    length = int(vector.shape[-1])
    if abs(length - expected_len) > len_tolerance:
        raise ValueError(
            f"vector.shape={tuple(vector.shape)} must be within {len_tolerance} of "
            f"expected_len={expected_len} along the last axis"
        )
    if length < expected_len:
        paddings = [[0, 0]] * (len(vector.shape) - 1) + [[0, expected_len - length]]
        if use_tf:
            return tf.pad(vector, paddings, constant_values=pad_value)
        return np.pad(vector, paddings, constant_values=pad_value)
    return vector[..., :expected_len]
