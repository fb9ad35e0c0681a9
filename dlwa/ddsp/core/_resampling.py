"""From frames to samples and back: changing the number of time steps of a control."""

import math

import tensorflow as tf

from ._checks import check_whole
from ._helpers import tf_float32

_METHODS = ("nearest", "linear", "cubic", "window")


def resample(inputs, n_timesteps, method="linear", add_endpoint=True):
    """Stretch or squeeze a control to `n_timesteps` frames.

    Args:
        inputs: `[n_frames]`, `[batch, n_frames]`, `[batch, n_frames, channels]` or
            `[batch, n_frames, n_freq, channels]`.
        n_timesteps: number of frames of the result.
        method: 'nearest', 'linear', 'cubic' or 'window' (overlapping raised cosines, without the
            steps in slope that linear interpolation leaves).
        add_endpoint: hold the last frame for one more step; otherwise the last frame of the
            result is the last frame of the input.

    Returns:
        The control with `n_timesteps` frames, float32, of the same rank.

    Raises:
        ValueError: if the method is unknown, the rank is not 1...4 or there are no frames.

    Example:
        >>> resample([0.0, 1.0], 4).numpy().tolist()
        [0.0, 0.5, 1.0, 1.0]
    """
    inputs = tf_float32(inputs)
    rank = len(inputs.shape)
    if method not in _METHODS:
        raise ValueError(f"method={method!r} must be one of {list(_METHODS)}")
    if not 1 <= rank <= 4:
        raise ValueError(f"inputs.shape={tuple(inputs.shape)} must have 1 to 4 axes")
    if 0 in inputs.shape:
        raise ValueError(f"inputs.shape={tuple(inputs.shape)} must have one frame at least")
    check_whole("n_timesteps", n_timesteps)
    if rank == 1:
        inputs = inputs[tf.newaxis, :, tf.newaxis]
    elif rank == 2:
        inputs = inputs[:, :, tf.newaxis]
    if method == "window":
        outputs = upsample_with_windows(inputs, n_timesteps, add_endpoint)
    else:
        outputs = _interpolate(inputs, n_timesteps, method, add_endpoint)
    if rank == 1:
        return outputs[0, :, 0]
    return outputs[:, :, 0] if rank == 2 else outputs


