"""The optimizer: Adam of the field's trainings, the same on one device and on several."""

import tensorflow as tf

__all__ = ["Adam"]

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7


class Adam:
    """Adam (Kingma and Ba 2015) with an exponentially decaying learning rate.

    Betas 0.9 and 0.999, epsilon 1e-7 outside the square root, bias-corrected. Gradients must be
    the same on all replicas.

    Args:
        learning_rate: at the start.
        decay_steps: steps in which the rate falls by decay_rate, continuously.
        decay_rate: see decay_steps.

    Attributes:
        iterations: updates done, an int64 variable.
        scale: factor of the rate, lowered after a failure.
    """

    def __init__(self, learning_rate, decay_steps, decay_rate):
        self._rate, self._decay_steps, self._decay_rate = learning_rate, decay_steps, decay_rate
        self.iterations = _counter(0, tf.int64, "iterations")
        self.scale = _counter(1.0, tf.float32, "learning_rate_scale")
        self.first_moments, self.second_moments = [], []

    def build(self, variables):
        """Make the moments of these variables."""
        self.first_moments = [_zeros_like(v, "m") for v in variables]
        self.second_moments = [_zeros_like(v, "v") for v in variables]

    @property
    def variables(self):
        """Everything that has to be saved: counter, scale, moments."""
        return [self.iterations, self.scale, *self.first_moments, *self.second_moments]

    def learning_rate(self):
        """The rate of the next update, a scalar tensor."""
        passed = tf.cast(self.iterations, tf.float32) / float(self._decay_steps)
        decay = tf.pow(tf.constant(self._decay_rate, tf.float32), passed)
        return self.scale * self._rate * decay

    def apply(self, gradients, variables):
        """One update of variables by gradients, in the same order as build() had them."""
        power = tf.cast(self.iterations + 1, tf.float32)
        corrections = tf.sqrt(1.0 - tf.pow(_BETA_2, power)), 1.0 - tf.pow(_BETA_1, power)
        rate = self.learning_rate() * corrections[0] / corrections[1]
        moments = zip(self.first_moments, self.second_moments, strict=True)
        for variable, gradient, (m, v) in zip(variables, gradients, moments, strict=True):
            if gradient is not None:
                _update(variable, tf.convert_to_tensor(gradient), m, v, rate)
        _increase(self.iterations, tf.constant(1, tf.int64))


def _update(variable, gradient, m, v, rate):
    # Handles, not assign(): inside a replica these are its own copies, and every replica does the
    # same. (The fused operation computes 1 - 0.999 in float32, which is 5e-5 off.)
    _increase(m, (gradient - m) * (1.0 - _BETA_1))
    _increase(v, (tf.square(gradient) - v) * (1.0 - _BETA_2))
    change = rate * m.read_value() / (tf.sqrt(v.read_value()) + _EPSILON)
    tf.raw_ops.AssignSubVariableOp(resource=variable.handle, value=change)


def _increase(variable, value):
    tf.raw_ops.AssignAddVariableOp(resource=variable.handle, value=value)


def _counter(value, dtype, name):
    return tf.Variable(
        tf.constant(value, dtype),
        trainable=False,
        name=name,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def _zeros_like(variable, name):
    return tf.Variable(tf.zeros(variable.shape, variable.dtype), trainable=False, name=name)
