"""Dilated convolutions over time, and spectral normalisation."""

import gin
import keras
import tensorflow as tf

from ._base import Chain, Layer
from ._normalize import get_norm
from ._shapes import ensure_4d, inv_ensure_4d

__all__ = ["DilatedConvStack", "SpectralNormalization"]


@gin.register(module="dlwa.ddsp.training.nn")
class DilatedConvStack(Layer):
    """A stack of dilated convolutions over time with residual connections (as in WaveNet).

    `[batch, time, c]` -> `[batch, time, ch]`; conditional: inputs [x, z] with z `[batch, time or
    1, c_z]`.

    Args:
        ch: channels of every layer.
        layers_per_stack: layers of one stack; layer i has dilation `dilation ** i`.
        stacks: how often the stack is repeated.
        kernel_size: frames one kernel sees.
        dilation: base of the dilations; a negative one runs from the largest to 1.
        norm_type: see normalize_op().
        resample_type: None, 'downsample' or 'upsample'.
        resample_stride: factor of one resampling layer.
        stacks_per_resample: a resampling layer for so many stacks.
        resample_after_convolve: resample after those stacks instead of before.
        spectral_norm: keep the largest singular value of every kernel at 1.
        ortho_init: orthogonal first kernels instead of Glorot's.
        shift_only: the condition shifts but does not scale.
        conditional: take [x, z].

    Raises:
        ValueError: for another resample_type.
    """

    def __init__(
        self,
        ch=256,
        layers_per_stack=5,
        stacks=2,
        kernel_size=3,
        dilation=2,
        norm_type=None,
        resample_type=None,
        resample_stride=1,
        stacks_per_resample=1,
        resample_after_convolve=True,
        spectral_norm=False,
        ortho_init=False,
        shift_only=False,
        conditional=False,
        **kwargs,
    ):
        if resample_type not in (None, "downsample", "upsample"):
            raise ValueError(
                f"resample_type={resample_type!r} must be None, 'downsample' or 'upsample'"
            )
        super().__init__(**kwargs)
        self.ch = ch
        self.stacks = stacks
        self.layers_per_stack = layers_per_stack
        self.stacks_per_resample = stacks_per_resample
        self.resample_after_convolve = resample_after_convolve
        self.conditional = conditional
        self.spectral_norm = spectral_norm
        self.initializer = "orthogonal" if ortho_init else "glorot_uniform"

        self.conv_in = self._conv(kernel_size)
        rates = [_dilation(dilation, i, layers_per_stack) for i in range(layers_per_stack)] * stacks
        self.layers = [
            Chain([keras.layers.ReLU(), self._conv(kernel_size, dilation=rate)]) for rate in rates
        ]
        self.norms = [get_norm(norm_type, conditional, shift_only) for _ in rates]
        n_resample = stacks // stacks_per_resample if resample_type else 0
        self.resample_layers = [
            self._resampler(resample_type, resample_stride) for _ in range(n_resample)
        ]

    def _conv(self, size, stride=1, dilation=1):
        conv = keras.layers.Conv2D(
            self.ch,
            (size, 1),
            strides=(stride, 1),
            dilation_rate=(dilation, 1),
            padding="same",
            kernel_initializer=self.initializer,
        )
        return SpectralNormalization(conv) if self.spectral_norm else conv

    def _resampler(self, resample_type, stride):
        if resample_type == "downsample":
            return self._conv(stride, stride)
        conv = keras.layers.Conv2DTranspose(
            self.ch,
            (2 * stride, 1),
            strides=(stride, 1),
            padding="same",
            kernel_initializer=self.initializer,
        )
        return SpectralNormalization(conv) if self.spectral_norm else conv

    def call(self, inputs):
        """x, or [x, z] if conditional -> `[batch, time, ch]`, time changed by the resampling."""
        x, z = inputs if self.conditional else (inputs, None)
        rank = len(x.shape)
        x = self.conv_in(ensure_4d(x))
        for stack in range(self.stacks):
            x = self._resampled(x, stack, before=True)
            first = stack * self.layers_per_stack
            for i in range(first, first + self.layers_per_stack):
                y = self.layers[i](x)
                y = self.norms[i]([y, ensure_4d(z)] if self.conditional else y)
                x = tf.cast(x, y.dtype) + y
            x = self._resampled(x, stack, before=False)
        return inv_ensure_4d(x, rank)

    def _resampled(self, x, stack, before):
        if not self.resample_layers or before == self.resample_after_convolve:
            return x
        turn = stack if before else stack + 1
        index = turn // self.stacks_per_resample - (0 if before else 1)
        if turn % self.stacks_per_resample or not 0 <= index < len(self.resample_layers):
            return x
        return self.resample_layers[index](x)


def _dilation(base, i, n_layers):
    return abs(base) ** (n_layers - 1 - i) if base < 0 else base**i


class SpectralNormalization(Layer):
    """Keeps the largest singular value of a layer's kernel at 1 (Miyato et al. 2018).

    In training each call does `power_iterations` steps and divides the kernel by the estimate;
    otherwise the layer is used as it is.
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        if power_iterations < 1:
            raise ValueError(f"power_iterations={power_iterations} must be a positive integer")
        super().__init__(**kwargs)
        self.layer = layer
        self.power_iterations = power_iterations

    def build(self, x_shape):
        """Build the layer and the estimate of its left singular vector, `sn_u` `[1, out]`."""
        self.layer.build(x_shape)
        self.sn_u = self.add_weight(
            name="sn_u",
            shape=(1, self.layer.kernel.shape[-1]),
            initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
        )
        self.built = True

    def call(self, x, training=False):
        """The layer's result, after one update of its kernel when training."""
        if training:
            self._normalize_kernel()
        return self.layer(x)

    def _normalize_kernel(self):
        kernel = tf.convert_to_tensor(self.layer.kernel)
        flat = tf.reshape(tf.cast(kernel, tf.float32), [-1, kernel.shape[-1]])
        u = tf.convert_to_tensor(self.sn_u)
        for _ in range(self.power_iterations):
            v = tf.math.l2_normalize(tf.matmul(u, flat, transpose_b=True))
            u = tf.math.l2_normalize(tf.matmul(v, flat))
        sigma = tf.matmul(tf.matmul(v, flat), u, transpose_b=True)[0, 0]
        self.sn_u.assign(u)
        self.layer.kernel.assign(tf.stop_gradient(tf.reshape(flat / sigma, kernel.shape)))
