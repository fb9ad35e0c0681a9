"""Normalisation over groups of channels, with learnt or conditional scale and shift."""

import gin
import keras
import tensorflow as tf

from ._base import Layer
from ._shapes import ensure_4d, inv_ensure_4d

__all__ = ["ConditionalNorm", "ConditionalScaleAndShift", "Normalize", "get_norm", "normalize_op"]

_register = gin.register(module="dlwa.ddsp.training.nn")


def normalize_op(x, norm_type="layer", eps=1e-5):
    """Make mean 0 and variance 1 over height, width and the channels of each group.

    Args:
        x: `[batch, height, width, channels]`.
        norm_type: 'instance' (every channel alone), 'layer' (all channels together), 'group'
            (32 groups) or None (unchanged).
        eps: added to the variance.

    Raises:
        ValueError: for another norm_type, or if 32 groups do not divide the channels.
    """
    if norm_type is None:
        return x
    channels = x.shape[-1]
    groups = {"instance": channels, "layer": 1, "group": 32}
    if norm_type not in groups:
        raise ValueError(f"norm_type={norm_type!r} must be 'layer', 'instance', 'group' or None")
    n_groups = groups[norm_type]
    if channels % n_groups:
        raise ValueError(f"x.shape[-1]={channels} must be divisible into {n_groups} groups")
    shape = tf.shape(x)
    grouped = tf.cast(x, tf.float32)
    grouped = tf.reshape(grouped, tf.concat([shape[:3], [n_groups, channels // n_groups]], axis=0))
    mean, variance = tf.nn.moments(grouped, axes=[1, 2, 4], keepdims=True)
    normal = (grouped - mean) * tf.math.rsqrt(variance + eps)
    return tf.ensure_shape(tf.reshape(normal, shape), x.shape)


@_register
class Normalize(Layer):
    """normalize_op() with a learnt scale and shift for each channel.

    Takes `[batch, c]`, `[batch, time, c]` or `[batch, time, width, c]`; 'layer' therefore averages
    over time as well.
    """

    def __init__(self, norm_type="layer", **kwargs):
        super().__init__(**kwargs)
        self.norm_type = norm_type

    def build(self, x_shape):
        """Create scale (ones) and shift (zeros), `[1, 1, 1, c]`."""
        shape = [1, 1, 1, x_shape[-1]]
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")
        self.shift = self.add_weight(name="shift", shape=shape, initializer="zeros")
        self.built = True

    def call(self, x):
        """Same shape as `x`, float32."""
        y = normalize_op(ensure_4d(x), self.norm_type)
        y = tf.cast(y, tf.float32) * self.scale + self.shift
        return inv_ensure_4d(y, len(x.shape))


class ConditionalScaleAndShift(Layer):
    """Scales and shifts the channels of x by what a Dense layer makes of z.

    Inputs are the list [x, z]; with `shift_only` x is only shifted.
    """

    def __init__(self, shift_only=False, **kwargs):
        super().__init__(**kwargs)
        self.shift_only = shift_only

    def build(self, shapes):
        """Create the Dense layer: as many outputs as x has channels, twice with a scale."""
        channels = shapes[0][-1]
        self.dense = keras.layers.Dense(channels if self.shift_only else 2 * channels)
        self.built = True

    def call(self, inputs):
        """[x, z], ranks 2 to 4 -> the shape of x."""
        x, z = inputs
        rank = len(x.shape)
        x = tf.cast(ensure_4d(x), tf.float32)
        change = tf.cast(self.dense(ensure_4d(z)), tf.float32)
        if self.shift_only:
            return inv_ensure_4d(x + change, rank)
        scale, shift = tf.split(change, 2, axis=-1)
        return inv_ensure_4d(x * scale + shift, rank)


@_register
class ConditionalNorm(Layer):
    """normalize_op(), then a scale and shift computed from a second input; inputs [x, z]."""

    def __init__(self, norm_type="instance", shift_only=False, **kwargs):
        super().__init__(**kwargs)
        self.norm_type = norm_type
        self.conditional_scale_and_shift = ConditionalScaleAndShift(shift_only)

    def call(self, inputs):
        """[x, z] -> the shape of x."""
        x, z = inputs
        normal = inv_ensure_4d(normalize_op(ensure_4d(x), self.norm_type), len(x.shape))
        return self.conditional_scale_and_shift([normal, z])


def get_norm(norm_type, conditional, shift_only):
    """ConditionalNorm if `conditional`, else Normalize."""
    return ConditionalNorm(norm_type, shift_only) if conditional else Normalize(norm_type)
