"""Gradients held against finite differences in float64.

The library computes in float32, where a finite difference is mostly rounding. So each formula is
written a second time in NumPy with float64 (oracles), central differences are taken of that, and
our gradient, from automatic differentiation in float32, has to agree.
"""

import numpy as np


def agrees(ours, oracle, inputs, *, atol=1e-4, rtol=5e-3, wrt=None):
    """Assert that value and gradient of our function are those of the oracle.

    Args:
        ours: function of keyword arguments that returns one tensor.
        oracle: the same in NumPy.
        inputs: arrays by name.
        atol: how far values may differ.
        rtol: how far gradients may differ, of their largest element.
        wrt: names of the inputs to differentiate by; all by default.
    """
    import tensorflow as tf

    wrt = list(inputs) if wrt is None else wrt
    # Values as float32 has them, so that both sides see the same numbers.
    inputs = {name: np.asarray(x, np.float32).astype(float) for name, x in inputs.items()}
    tensors = {name: tf.constant(x, tf.float32) for name, x in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = ours(**tensors)
        mix = np.random.default_rng(1).normal(size=value.shape)
        total = tf.reduce_sum(value * tf.constant(mix, tf.float32))
    got = tape.gradient(total, {name: tensors[name] for name in wrt})
    expected = np.asarray(oracle(**inputs))
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected, atol=atol, rtol=1e-3)
    for name in wrt:
        slope = _differences(lambda x, name=name: oracle(**{**inputs, name: x}), inputs[name], mix)
        limit = rtol * max(np.abs(slope).max(), 1e-3)
        given = got[name]
        given = np.zeros_like(slope) if given is None else np.asarray(tf.convert_to_tensor(given))
        np.testing.assert_allclose(given, slope, atol=limit, err_msg=f"gradient by {name}")


def _differences(function, x, mix, step=1e-5):
    """Central differences of sum(mix * function), `x.shape`."""
    slope = np.zeros(x.size)
    for i in range(x.size):
        ends = []
        for sign in (1, -1):
            moved = x.copy().reshape(-1)
            moved[i] += sign * step * max(1.0, abs(moved[i]))
            ends.append(np.sum(mix * function(moved.reshape(x.shape))))
        slope[i] = (ends[0] - ends[1]) / (2 * step * max(1.0, abs(x.reshape(-1)[i])))
    return slope.reshape(x.shape)


def finite(function, *inputs):
    """Assert that value and gradients are finite; returns the gradients."""
    import tensorflow as tf

    tensors = [tf.constant(x, tf.float32) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = function(*tensors)
        total = tf.add_n([tf.reduce_sum(v) for v in tf.nest.flatten(value)])
    gradients = [tf.convert_to_tensor(g) for g in tape.gradient(total, tensors) if g is not None]
    assert gradients, "nothing depends on the inputs"
    for x in [total, *gradients]:
        assert np.isfinite(np.asarray(x)).all()
    return gradients
