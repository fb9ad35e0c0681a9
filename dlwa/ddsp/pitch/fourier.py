"""Convolution with long kernels as products of spectra.

The layers of CREPE convolve few positions (128, 64 ... 8) with kernels of 64 taps. In the frequency
domain each bin is one small matrix product, and so short a transform is a matrix product too. The
second layer of the full network then needs 77 million multiplications a frame instead of 1074.
"""

import numpy as np
import tensorflow as tf


class FourierConv1d:
    """What ``tf.nn.conv1d(x, kernel, 1, "SAME")`` computes, for inputs of one fixed length.

    ``kernel`` is `[taps, channels_in, channels_out]`; call it with `[batch, length, channels_in]`
    in the type ``dtype``, get `[batch, length, channels_out]`.

    Example:
        >>> smooth = FourierConv1d(np.ones([3, 1, 1]), length=4)
        >>> np.round(smooth(tf.ones([1, 4, 1]))[0, :, 0]).tolist()
        [2.0, 3.0, 3.0, 2.0]
    """

    def __init__(self, kernel: np.ndarray, length: int, dtype: tf.DType = tf.float32):
        before = (len(kernel) - 1) // 2  # zeros that "SAME" puts in front
        never_met = max(0, before - length + 1)  # taps that only ever touch these zeros
        kernel, before = kernel[never_met : before + length], before - never_met
        self._length, (_, self._n_in, self._n_out) = length, kernel.shape
        n_fft = fft_length(length + max(before, len(kernel) - 1 - before))
        self._n_bins = n_fft // 2 + 1
        self._forward = tf.constant(_forward(n_fft, np.arange(length)), dtype)
        self._inverse = tf.constant(_inverse(n_fft, length), dtype)
        self._kernel = tf.constant(_kernel_spectrum(kernel, before, n_fft), dtype)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Convolve `[batch, length, channels_in]`."""
        batch, n_bins, n_in, n_out = tf.shape(x)[0], self._n_bins, self._n_in, self._n_out
        positions = tf.reshape(tf.transpose(x, [1, 0, 2]), [self._length, -1])
        # The real and the imaginary part of a bin lie below each other, as if twice the batch.
        spectrum = tf.reshape(tf.matmul(self._forward, positions), [n_bins, 2 * batch, n_in])
        products = tf.reshape(tf.matmul(spectrum, self._kernel), [n_bins, 2, batch, 2, n_out])
        real = products[:, 0, :, 0] - products[:, 1, :, 1]
        imaginary = products[:, 0, :, 1] + products[:, 1, :, 0]
        bins = tf.reshape(tf.stack([real, imaginary], 1), [2 * n_bins, -1])
        y = tf.reshape(tf.matmul(self._inverse, bins), [self._length, batch, n_out])
        return tf.transpose(y, [1, 0, 2])


def fft_length(at_least: int) -> int:
    """The smallest even length of factors 2 and at most one 3 that is long enough.

    Example:
        >>> [fft_length(n) for n in (16, 17, 100, 191)]
        [16, 24, 128, 192]
    """
    lengths = (factor * 2**power for power in range(1, 14) for factor in (1, 3))
    return min(length for length in lengths if length >= at_least)


def _forward(n_fft: int, times: np.ndarray) -> np.ndarray:
    """Real and imaginary rows of the Fourier transform, interleaved: `[2 * n_bins, n_times]`."""
    angles = 2 * np.pi * np.outer(np.arange(n_fft // 2 + 1), times) / n_fft
    return np.stack([np.cos(angles), -np.sin(angles)], 1).reshape(-1, len(times))


def _inverse(n_fft: int, length: int) -> np.ndarray:
    """From interleaved bins back to the first positions: `[length, 2 * n_bins]`."""
    both_sides = np.full(n_fft // 2 + 1, 2.0)
    both_sides[[0, -1]] = 1.0
    return _forward(n_fft, np.arange(length)).T * np.repeat(both_sides, 2) / n_fft


def _kernel_spectrum(kernel: np.ndarray, before: int, n_fft: int) -> np.ndarray:
    """Spectrum of a kernel `[n_bins, channels_in, 2 * channels_out]`, real parts first.

    Networks correlate: position p meets tap j at p + j - before.
    """
    taps, n_in, n_out = kernel.shape
    rows = _forward(n_fft, before - np.arange(taps)).astype(np.float32)
    spectrum = (rows @ kernel.reshape(taps, -1).astype(np.float32)).reshape(-1, 2, n_in, n_out)
    return np.concatenate([spectrum[:, 0], spectrum[:, 1]], -1)
