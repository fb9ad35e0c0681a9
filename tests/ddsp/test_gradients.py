"""The checks of gradients notice what they are for."""

import numpy as np
import pytest

from tests.ddsp import gradients

pytestmark = pytest.mark.ddsp
X = {"x": np.array([0.5, -1.5, 2.0])}


def test_a_lost_or_scaled_gradient_is_noticed():
    import tensorflow as tf

    gradients.agrees(lambda x: x**3, lambda x: x**3, X)
    with pytest.raises(AssertionError, match="gradient by x"):
        gradients.agrees(lambda x: tf.stop_gradient(x**3), lambda x: x**3, X)
    with pytest.raises(AssertionError, match="gradient by x"):
        gradients.agrees(lambda x: x**3 + 0.02 * (x**3 - tf.stop_gradient(x**3)), lambda x: x**3, X)
    with pytest.raises(AssertionError):
        gradients.agrees(lambda x: 1.01 * x**3, lambda x: x**3, X)


def test_what_is_no_number_is_noticed():
    import tensorflow as tf

    gradients.finite(lambda x: x**2, [0.0])
    with pytest.raises(AssertionError):
        gradients.finite(tf.sqrt, [0.0])
    with pytest.raises(AssertionError, match="nothing depends"):
        gradients.finite(lambda x: tf.constant(1.0), [0.0])
