"""What every layer of this package shares: float32 outside, lists of layers inside."""

import keras

__all__ = ["Chain", "Layer"]


class Layer(keras.layers.Layer):
    """A Keras layer that hands its inputs on unchanged and builds its parts when they are called.

    The layer itself stays float32 whatever the precision policy; only the Keras layers inside it
    (Dense, convolutions) follow the policy, so phases, losses and statistics are never rounded.
    """

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self._allow_non_tensor_positional_args = True

    def build(self, *_shapes):
        """Nothing to do: the layers inside build themselves on their first call."""
        self.built = True


class Chain(Layer):
    """Layers applied one after the other.

    In checkpoints the i-th layer that has weights is called `layer_with_weights-i`.
    """

    def __init__(self, layers=(), **kwargs):
        super().__init__(**kwargs)
        self.layers = list(layers)

    def call(self, x):
        """Apply all layers to `x`."""
        for layer in self.layers:
            x = layer(x)
        return x
