"""Convolution by spectra equals the direct one, in value and in slope."""

import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp.pitch.fourier import FourierConv1d, fft_length

pytestmark = pytest.mark.ddsp


def direct(x, kernel):
    """The sum itself, with the zeros that "SAME" puts around the input."""
    taps, length = len(kernel), x.shape[1]
    before = (taps - 1) // 2
    padded = np.pad(x.astype(np.float64), [[0, 0], [before, taps - 1 - before], [0, 0]])
    windows = np.stack([padded[:, p : p + taps] for p in range(length)], 1)
    return np.einsum("bptc,tco->bpo", windows, kernel)


@pytest.mark.parametrize("length", [1, 2, 8, 16, 33, 64, 128])
@pytest.mark.parametrize("taps", [1, 3, 64])
def test_equals_the_direct_sum(length, taps):
    random = np.random.default_rng(length * 100 + taps)
    x = random.standard_normal([3, length, 5])
    kernel = random.standard_normal([taps, 5, 7])
    y = FourierConv1d(kernel, length)(tf.constant(x, tf.float32))
    np.testing.assert_allclose(y, direct(x, kernel), atol=2e-5 * np.sqrt(5 * taps))


def test_bfloat16_stays_near():
    random = np.random.default_rng(0)
    x, kernel = random.standard_normal([2, 64, 32]), random.standard_normal([64, 32, 8])
    y = FourierConv1d(kernel, 64, tf.bfloat16)(tf.constant(x, tf.bfloat16))
    assert y.dtype == tf.bfloat16
    truth = direct(x, kernel)
    error = np.asarray(tf.cast(y, tf.float32)) - truth
    assert np.sqrt(np.mean(error**2)) < 0.015 * np.sqrt(np.mean(truth**2))


def test_gradients_are_those_of_the_direct_sum():
    random = np.random.default_rng(1)
    kernel = random.standard_normal([64, 4, 6]).astype(np.float32)
    x = tf.constant(random.standard_normal([2, 16, 4]), tf.float32)
    weights = tf.constant(random.standard_normal([2, 16, 6]), tf.float32)
    slopes = []
    for convolve in (FourierConv1d(kernel, 16), lambda x: tf.nn.conv1d(x, kernel, 1, "SAME")):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(weights * convolve(x))
        slopes.append(tape.gradient(loss, x))
    np.testing.assert_allclose(*slopes, atol=1e-4)


def test_lengths_are_even_and_long_enough():
    assert [fft_length(n) for n in (1, 3, 16, 17, 95, 97, 191)] == [2, 4, 16, 24, 96, 128, 192]
