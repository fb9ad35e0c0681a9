"""CREPE on batches of audio inside TensorFlow, for preprocessors that track pitch in a model."""

import numpy as np
import tensorflow as tf

from dlwa.ddsp.pitch.decoding import BIN_CENTS, N_BINS, transition_log_probs
from dlwa.ddsp.pitch.frames import FRAME_SIZE, PADDINGS
from dlwa.ddsp.pitch.network import get_network
from dlwa.ddsp.pitch.weights import SIZES

_EMISSION_GAIN = np.log((0.1 + 0.9 / N_BINS) / (0.9 / N_BINS))


class PretrainedCREPE:
    """A trained CREPE that gives the pitch of batches of 16 kHz audio.

    ``model_size_or_path`` is a size (tiny, small, medium, large, full) or the folder of a
    SavedModel that maps frames `[n, 1024]` to activations `[n, 360]`; ``hop_size`` is the distance
    of frames in samples.
    """

    def __init__(self, model_size_or_path: str, hop_size: int = 160, **kwargs):
        if hop_size < 1:
            raise ValueError(f"hop_size={hop_size} must be a positive integer")
        self.hop_size = int(hop_size)
        self.frame_size = FRAME_SIZE
        if model_size_or_path in SIZES:
            self._core = get_network(model_size_or_path, **kwargs)
        else:
            self._core = tf.saved_model.load(str(model_size_or_path))

    def __call__(self, frames: tf.Tensor) -> tf.Tensor:
        """Activations `[n, 360]` of normalised frames `[n, 1024]`."""
        return self._core(frames)

    def predict_f0_and_confidence(self, audio, viterbi: bool = False, padding: str = "center"):
        """Pitch of audio `[n]` or `[batch, n]`: f0_hz and confidence, each `[batch, n_frames]`."""
        audio = tf.convert_to_tensor(audio, tf.float32)
        audio = audio[tf.newaxis] if audio.shape.rank == 1 else audio
        frames = self.batch_frames(self._pad(audio, padding))
        acts = self(self.normalize_frames(frames))
        acts = tf.reshape(acts, [tf.shape(audio)[0], -1, N_BINS])
        centers = self.viterbi_decode(acts) if viterbi else None
        f0_hz, confidence = self.activations_to_f0_and_confidence(acts, centers)
        return f0_hz, confidence[..., 0]

    def batch_frames(self, audio) -> tf.Tensor:
        """Frames of `[batch, n]` stacked below each other `[batch * n_frames, 1024]`."""
        audio = tf.convert_to_tensor(audio, tf.float32)
        if audio.shape[-1] == FRAME_SIZE:
            return audio
        frames = tf.signal.frame(audio, FRAME_SIZE, self.hop_size)
        return tf.reshape(frames, [-1, FRAME_SIZE])

    def normalize_frames(self, frames) -> tf.Tensor:
        """Take the mean off each frame and divide by its standard deviation: `[n, 1024]`."""
        mean, variance = tf.nn.moments(tf.convert_to_tensor(frames), [-1], keepdims=True)
        deviation = tf.where(variance > 0.0, tf.sqrt(variance), 1e-8)
        return (frames - mean) / deviation

    @staticmethod
    def activations_to_f0_and_confidence(activations, centers=None):
        """Frequency and confidence of activations `[..., 360]`.

        The frequency is the weighted mean of ten bins around ``centers`` (the loudest bin by
        default), edge bins repeated; the confidence `[..., 1]` is the largest activation.
        """
        activations = tf.convert_to_tensor(activations)
        confidence = tf.reduce_max(activations, -1, keepdims=True)
        if centers is None:
            centers = tf.argmax(activations, -1, output_type=tf.int32)
        centers = tf.cast(centers, tf.int32)[..., tf.newaxis]
        bins = tf.clip_by_value(centers + tf.range(-4, 6), 0, N_BINS - 1)
        weights = tf.gather(activations, bins, batch_dims=activations.shape.rank - 1)
        cents = tf.gather(tf.constant(BIN_CENTS, tf.float32), bins)
        mean = tf.reduce_sum(weights * cents, -1) / tf.reduce_sum(weights, -1)
        f0_hz = 10.0 * 2.0 ** (mean / 1200.0)
        return tf.where(tf.math.is_nan(f0_hz), tf.zeros_like(f0_hz), f0_hz), confidence

    def create_hmm(self, num_steps: int | None = None) -> np.ndarray:
        """Log transition probabilities `[360, 360]` of the smooth paths ``viterbi_decode`` follows.

        They are the same at every step, so ``num_steps`` changes nothing.
        """
        return transition_log_probs(floor=1e-5)

    def viterbi_decode(self, acts) -> tf.Tensor:
        """Likeliest smooth path of bins `[batch, t]` through activations `[batch, t, 360]`."""
        path = tf.numpy_function(_decode_batch, [acts, self.create_hmm()], tf.int32)
        path.set_shape(tf.TensorShape(acts.shape[:-1]))
        return path

    def _pad(self, audio: tf.Tensor, padding: str) -> tf.Tensor:
        if padding not in PADDINGS:
            raise ValueError(f"padding={padding!r} must be one of {', '.join(PADDINGS)}")
        if padding == "valid":
            return audio
        if padding == "center":
            return tf.pad(audio, [[0, 0], [FRAME_SIZE // 2] * 2])
        n_samples = tf.shape(audio)[1]
        n_frames = -(-n_samples // self.hop_size)
        missing = (n_frames - 1) * self.hop_size + FRAME_SIZE - n_samples
        return tf.pad(audio, [[0, 0], [0, tf.maximum(missing, 0)]])


def _decode_batch(acts: np.ndarray, log_transitions: np.ndarray) -> np.ndarray:
    """Viterbi over all examples at once; the score of a state is its activation times ln 41."""
    gains = np.moveaxis(acts.astype(np.float64) * _EMISSION_GAIN, 1, 0)
    scores, origins = gains[0], []
    for gain in gains[1:]:
        moves = scores[:, :, None] + log_transitions
        origins.append(moves.argmax(1))
        scores = moves.max(1) + gain
    path = [scores.argmax(-1)]
    for origin in reversed(origins):
        path.append(np.take_along_axis(origin, path[-1][:, None], 1)[:, 0])
    return np.stack(path[::-1], 1).astype(np.int32)
