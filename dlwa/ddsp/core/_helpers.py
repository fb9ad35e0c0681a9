"""Small tools for tensors and nested dictionaries."""

import numpy as np
import tensorflow as tf


def tf_float32(x):
    """Return `x` as a float32 tensor."""
    if tf.is_tensor(x):  # variables too
        return tf.cast(x, dtype=tf.float32)
    return tf.convert_to_tensor(x, tf.float32)


def make_iterable(x):
    """Wrap anything that is not a collection into a list; None is an empty list.

    Arrays and tensors count as one thing.
    """
    if x is None:
        return []
    if isinstance(x, np.ndarray | tf.Tensor) or tf.is_tensor(x):
        return [x]
    return x if hasattr(x, "__iter__") else [x]


def to_dict(x, keys):
    """Pair values with names; a dictionary passes unchanged.

    Raises:
        ValueError: if there are not as many values as keys.
    """
    if isinstance(x, dict):
        return x
    values = list(make_iterable(x))
    if len(values) != len(keys):
        raise ValueError(f"keys={list(keys)} must be as many as the values: {len(values)}")
    return dict(zip(keys, values, strict=True))


def copy_if_tf_function(x):
    """Return a shallow copy while a tf.function is traced, else the object itself."""
    return x.copy() if not tf.executing_eagerly() else x


def nested_keys(nested_dict, delimiter="/", prefix=""):
    """List the paths of all leaves of a nested dictionary, in order.

    As in the reference, levels below the first are joined by '/' whatever `delimiter` is.
    """
    paths = []
    for key, value in nested_dict.items():
        path = key if not prefix else f"{prefix}{delimiter}{key}"
        paths += nested_keys(value, prefix=path) if isinstance(value, dict) else [path]
    return paths


def nested_lookup(nested_key, nested_dict, delimiter="/"):
    """Follow a path such as 'harmonic/signal' into nested dictionaries.

    Raises:
        KeyError: if a step of the path is missing; the message lists what is there.
    """
    value = nested_dict
    for key in nested_key.split(delimiter):
        if not isinstance(value, dict) or key not in value:
            present = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
            raise KeyError(f"{key!r} of the path {nested_key!r} is missing; present: {present}")
        value = value[key]
    return value


def leaf_key(nested_key, delimiter="/"):
    """Return the last part of a path."""
    return nested_key.split(delimiter)[-1]


def map_shape(x):
    """Replace each tensor of a nested structure by the list of its dimensions."""
    return tf.nest.map_structure(lambda t: list(tf.convert_to_tensor(t).shape), x)


def pad_axis(x, padding=(0, 0), axis=0, **pad_kwargs):
    """Pad one axis of a tensor by (before, after); further arguments go to tf.pad."""
    n_dims = len(x.shape)
    paddings = [[0, 0] for _ in range(n_dims)]
    paddings[axis] = list(padding)
    return tf.pad(x, paddings, **pad_kwargs)


def diff(x, axis=-1):
    """Differences of neighbours along an axis, one element shorter.

    Raises:
        ValueError: if the tensor has no such axis.
    """
    n_dims = len(x.shape)
    if axis >= n_dims or axis < -n_dims:
        raise ValueError(f"axis={axis} must be below the rank of x, shape {tuple(x.shape)}")
    axis %= n_dims
    later = [slice(None)] * axis + [slice(1, None)]
    earlier = [slice(None)] * axis + [slice(None, -1)]
    return x[tuple(later)] - x[tuple(earlier)]


def batch_size(x):
    """Size of the first axis: a number where it is known, else a tensor."""
    return x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
