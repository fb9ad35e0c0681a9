"""From frames to samples and back: changing the number of time steps of a control."""

import tensorflow as tf

from ._checks import check_whole
from ._helpers import tf_float32

_IMAGE_METHODS = {
    "nearest": tf.compat.v1.image.ResizeMethod.NEAREST_NEIGHBOR,
    "linear": tf.compat.v1.image.ResizeMethod.BILINEAR,
    "cubic": tf.compat.v1.image.ResizeMethod.BICUBIC,
}


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
    if method != "window" and method not in _IMAGE_METHODS:
        raise ValueError(f"method={method!r} must be one of {[*_IMAGE_METHODS, 'window']}")
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
        outputs = _image_resize(inputs, n_timesteps, method, not add_endpoint)
    if rank == 1:
        return outputs[0, :, 0]
    return outputs[:, :, 0] if rank == 2 else outputs


def _image_resize(inputs, n_timesteps, method, align_corners):
    flat = len(inputs.shape) == 3
    image = inputs[:, :, tf.newaxis, :] if flat else inputs
    resized = tf.compat.v1.image.resize(
        image,
        [n_timesteps, image.shape[2] if image.shape[2] is not None else tf.shape(image)[2]],
        method=_IMAGE_METHODS[method],
        align_corners=align_corners,
    )
    return resized[:, :, 0, :] if flat else resized


def crossfade_windows(hop_size):
    """The fading (falling, rising) halves of a Hann window, each `[hop_size]`."""
    angle = (
        3.141592653589793 * tf.cast(tf.range(hop_size), tf.float32) / tf.cast(hop_size, tf.float32)
    )
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
    if static:
        _check_intervals(n_frames, n_timesteps)
    else:
        n_frames = tf.shape(inputs)[1]
    n_intervals = n_frames - 1
    hop_size = n_timesteps // n_intervals
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
            f"n_timesteps={n_timesteps} must be more than the {n_frames} frames of inputs: "
            "the window method only upsamples"
        )
    if n_timesteps % (n_frames - 1):
        raise ValueError(
            f"n_timesteps={n_timesteps} must be a multiple of the {n_frames - 1} intervals "
            "between frames for the window method"
        )


def center_crop(audio, frame_size):
    """Drop half a frame at each end of axis 1, what centred frames stood out by."""
    pad = frame_size // 2
    return audio[:, pad : audio.shape[1] - pad] if audio.shape[1] else audio[:, pad:-pad]
