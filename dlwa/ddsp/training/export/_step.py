"""Playing frame by frame with everything that is remembered in one vector.

Only products, sums and elementwise functions, so that the smallest interpreters can run it.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from dlwa.ddsp import core
from dlwa.ddsp.timbre_transfer import scaled_features
from dlwa.ddsp.training.export._parts import ExportError, parts_of

__all__ = ["Step", "can_stream"]


def can_stream(played):
    """Whether a model works frame by frame: it carries a state and listens to no recording."""
    return bool(played.state_size) and played.model.encoder is None


@dataclass(frozen=True)
class Layout:
    """What a state holds, in this order: name -> size."""

    sizes: dict

    @property
    def total(self):
        """Numbers in a state."""
        return sum(self.sizes.values())

    def split(self, state):
        """Vector -> dictionary of vectors."""
        parts = tf.split(state, list(self.sizes.values()))
        return dict(zip(self.sizes, parts, strict=True))

    def join(self, parts):
        """Dictionary of vectors -> vector."""
        return tf.concat([tf.reshape(parts[name], [size]) for name, size in self.sizes.items()], 0)


class Step:
    """One frame of pitch and loudness in; its controls and one frame of sound out.

    The sound lies `delay_frames` behind, because a frame is played towards its successor and a
    filter needs what follows. The room is not in it.

    Raises:
        ExportError: if the model does not work frame by frame.
    """

    def __init__(self, played):
        if not played.state_size:
            name = type(played.model.decoder).__name__
            raise ExportError(
                f"the decoder {name} carries no state from frame to frame, so it cannot stream",
                "export it as savedmodel or bundle",
                exit_code=2,
            )
        if played.model.encoder is not None:
            raise ExportError(
                "this model listens to a recording (it has an encoder), so it cannot stream",
                "export it as savedmodel or bundle",
                exit_code=2,
            )
        self.played, self.parts = played, parts_of(played)
        sizes = dict(played.model.decoder.output_splits)
        self._n_harmonics = sizes[self.parts.harmonic_keys[1]]
        n_bands = sizes[self.parts.noise_keys[0]]
        # The response is linear in the magnitudes: that of each band alone makes it a product.
        bands = core.frequency_impulse_response(
            tf.eye(n_bands)[tf.newaxis], self.parts.noise.window_size
        )
        self._responses = np.asarray(bands[0])
        self._measure()

    def _measure(self):
        hop, taps = self.played.hop_size, self._responses.shape[1]
        filter_delay = max(0, (taps - 1) // 2 - 1)
        self.delay_frames = max(1, -(-filter_delay // hop))
        self._noise_at = self.delay_frames * hop - filter_delay
        self.layout = Layout(
            {
                "decoder": self.played.state_size,
                "begun": 1,
                "f0_hz": 1,
                "partials": self._n_harmonics,
                "cycles": 1,
                "tone": (self.delay_frames - 1) * hop,
                "noise": self._noise_at + taps - 1,
            }
        )

    def controls(self, f0_hz, loudness_db, decoder_state):
        """What the model makes of one frame.

        Args:
            f0_hz: `[1]`.
            loudness_db: `[1]`.
            decoder_state: `[state_size]`, zeros at first.

        Returns:
            (amplitudes `[1]`, harmonic_distribution `[n_harmonics]`, magnitudes `[n_bands]`,
            next decoder state).
        """
        frame = [1, 1, 1]
        features = scaled_features(tf.reshape(f0_hz, frame), tf.reshape(loudness_db, frame), None)
        decoded, state = self._decode(features, tf.reshape(decoder_state, [1, -1]))
        features.update(decoded)
        tone = self.parts.harmonic.get_controls(
            *[features[key] for key in self.parts.harmonic_keys]
        )
        noise = self.parts.noise.get_controls(*[features[key] for key in self.parts.noise_keys])
        return (
            tf.reshape(tone["amplitudes"], [1]),
            tf.reshape(tone["harmonic_distribution"], [-1]),
            tf.reshape(noise["magnitudes"], [-1]),
            tf.reshape(state, [-1]),
        )

    def _decode(self, features, state):
        """The decoder with its recurrent cell called once: no loop in the graph."""
        decoder = self.played.model.decoder
        keys = [key for key in decoder.input_keys if key != "state"]
        stacked = [
            stack(features[key]) for stack, key in zip(decoder.input_stacks, keys, strict=True)
        ]
        x = tf.concat(stacked, axis=-1)[:, 0]
        is_lstm = decoder.rnn.rnn_type == "lstm"
        states = tf.split(state, 2, axis=-1) if is_lstm else [state]
        y, states = decoder.rnn.rnn.cell(x, states)
        states = states if isinstance(states, list | tuple) else [states]
        out = decoder.out_stack(tf.concat([*stacked, y[:, tf.newaxis]], axis=-1))
        out = decoder.dense_out(out)
        sizes = [size for _, size in decoder.output_splits]
        names = [name for name, _ in decoder.output_splits]
        return dict(zip(names, tf.split(out, sizes, -1), strict=True)), tf.concat(states, -1)

    def __call__(self, f0_hz, loudness_db, noise, state):
        """Play one frame.

        Args:
            f0_hz: `[1]`.
            loudness_db: `[1]`.
            noise: `[hop_size]` white noise from -1 to 1; zeros for the tone alone.
            state: `[state_size]`, zeros before the first frame.

        Returns:
            Dictionary audio `[hop_size]`, the controls, state `[state_size]`.
        """
        before = self.layout.split(state)
        amplitudes, distribution, magnitudes, decoder = self.controls(
            f0_hz, loudness_db, before["decoder"]
        )
        partials = amplitudes * distribution
        tone, cycles = self._tone(before, f0_hz, partials)
        filtered = self._filter(noise, magnitudes)
        hop = self.played.hop_size
        waiting = tf.concat([before["tone"], tone], 0)
        ringing = tf.concat([before["noise"], tf.zeros([hop])], 0)
        ringing += tf.concat([tf.zeros([self._noise_at]), filtered], 0)
        after = {
            "decoder": decoder,
            "begun": tf.ones([1]),
            "f0_hz": f0_hz,
            "partials": partials,
            "cycles": cycles,
            "tone": waiting[hop:],
            "noise": ringing[hop:],
        }
        return {
            "audio": waiting[:hop] + ringing[:hop],
            "amplitudes": amplitudes,
            "harmonic_distribution": distribution,
            "magnitudes": magnitudes,
            "state": self.layout.join(after),
        }

    def _tone(self, before, f0_hz, partials):
        """From the frame before to this one; silence before the first, which begins at phase 0."""
        module, hop = self.parts.harmonic, self.played.hop_size
        rate, j = float(module.sample_rate), np.arange(hop, dtype=np.float32)
        was, slope = before["f0_hz"], (f0_hz - before["f0_hz"]) / hop
        frequency = was + slope * j
        cycles = before["cycles"] + (was * (j + 1.0) + slope * (j * (j + 1.0) / 2.0)) / rate
        end = before["cycles"] + (was * hop + slope * (hop * (hop - 1) / 2.0)) / rate
        k = np.arange(1, self._n_harmonics + 1, dtype=np.float32)
        cycles = cycles - tf.floor(cycles)
        turns = cycles[:, tf.newaxis] * k
        waves = tf.sin(2.0 * np.pi * (turns - tf.floor(turns)))
        heard = tf.cast(frequency[:, tf.newaxis] * k < rate / 2.0, tf.float32)
        weights = _fade(hop, module.amp_resample_method)[:, np.newaxis]
        levels = before["partials"] * (1.0 - weights) + partials * weights
        audio = tf.reduce_sum(waves * heard * levels, axis=1)
        return audio * before["begun"], (end - tf.floor(end)) * before["begun"]

    def _filter(self, noise, magnitudes):
        """Convolution as an outer product summed along its diagonals: `[hop + taps - 1]`."""
        hop, taps = self.played.hop_size, self._responses.shape[1]
        response = tf.reshape(tf.matmul(magnitudes[tf.newaxis], self._responses), [1, taps])
        products = tf.pad(noise[:, tf.newaxis] * response, [[0, 0], [0, hop]])
        flat = tf.reshape(products, [hop * (hop + taps)])[: hop * (hop + taps - 1)]
        return tf.reduce_sum(tf.reshape(flat, [hop, hop + taps - 1]), axis=0)


def _fade(hop, method):
    """How much of the next frame's amplitudes each sample has, `[hop]`."""
    there = np.arange(hop) / hop
    if method == "window":
        there = 0.5 - 0.5 * np.cos(np.pi * there)
    return there.astype(np.float32)
