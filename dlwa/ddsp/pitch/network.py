"""The CREPE network in TensorFlow: from frames of 1024 samples to 360 pitch activations.

Each of the six layers is convolution, ReLU, batch normalisation, max pooling by 2. Where the scale
of the normalisation is positive (all layers but the last of the full network) it is folded into
the convolution, because it then commutes with ReLU; the shift is added after the pooling. The
first convolution reads four samples at once, the others multiply spectra (see fourier.py).
"""

import functools

import numpy as np
import tensorflow as tf

from dlwa.ddsp.pitch.decoding import N_BINS
from dlwa.ddsp.pitch.fourier import FourierConv1d
from dlwa.ddsp.pitch.frames import FRAME_SIZE
from dlwa.ddsp.pitch.precision import resolve_precision
from dlwa.ddsp.pitch.weights import N_LAYERS, ConvLayer, load_weights

LAYER_NAMES = (
    *(f"conv{i}-{part}" for i in range(1, N_LAYERS + 1) for part in ("BN", "maxpool")),
    "classifier",
)
_FIRST_STRIDE = 4
# Activations of the widest layer, all frames of a batch together, in bytes: bounds the memory.
_BATCH_BYTES = 128 * 1024 * 1024


class CrepeNetwork:
    """CREPE with folded batch normalisation; call it with frames `[n, 1024]`, get `[n, 360]`.

    Frames must already be normalised (see ``normalize_frames``). The result is float32 whatever
    the precision inside.
    """

    def __init__(self, size: str = "full", precision: str = "float32"):
        self.size = size
        self.dtype = resolve_precision(precision)
        weights = load_weights(size)
        self._layers = [
            _fold(layer, number, self.dtype) for number, layer in enumerate(weights.layers)
        ]
        self._classifier = tf.constant(weights.classifier_kernel, self.dtype)
        self._classifier_bias = tf.constant(weights.classifier_bias)
        widest = weights.layers[0].kernel.shape[-1] * FRAME_SIZE // _FIRST_STRIDE
        self.batch_size = max(1, _BATCH_BYTES // (widest * self.dtype.size))

    @tf.function(input_signature=[tf.TensorSpec([None, FRAME_SIZE], tf.float32)], autograph=False)
    def __call__(self, frames: tf.Tensor) -> tf.Tensor:
        """Pitch activations 0...1 of normalised frames: `[n, 1024]` to `[n, 360]`."""
        return self.layer_output(frames, "classifier")

    def layer_output(self, frames: tf.Tensor, layer: str) -> tf.Tensor:
        """What a layer says about normalised frames: `[n, 1024]` to `[n, features]`, float32.

        ``layer`` is one of conv1-BN...conv6-BN (after normalisation), conv1-maxpool...
        conv6-maxpool, or classifier. Gradients flow back to the frames.
        """
        if layer not in LAYER_NAMES:
            raise ValueError(f"layer={layer!r} must be one of {', '.join(LAYER_NAMES)}")
        x = tf.cast(frames, self.dtype)
        for number, (convolve, bias, sign, shift) in enumerate(self._layers, start=1):
            x = tf.nn.relu(tf.nn.bias_add(convolve(x), bias))
            x = x if sign is None else x * sign
            if layer == f"conv{number}-BN":
                return _flat(x + shift)
            x = tf.nn.max_pool1d(x, 2, 2, "VALID") + shift
            if layer == f"conv{number}-maxpool":
                return _flat(x)
        x = tf.reshape(x, [-1, self._classifier.shape[0]])
        logits = tf.cast(tf.matmul(x, self._classifier), tf.float32) + self._classifier_bias
        return tf.sigmoid(logits)

    def in_batches(self, frames: np.ndarray) -> np.ndarray:
        """Activations of any number of raw frames, computed a bounded batch at a time."""
        out = np.empty([len(frames), N_BINS], np.float32)
        for start in range(0, len(frames), self.batch_size):
            part = frames[start : start + self.batch_size]
            out[start : start + len(part)] = self(normalize_frames(part))
        return out


def normalize_frames(frames: np.ndarray) -> np.ndarray:
    """Take the mean off each frame and divide by its standard deviation: `[n, 1024]`."""
    frames = frames - frames.mean(axis=1, keepdims=True)
    return frames / np.maximum(frames.std(axis=1, keepdims=True), 1e-8)


@functools.lru_cache(maxsize=4)
def get_network(size: str, precision: str = "float32") -> CrepeNetwork:
    """The network of this size and precision, built once and kept (see ``reset_crepe``)."""
    return CrepeNetwork(size, precision)


def reset_crepe() -> None:
    """Forget the CREPE networks kept in memory; the next call reads the weights again."""
    get_network.cache_clear()


class _FirstConv:
    """The first convolution, of stride 4, on samples taken four at a time: `[n, 1024]` -> 256."""

    def __init__(self, kernel: np.ndarray, dtype: tf.DType):
        taps, _, channels = kernel.shape
        self._pad = (taps - _FIRST_STRIDE) // 2
        fours = kernel.reshape(taps // _FIRST_STRIDE, _FIRST_STRIDE, channels)
        self._kernel = tf.constant(fours, dtype)

    def __call__(self, frames: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(frames, [[0, 0], [self._pad, self._pad]])
        fours = tf.reshape(
            padded, [-1, (FRAME_SIZE + 2 * self._pad) // _FIRST_STRIDE, _FIRST_STRIDE]
        )
        return tf.nn.conv1d(fours, self._kernel, 1, "VALID")


def _fold(layer: ConvLayer, number: int, dtype: tf.DType):
    """Convolution, bias, sign (None where all scales are positive) and shift of a layer."""
    size = np.abs(layer.scale)
    kernel, length = layer.kernel * size, FRAME_SIZE // _FIRST_STRIDE >> number
    return (
        FourierConv1d(kernel, length, dtype) if number else _FirstConv(kernel, dtype),
        tf.constant(layer.bias * size, dtype),
        None if np.all(layer.scale > 0) else tf.constant(np.sign(layer.scale), dtype),
        tf.constant(layer.shift, dtype),
    )


def _flat(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.reshape(x, [-1, x.shape[1] * x.shape[2]]), tf.float32)
