"""What every operation says about a wrong argument, before it does any work.

Shapes are checked when a graph is built, values when they are known (eagerly, or as constants).
"""

import functools
import math
import numbers

import numpy as np
import tensorflow as tf


def _shape(x):
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def check_layout(name, x, *layouts):
    """Raise ValueError unless a tensor has the axes of one of the layouts, none of them empty.

    Args:
        name: what the argument is called.
        x: tensor or array.
        *layouts: such as '[batch, n_frames, 1]'; an axis spelt as a number has that size.
    """
    shape = _shape(x)
    if not any(_fits(shape, layout) for layout in layouts):
        raise ValueError(f"{name}.shape={shape} must be {' or '.join(layouts)}")
    if 0 in shape:
        raise ValueError(f"{name}.shape={shape} must be {layouts[0]} with something in it")


def _fits(shape, layout):
    axes = [axis.strip() for axis in layout.strip("[]").split(",")]
    return len(shape) == len(axes) and all(
        not axis.isdigit() or size in (None, int(axis))
        for size, axis in zip(shape, axes, strict=True)
    )


def check_agree(axes, **tensors):
    """Raise ValueError unless the first axes of all tensors are equal, 1 or unknown.

    Args:
        axes: their names, e.g. ('batch', 'n_frames').
        **tensors: the tensors by the names of the arguments.
    """
    shapes = {name: _shape(x) for name, x in tensors.items() if x is not None}
    for i, axis in enumerate(axes):
        if len({shape[i] for shape in shapes.values()} - {1, None}) > 1:
            told = " and ".join(f"{name}.shape={shape}" for name, shape in shapes.items())
            raise ValueError(f"{told} must agree in axis {i}, {axis}")


def check_broadcast(**tensors):
    """Raise ValueError unless tensors can be combined element by element."""
    shapes = {name: tf.TensorShape(_shape(x)) for name, x in tensors.items()}
    try:
        functools.reduce(tf.broadcast_static_shape, shapes.values())
    except ValueError:
        told = " and ".join(f"{name}.shape={tuple(shape)}" for name, shape in shapes.items())
        raise ValueError(f"{told} must be equal, or 1 where they differ") from None


def check_whole(name, value, least=1):
    """Raise ValueError unless a number (not a tensor) is a whole number of at least `least`."""
    if tf.is_tensor(value):
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}={value!r} must be a whole number")
    if not float(value).is_integer():
        raise ValueError(f"{name}={value!r} must be a whole number")
    if value < least:
        raise ValueError(f"{name}={value!r} must be a whole number of at least {least}")


def check_whole_frames(n_samples, amplitudes):
    """Raise ValueError unless the window method can stretch amplitudes to n_samples."""
    n_frames = amplitudes.shape[1]
    if not (isinstance(n_samples, int) and isinstance(n_frames, int)):
        return
    if n_samples % n_frames or n_samples <= n_frames:
        raise ValueError(
            f"n_samples={n_samples} must be a multiple, twofold at least, of "
            f"n_frames={n_frames}, from amplitudes.shape={tuple(amplitudes.shape)}, for the window "
            "method"
        )


def check_positive(name, value):
    """Raise ValueError unless a number (not a tensor) is above zero."""
    if tf.is_tensor(value):
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}={value!r} must be a number")
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}={value!r} must be positive and finite")


@tf.autograph.experimental.do_not_convert  # else its numbers become tensors
def check_hz(name, x, negative=False):
    """Raise ValueError if known frequencies are not finite or, unless allowed, below zero."""
    if tf.is_tensor(x) and hasattr(x, "numpy"):
        # Reduced where the tensor lies, so that only two numbers leave the device; outside of any
        # graph that is being built around it.
        with tf.init_scope():
            low, high = float(tf.reduce_min(x)), float(tf.reduce_max(x))
    else:
        known = tf.get_static_value(x)
        if known is None:
            return
        low, high = float(np.min(known)), float(np.max(known))
    bad = next((end for end in (low, high) if not math.isfinite(end)), None)
    if bad is not None:
        raise ValueError(f"{name}={bad} (somewhere in shape {_shape(x)}) must be finite")
    if not negative and low < 0.0:
        raise ValueError(
            f"{name}={low:g} (the lowest value of shape {_shape(x)}) must be 0 Hz or above"
        )
