"""Fully connected layers: the plain parts every DDSP decoder is made of."""

import gin
import keras

from ._base import Chain, Layer
from ._dense import Dense
from ._layer_norm import LayerNormalization
from ._shapes import get_nonlinearity

__all__ = ["Fc", "FcStack", "FcStackOut", "Identity", "get_embedding"]

_register = gin.register(module="dlwa.ddsp.training.nn")


@_register
class Identity(Layer):
    """Gives back what it gets."""

    def call(self, x):
        """`x` itself."""
        return x


@_register
class Fc(Chain):
    """One fully connected layer: Dense, layer normalisation over the channels, activation.

    `[..., channels]` -> `[..., ch]`.

    Args:
        ch: number of output channels.
        nonlinearity: name of a Keras or tf.nn activation.
    """

    def __init__(self, ch=128, nonlinearity="leaky_relu", **kwargs):
        layers = [
            Dense(ch),
            LayerNormalization(),
            keras.layers.Activation(get_nonlinearity(nonlinearity)),
        ]
        super().__init__(layers, **kwargs)


@_register
class FcStack(Chain):
    """Several Fc layers in a row; `layers=0` hands the input on unchanged."""

    def __init__(self, ch=256, layers=2, nonlinearity="leaky_relu", **kwargs):
        super().__init__([Fc(ch, nonlinearity) for _ in range(layers)], **kwargs)


@_register
class FcStackOut(Layer):
    """An FcStack and a last Dense layer with `n_out` channels."""

    def __init__(self, ch, layers, n_out, **kwargs):
        super().__init__(**kwargs)
        self.stack = FcStack(ch, layers)
        self.dense_out = Dense(n_out)

    def call(self, x):
        """`[..., channels]` -> `[..., n_out]`."""
        return self.dense_out(self.stack(x))


def get_embedding(vocab_size=1024, n_dims=256):
    """A table of `vocab_size` learnt vectors of `n_dims` numbers, looked up by integer ids."""
    return keras.layers.Embedding(vocab_size, n_dims)
