"""Playing a whole piece of any length, as one graph."""

import tensorflow as tf

from dlwa.ddsp import core, processors
from dlwa.ddsp.timbre_transfer import scaled_features
from dlwa.ddsp.training.export._parts import parts_of

__all__ = ["Whole", "decode"]


def decode(played, f0_hz, loudness_db, z=None):
    """What the decoder makes of a whole piece `[1, n_frames, 1]`, with what it was given."""
    features = scaled_features(f0_hz, loudness_db, z)
    if played.state_size:
        features["state"] = tf.zeros([1, played.state_size])
    decoded = dict(played.model.decoder(features))
    decoded.pop("state", None)
    return {**features, **decoded}


class Whole:
    """Pitch and loudness of a piece in, its sound and controls out.

    The same numbers as the model's own call, but the graph has no length.
    """

    def __init__(self, played):
        self._played = played
        self._parts = parts_of(played)

    def __call__(self, f0_hz, loudness_db, seed, z=None):
        """Play.

        Args:
            f0_hz: `[n_frames]`.
            loudness_db: `[n_frames]`.
            seed: which noise is drawn, an integer.
            z: `[n_frames, z_dims]`, for models with an encoder.

        Returns:
            Dictionary audio `[n_frames * hop_size]`, amplitudes `[n_frames]`,
            harmonic_distribution `[n_frames, n_harmonics]`, magnitudes `[n_frames, n_bands]`.
        """
        f0_hz, loudness_db = (
            f0_hz[tf.newaxis, :, tf.newaxis],
            loudness_db[tf.newaxis, :, tf.newaxis],
        )
        z = None if z is None else z[tf.newaxis]
        features = decode(self._played, f0_hz, loudness_db, z)
        parts = self._parts
        harmonic = parts.harmonic.get_controls(*[features[key] for key in parts.harmonic_keys])
        noise = parts.noise.get_controls(*[features[key] for key in parts.noise_keys])
        with core.noise_seed(seed):
            audio = self._signal(harmonic, noise["magnitudes"])
        return {
            "audio": audio[0],
            "amplitudes": harmonic["amplitudes"][0, :, 0],
            "harmonic_distribution": harmonic["harmonic_distribution"][0],
            "magnitudes": noise["magnitudes"][0],
        }

    def _signal(self, harmonic, magnitudes):
        group, signals = self._parts.group, {}
        for node in group.dag:
            name, module = node[0], getattr(group, node[0])
            if module is self._parts.harmonic:
                signals[name] = self._tone(harmonic)
            elif module is self._parts.noise:
                signals[name] = self._filtered_noise(magnitudes)
            else:
                inputs = [signals[key.split("/")[0]] for key in node[1]]
                signals[name] = _run(module, inputs)
        return signals[group.dag[-1][0]]

    def _tone(self, controls):
        """Every frame towards its successor, all at once: the frames are the batch."""
        module, hop = self._parts.harmonic, self._played.hop_size
        amplitudes = controls["amplitudes"] * controls["harmonic_distribution"]
        pitch, amplitudes = _pairs(controls["f0_hz"][0]), _pairs(amplitudes[0])

        def play(start):
            return core.harmonic_block(
                pitch, amplitudes, hop, module.sample_rate, module.amp_resample_method, start
            )

        _, cycles = play(tf.zeros(tf.shape(pitch)[:1], tf.float64))
        starts = tf.cumsum(cycles, exclusive=True)
        audio, _ = play(starts - tf.floor(starts))
        return tf.reshape(audio, [1, -1])

    def _filtered_noise(self, magnitudes):
        n_samples = tf.shape(magnitudes)[1] * self._played.hop_size
        noise = core.uniform_noise(tf.stack([1, n_samples]))
        return core.frequency_filter(noise, magnitudes, self._parts.noise.window_size)


def _pairs(x):
    """`[n, channels]` -> `[n, 2, channels]`: each frame and its successor, the last one twice."""
    return tf.stack([x, tf.concat([x[1:], x[-1:]], axis=0)], axis=1)


def _run(module, inputs):
    if isinstance(module, processors.Crop):
        return inputs[0]  # it takes off frames that are not made here
    return module.get_signal(**module.get_controls(*inputs))