def _interpolate(inputs, n_timesteps, method, add_endpoint):
    """Read `[batch, n_frames, ...]` between frames.

    tf.image.resize has the same rules but float32 positions: from some ten million samples on it
    reads beyond the last frame.
    """
    n_frames = inputs.shape[1] if inputs.shape[1] is not None else tf.shape(inputs)[1]
    if method == "linear" and add_endpoint and _divides(n_frames, n_timesteps):
        return _ramps(inputs, n_timesteps // n_frames)
    index, fraction = positions(n_frames, n_timesteps, add_endpoint)
    shape = [-1] + [1] * (len(inputs.shape) - 2)

    def read(index):
        return tf.gather(inputs, tf.clip_by_value(index, 0, n_frames - 1), axis=1)

    if method == "nearest":
        upwards = tf.cast(fraction >= 0.5, tf.int32)
        return read(index) if add_endpoint else read(index + upwards)
    if method == "linear":
        low, high = read(index), read(index + 1)
        return low + (high - low) * tf.reshape(fraction, shape)
    weights = tf.reshape(_cubic_weights(fraction), [4, *shape])
    return tf.add_n([weights[i] * read(index + i - 1) for i in range(4)])


def _divides(n_frames, n_timesteps):
    sizes = (n_frames, n_timesteps)
    return all(isinstance(size, int) for size in sizes) and n_timesteps % n_frames == 0


def _ramps(inputs, hop_size):
    """Straight lines from frame to frame: as reading frames, but without a table of positions."""
    after = tf.concat([inputs[:, 1:], inputs[:, -1:]], axis=1)
    fraction = tf.range(hop_size, dtype=tf.float32) / float(hop_size)
    fraction = tf.reshape(fraction, [hop_size] + [1] * (len(inputs.shape) - 2))
    lines = inputs[:, :, tf.newaxis] + (after - inputs)[:, :, tf.newaxis] * fraction
    shape = tf.concat([tf.shape(inputs)[:1], [-1], tf.shape(inputs)[2:]], axis=0)
    lines = tf.reshape(lines, shape)
    lines.set_shape([inputs.shape[0], inputs.shape[1] * hop_size, *inputs.shape[2:]])
    return lines


def positions(n_frames, n_timesteps, add_endpoint=True):
    """Frame at or before each new step, int32, and how far on to the next, float32, exactly."""
    steps = n_timesteps if add_endpoint else tf.maximum(n_timesteps - 1, 1)
    steps = tf.cast(steps, tf.int64)
    frames = tf.cast(n_frames if add_endpoint else n_frames - 1, tf.int64)
    reached = tf.range(tf.cast(n_timesteps, tf.int64)) * frames
    index = reached // steps
    fraction = tf.cast(reached - index * steps, tf.float64) / tf.cast(steps, tf.float64)
    return tf.cast(index, tf.int32), tf.cast(fraction, tf.float32)


def _cubic_weights(fraction):
    """Keys' kernel (A = -0.75) at the four frames around, `[4, n]`, in 1024 steps as TensorFlow."""
    x = tf.round(fraction * 1024.0) / 1024.0

    def near(x):
        return (1.25 * x - 2.25) * x * x + 1.0

    def far(x):
        return ((-0.75 * x + 3.75) * x - 6.0) * x + 3.0

    return tf.stack([far(x + 1.0), near(x), near(1.0 - x), far(2.0 - x)])


def crossfade_windows(hop_size):
    """The fading (falling, rising) halves of a Hann window, each `[hop_size]`."""
    hop = tf.cast(hop_size, tf.float32)
    angle = math.pi * tf.range(hop, dtype=tf.float32) / hop
    falling = 0.5 + 0.5 * tf.cos(angle)
    return falling, 1.0 - falling


def upsample_with_windows(inputs, n_timesteps, add_endpoint=True):
    """Upsample by cross-fading neighbouring frames with raised cosines.

    Args:
        inputs: `[batch, n_frames, channels]`.
        n_timesteps: samples of the result, a multiple of the number of intervals.
        add_endpoint: hold the last frame for one more interval.

    Returns:
        `[batch, n_timesteps, channels]`.

    Raises:
        ValueError: if the rank is not 3, if it would not be upsampling, or if n_timesteps is not
            a multiple of the number of intervals.
    """
    inputs = tf_float32(inputs)
    if len(inputs.shape) != 3:
        raise ValueError(f"inputs.shape={tuple(inputs.shape)} must be [batch, n_frames, channels]")
    if add_endpoint:
        inputs = tf.concat([inputs, inputs[:, -1:, :]], axis=1)
    n_frames = inputs.shape[1]
    static = n_frames is not None and isinstance(n_timesteps, int)
    if n_frames == 1:
        raise ValueError(
            f"inputs.shape={tuple(inputs.shape)} must have two frames at least "
            "with add_endpoint=False"
        )
    if static:
        _check_intervals(n_frames, n_timesteps)
    else:
        n_frames = tf.shape(inputs)[1]
    n_intervals = n_frames - 1
    hop_size = whole_hop(n_timesteps, n_intervals)
    falling, rising = crossfade_windows(hop_size)
    before, after = inputs[:, :-1, tf.newaxis, :], inputs[:, 1:, tf.newaxis, :]
    faded = before * falling[:, tf.newaxis] + after * rising[:, tf.newaxis]
    shape = tf.shape(inputs)
    outputs = tf.reshape(faded, [shape[0], n_intervals * hop_size, shape[2]])
    outputs.set_shape([inputs.shape[0], n_timesteps if static else None, inputs.shape[2]])
    return outputs


def _check_intervals(n_frames, n_timesteps):
    if n_frames >= n_timesteps:
        raise ValueError(
            f"n_timesteps={n_timesteps} must be more than n_frames={n_frames} of inputs: "
            "the window method only upsamples"
        )
    if n_timesteps % (n_frames - 1):
        raise ValueError(
            f"n_timesteps={n_timesteps} must be a multiple of n_frames - 1 = {n_frames - 1} "
            "for the window method"
        )


def whole_hop(n_samples, n_frames):
    """Samples a frame; where a size is known only when the graph runs, it is checked then."""
    if isinstance(n_frames, int) and isinstance(n_samples, int):
        return n_samples // n_frames
    whole = tf.debugging.assert_equal(
        n_samples % n_frames, 0, f"n_samples={n_samples} must be a multiple of n_frames"
    )
    with tf.control_dependencies([] if whole is None else [whole]):
        return n_samples // n_frames


def center_crop(audio, frame_size):
    """Drop half a frame at each end of axis 1, what centred frames stood out by."""
    pad = frame_size // 2
    if audio.shape[1] is not None and audio.shape[1] <= 2 * pad:
        raise ValueError(
            f"audio.shape={tuple(audio.shape)} must have more than frame_size={frame_size} samples"
        )
    return audio[:, pad : audio.shape[1] - pad] if audio.shape[1] else audio[:, pad:-pad]
