"""Small helpers: activations by name, ranks, and Keras' layers made reachable from gin."""

import contextlib

import gin
import keras
import tensorflow as tf

from ._dense import Dense

__all__ = ["ensure_4d", "get_nonlinearity", "gin_register_keras_layers", "inv_ensure_4d"]


def get_nonlinearity(nonlinearity):
    """Find an activation function by its name, first in Keras, then in tf.nn.

    A function passes unchanged.

    Raises:
        ValueError: if neither knows the name.
    """
    if callable(nonlinearity):
        return nonlinearity
    with contextlib.suppress(ValueError, TypeError):
        return keras.activations.get(nonlinearity)
    function = getattr(tf.nn, str(nonlinearity), None)
    if function is None:
        raise ValueError(
            f"nonlinearity={nonlinearity!r} must be the name of a Keras activation or of a "
            "function of tf.nn, e.g. 'leaky_relu', 'relu', 'sigmoid'"
        )
    return function


def ensure_4d(x):
    """Give `[batch, c]` or `[batch, time, c]` the missing axes: `[batch, time, 1, c]`.

    Raises:
        ValueError: if the rank is not 2, 3 or 4.
    """
    rank = len(x.shape)
    if rank == 2:
        return x[:, tf.newaxis, tf.newaxis, :]
    if rank == 3:
        return x[:, :, tf.newaxis, :]
    if rank == 4:
        return x
    raise ValueError(f"x with shape {tuple(x.shape)} must have 2, 3 or 4 axes")


def inv_ensure_4d(x, n_dims):
    """Take the axes that ensure_4d() added to a tensor of rank `n_dims` away again."""
    if n_dims == 2:
        return x[:, 0, 0, :]
    if n_dims == 3:
        return x[:, :, 0, :]
    return x


def gin_register_keras_layers():
    """Make every Keras layer reachable from gin as `tf.keras.layers.<Name>`.

    Also `tf.keras.Sequential`, and `nn.Dense`. Runs when this package is imported; calling it
    again does nothing.
    """
    for name in sorted(dir(keras.layers)):
        layer = getattr(keras.layers, name)
        if isinstance(layer, type) and hasattr(layer, "variables"):
            _register_once(layer, name, "tf.keras.layers")
    _register_once(keras.Sequential, "Sequential", "tf.keras")
    _register_once(Dense, "Dense", "dlwa.ddsp.training.nn")


def _register_once(thing, name, module):
    # gin refuses a name twice; a reloaded notebook cell must not fail on that.
    with contextlib.suppress(ValueError):
        gin.register(name, module=module)(thing)
