"""Residual convolutional networks over spectrograms (He et al. 2016, pre-activation)."""

import gin
import keras
import tensorflow as tf

from ._base import Chain, Layer
from ._normalize import Normalize, get_norm
from ._shapes import get_nonlinearity

__all__ = ["NormReluConv", "ResNet", "ResidualLayer", "ResidualStack"]

_register = gin.register(module="dlwa.ddsp.training.nn")

# 'tiny' is ours: ResnetSinusoidalEncoder's default size had no definition in the reference.
_SIZES = {
    "tiny": (16, (2, 2, 2)),
    "small": (32, (2, 3, 4)),
    "medium": (32, (3, 4, 6)),
    "large": (64, (3, 4, 6)),
}


@_register
class NormReluConv(Chain):
    """Normalisation, ReLU, convolution of `ch` kernels of k x k with stride s over the width."""

    def __init__(self, ch, k, s, norm_type, **kwargs):
        conv = keras.layers.Conv2D(ch, (k, k), strides=(1, s), padding="same")
        super().__init__([Normalize(norm_type), keras.layers.ReLU(), conv], **kwargs)


@_register
class ResidualLayer(Layer):
    """A bottleneck of three convolutions around a shortcut.

    `[batch, time, width, c]` -> `[batch, time, width / stride, 4 * ch]`.

    Args:
        ch: channels inside the bottleneck.
        stride: of the width.
        shortcut: project the input; without it the input is added as it is (4 * ch channels).
        norm_type: see normalize_op().
        conditional: take [x, z].
        shift_only: the condition shifts but does not scale.
    """

    def __init__(self, ch, stride, shortcut, norm_type, conditional, shift_only, **kwargs):
        super().__init__(**kwargs)
        self.conditional = conditional
        self.shortcut = shortcut
        self.norm_input = get_norm(norm_type, conditional, shift_only)
        self.bottleneck = Chain(
            [
                keras.layers.Conv2D(ch, (1, 1), padding="same"),
                NormReluConv(ch, 3, stride, norm_type),
                NormReluConv(4 * ch, 1, 1, norm_type),
            ]
        )
        if shortcut:
            self.conv_proj = keras.layers.Conv2D(
                4 * ch, (1, 1), strides=(1, stride), padding="same"
            )

    def call(self, inputs):
        """x, or [x, z] if conditional."""
        x = inputs[0] if self.conditional else inputs
        y = tf.nn.relu(self.norm_input(inputs))
        residual = self.conv_proj(y) if self.shortcut else x
        branch = self.bottleneck(y)
        return branch + tf.cast(residual, branch.dtype)


@_register
class ResidualStack(Layer):
    """Residual layers in a row, a stride at the start of each block; then norm and activation."""

    def __init__(
        self,
        filters,
        block_sizes,
        strides,
        norm_type,
        conditional=False,
        shift_only=False,
        nonlinearity="relu",
        **kwargs,
    ):
        if not len(filters) == len(block_sizes) == len(strides):
            raise ValueError(
                f"filters={filters}, block_sizes={block_sizes} and strides={strides} "
                "must have the same length"
            )
        super().__init__(**kwargs)
        self.conditional = conditional
        self.layers = []
        for ch, n_layers, stride in zip(filters, block_sizes, strides, strict=True):
            for i in range(n_layers):
                self.layers.append(
                    ResidualLayer(
                        ch, stride if i == 0 else 1, i == 0, norm_type, conditional, shift_only
                    )
                )
        self.layers.append(Normalize(norm_type))
        self.layers.append(keras.layers.Activation(get_nonlinearity(nonlinearity)))

    def call(self, inputs):
        """x, or [x, z] if conditional -> `[batch, time, width, 4 * filters[-1]]`."""
        x, z = inputs if self.conditional else (inputs, None)
        for layer in self.layers[:-2]:
            x = layer([x, z]) if self.conditional else layer(x)
        for layer in self.layers[-2:]:
            x = layer(x)
        return x


@_register
class ResNet(Layer):
    """A residual network: `[batch, time, frequency, 1]` -> `[batch, time, fewer, channels]`.

    Args:
        size: 'tiny', 'small', 'medium' or 'large'.
        norm_type: see normalize_op().
        conditional: take [x, z].
        shift_only: the condition shifts but does not scale.
    """

    def __init__(
        self, size="large", norm_type="layer", conditional=False, shift_only=False, **kwargs
    ):
        if size not in _SIZES:
            raise ValueError(f"size={size!r} must be one of {sorted(_SIZES)}")
        super().__init__(**kwargs)
        self.conditional = conditional
        ch, blocks = _SIZES[size]
        rest = (norm_type, conditional, shift_only)
        self.layers = [
            keras.layers.Conv2D(64, (7, 7), strides=(1, 2), padding="same"),
            keras.layers.MaxPooling2D((1, 3), strides=(1, 2), padding="same"),
            ResidualStack([ch, 2 * ch, 4 * ch], blocks, [1, 2, 2], *rest),
            ResidualStack([8 * ch], [3], [2], *rest),
        ]

    def call(self, inputs):
        """x, or [x, z] if conditional."""
        x, z = inputs if self.conditional else (inputs, None)
        for layer in self.layers[:2]:
            x = layer(x)
        for stack in self.layers[2:]:
            x = stack([x, z]) if self.conditional else stack(x)
        return x
