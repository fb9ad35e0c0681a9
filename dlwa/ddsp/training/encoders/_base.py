"""What encoders of a latent z share."""

import tensorflow as tf

from dlwa.ddsp import core
from dlwa.ddsp.training import nn

__all__ = ["ZEncoder"]


class ZEncoder(nn.DictLayer):
    """Base of encoders: compute_z() makes z from some features, expand_z() brings it to length.

    The last input is always 'f0_scaled', read only for its number of frames.

    Args:
        input_keys: what compute_z() gets; default: the names of its arguments.
    """

    def __init__(self, input_keys=None, **kwargs):
        if input_keys is None:
            input_keys = self.get_argument_names("compute_z")
        keys = [input_keys] if isinstance(input_keys, str) else list(input_keys)
        kwargs.setdefault("output_keys", ["z"])
        super().__init__([*keys, "f0_scaled"], **kwargs)

    def call(self, *args):
        """z `[batch, frames of f0_scaled, z_dims]`, float32."""
        *inputs, f0_scaled = args
        frames = f0_scaled.shape[1]
        frames = tf.shape(f0_scaled)[1] if frames is None else frames
        return self.expand_z(tf.cast(self.compute_z(*inputs), tf.float32), frames)

    def compute_z(self, *inputs):
        """z `[batch, z_dims]` or `[batch, time, z_dims]`; defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} must define compute_z()")

    def expand_z(self, z, time_steps):
        """z at `time_steps` frames, by linear interpolation."""
        z = z[:, tf.newaxis, :] if len(z.shape) == 2 else z
        return z if z.shape[1] == time_steps else core.resample(z, time_steps)
