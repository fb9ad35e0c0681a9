"""What every operation says about a wrong argument, before it does any work.

Shapes are checked when a graph is built, values when they are known (eagerly, or as constants).
"""

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


def check_whole(name, value, least=1):
    """Raise ValueError unless a number (not a tensor) is a whole number of at least `least`."""
    if tf.is_tensor(value):
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or value != int(value):
        raise TypeError(f"{name}={value!r} must be a whole number")
    if value < least:
        raise ValueError(f"{name}={value!r} must be a whole number of at least {least}")


def check_positive(name, value):
    """Raise ValueError unless a number (not a tensor) is above zero."""
    if tf.is_tensor(value):
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}={value!r} must be a number")
    if not value > 0:
        raise ValueError(f"{name}={value!r} must be positive")


def check_hz(name, x, negative=False):
    """Raise ValueError if known frequencies are not finite or, unless allowed, below zero."""
    known = tf.get_static_value(x)
    if known is None:
        return
    if not np.all(np.isfinite(known)):
        raise ValueError(f"{name} of shape {known.shape} must be finite; it holds NaN or infinity")
    if not negative and np.min(known, initial=0.0) < 0.0:
        raise ValueError(
            f"{name} of shape {known.shape} must be 0 Hz or above; its lowest is {np.min(known):g}"
        )
