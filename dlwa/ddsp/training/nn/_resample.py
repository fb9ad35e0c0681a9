"""Trading time frames for channels and back."""

import gin
import tensorflow as tf

from dlwa.ddsp import core

from ._base import Layer

__all__ = ["PolyphaseResample", "polyphase_resample"]


def polyphase_resample(x, stride=2, resample_type="down", trim_or_pad="pad"):
    """Fold `stride` frames into the channels (down), or unfold channels into frames (up).

    Args:
        x: `[batch, time, c]`, or `[batch, time, 1, c]`.
        stride: how many frames become one.
        resample_type: 'down' `[batch, time / stride, c * stride]` or 'up' `[batch, time * stride,
            c / stride]`.
        trim_or_pad: what to do with a remainder: cut it off, or fill with zeros.

    Raises:
        ValueError: for other names or a stride below 1.
    """
    if resample_type not in ("down", "up"):
        raise ValueError(f"resample_type={resample_type!r} must be 'down' or 'up'")
    if trim_or_pad not in ("trim", "pad"):
        raise ValueError(f"trim_or_pad={trim_or_pad!r} must be 'trim' or 'pad'")
    if stride < 1:
        raise ValueError(f"stride={stride} must be a positive integer")
    four = len(x.shape) == 4
    x = x[:, :, 0, :] if four else x
    axis = 1 if resample_type == "down" else 2
    x = _to_multiple(x, axis, stride, trim_or_pad)
    channels = x.shape[2] * stride if resample_type == "down" else x.shape[2] // stride
    x = tf.reshape(x, [tf.shape(x)[0], -1, channels])
    return x[:, :, tf.newaxis, :] if four else x


def _to_multiple(x, axis, stride, trim_or_pad):
    size = tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]
    remainder = size % stride
    if trim_or_pad == "pad":
        return core.pad_axis(x, (0, (stride - remainder) % stride), axis=axis)
    return x[:, : size - remainder] if axis == 1 else x[:, :, : size - remainder]


@gin.register(module="dlwa.ddsp.training.nn")
class PolyphaseResample(Layer):
    """polyphase_resample() as a layer."""

    def __init__(self, stride=2, resample_type="down", trim_or_pad="pad", **kwargs):
        super().__init__(**kwargs)
        self.stride = stride
        self.resample_type = resample_type
        self.trim_or_pad = trim_or_pad

    def call(self, x):
        """See polyphase_resample()."""
        return polyphase_resample(x, self.stride, self.resample_type, self.trim_or_pad)
