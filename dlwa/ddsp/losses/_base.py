"""What every loss can do, and groups of losses."""

import inspect

import gin
import keras
import tensorflow as tf

from dlwa.ddsp import core, dags

LOSS_TYPES = ("L1", "L2", "COSINE")


class Loss(keras.layers.Layer):
    """A number that says how far a model is from what it should be.

    Subclasses define call(*tensors) -> scalar. Always float32.

    Example:
        >>> class Quiet(Loss):
        ...     def call(self, audio):
        ...         return tf.reduce_mean(audio**2)
        >>> {name: float(value) for name, value in Quiet(name="quiet").get_losses_dict(2.0).items()}
        {'quiet': 4.0}
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", "autocast": False, **kwargs})

    def __call__(self, *args, **kwargs):
        """The loss; arguments as call()."""
        # Not by way of keras.layers.Layer, which would bury the message of an error in its own.
        taken = inspect.signature(self.call).parameters
        for name in ("training", "mask"):
            if name not in taken:
                kwargs.pop(name, None)
        self.built = True
        return self.call(*args, **kwargs)

    def get_losses_dict(self, *args, **kwargs):
        """The loss under its name: `{name: value}`."""
        return {self.name: self(*args, **kwargs)}


@gin.register(module="dlwa.ddsp.losses")
class LossGroup(dags.DAGLayer):
    """Losses that find what they compare in a dictionary of outputs.

    Args:
        dag: list of `[loss or its keyword, [input keys]]`, see dags.DAGLayer.
        **kwarg_losses: losses that nodes refer to by keyword.

    Example:
        >>> group = LossGroup([[ParamLoss(name="pitch"), ["guessed", "notes/played"]]])
        >>> told = group({"guessed": [60.0, 62.0], "notes": {"played": [60.0, 64.0]}})
        >>> {name: float(value) for name, value in told.items()}
        {'pitch': 1.0}
    """

    def __init__(self, dag, **kwarg_losses):
        super().__init__(dag, **kwarg_losses)

    def __call__(self, outputs, **kwargs):
        """All losses by their names, `{name: value}`."""
        results = self.run_dag(outputs, **kwargs)
        losses = {}
        for name in self.module_names:
            losses.update(results.get(name) or {})
        return losses

    def get_losses_dict(self, outputs, **kwargs):
        """The same, under the name every loss has for it."""
        return self(outputs, **kwargs)

    @property
    def losses(self):
        """The loss objects, in the order of loss_names."""
        return self.modules

    @property
    def loss_names(self):
        """Names of the losses in the group."""
        return self.module_names


def mean_difference(target, value, loss_type="L1", weights=None):
    """Average difference of two tensors.

    Args:
        target: of any shape.
        value: the same shape.
        loss_type: 'L1' mean |difference|, 'L2' mean difference squared, 'COSINE' one minus the
            cosine of the angle along the last axis, averaged. Upper or lower case.
        weights: factor of each difference, broadcast to the shape.

    Returns:
        Scalar, float32 (float64 if the target or the value is).

    Raises:
        ValueError: if the loss type is unknown, the shapes differ or the weights do not fit.

    Example:
        >>> float(mean_difference([1.0, 2.0], [1.0, 4.0], "L2"))
        2.0
    """
    check_loss_type(loss_type)
    kind = loss_type.upper()
    target, value = _precise(target, value)
    check_same_shape(target=target, value=value)
    weights = 1.0 if weights is None else _weights(weights, target)
    difference = target - value
    if kind == "L1":
        return tf.reduce_mean(tf.abs(difference * weights))
    if kind == "L2":
        return tf.reduce_mean(difference**2 * weights)
    directions = tf.math.l2_normalize(target, axis=-1), tf.math.l2_normalize(value, axis=-1)
    cosine = tf.reduce_sum(directions[0] * directions[1], axis=-1, keepdims=True)
    return tf.reduce_mean((1.0 - cosine) * weights)


def _precise(*tensors):
    """Tensors of one type: float64 if one of them is, else float32."""
    tensors = [x if hasattr(x, "dtype") else tf.convert_to_tensor(x) for x in tensors]
    dtype = tf.float64 if any(x.dtype == tf.float64 for x in tensors) else tf.float32
    return [tf.cast(x, dtype) for x in tensors]


def _weights(weights, target):
    weights = tf.cast(weights, target.dtype)
    try:
        wide = tf.broadcast_static_shape(weights.shape, target.shape)
    except ValueError:
        wide = None
    if wide is None or len(wide) != len(target.shape) or not wide.is_compatible_with(target.shape):
        raise ValueError(
            f"weights.shape={tuple(weights.shape)} must broadcast to target.shape="
            f"{tuple(target.shape)}"
        )
    return weights


def check_same_shape(**tensors):
    """Raise ValueError unless two tensors have the same shape."""
    (one, a), (two, b) = tensors.items()
    if not tf.TensorShape(a.shape).is_compatible_with(b.shape):
        raise ValueError(
            f"{one}.shape={tuple(a.shape)} and {two}.shape={tuple(b.shape)} must be the same"
        )
    if 0 in tuple(a.shape):
        raise ValueError(f"{one}.shape={tuple(a.shape)} must have something in it")


def check_loss_type(loss_type):
    """Raise ValueError unless mean_difference knows the type."""
    if not isinstance(loss_type, str) or loss_type.upper() not in LOSS_TYPES:
        raise ValueError(f"loss_type={loss_type!r} must be one of {list(LOSS_TYPES)}")


@gin.register(module="dlwa.ddsp.losses")
class ParamLoss(Loss):
    """Difference of two controls.

    Args:
        weight: factor.
        loss_type: see mean_difference.

    Example:
        >>> float(ParamLoss(weight=0.5, loss_type="L2")([1.0, 1.0], [1.0, 3.0]))
        1.0
    """

    def __init__(self, weight=1.0, loss_type="L1", **kwargs):
        super().__init__(**kwargs)
        check_loss_type(loss_type)
        self.weight = weight
        self.loss_type = loss_type

    def call(self, pred, target, weights=None):
        """Scalar; `pred` and `target` of the same shape."""
        return self.weight * mean_difference(
            core.tf_float32(pred), core.tf_float32(target), self.loss_type, weights
        )
