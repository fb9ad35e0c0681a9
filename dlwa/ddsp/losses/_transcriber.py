"""A hidden Markov model that hears notes in a pitch curve."""

import math

import gin
import numpy as np
import tensorflow as tf

from dlwa.ddsp import core

from ._base import Loss


@gin.register(module="dlwa.ddsp.losses")
class HmmTranscriber(Loss):
    """How likely a pitch and amplitude curve is to be a sequence of held notes.

    Hidden state 0 is silence, state j the note with MIDI pitch j. Forward and Viterbi algorithms as
    in Rabiner 1989.

    Args:
        avg_length: average frames a state is held.
        midi_std: how far the pitch strays from the note, in semitones.
        amps_on_center: typical amplitude of a note.
        amps_on_scale: its spread.
        amps_off_center: typical amplitude of silence.
        amps_off_scale: its spread.
        n_timesteps: frames, as the reference's signature has it; any number works.
        n_pitches: states.
        weight: factor.

    Example:
        >>> pitch = [[[60.1], [59.9], [60.0], [30.0], [30.0], [30.0]]]
        >>> amps = [[[1.5], [1.4], [1.5], [0.0], [0.0], [0.0]]]
        >>> HmmTranscriber().predict_midi(pitch, amps)[0, :, 0].numpy().tolist()
        [60.0, 60.0, 60.0, 0.0, 0.0, 0.0]
    """

    def __init__(
        self,
        avg_length=200,
        midi_std=0.5,
        amps_on_center=1.5,
        amps_on_scale=0.5,
        amps_off_center=0.0,
        amps_off_scale=0.1,
        n_timesteps=1000,
        n_pitches=128,
        weight=1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        core.check_whole("n_pitches", n_pitches, least=2)
        if not avg_length > 1:
            raise ValueError(f"avg_length={avg_length} must be more than 1 frame")
        for name, value in {
            "midi_std": midi_std,
            "amps_on_scale": amps_on_scale,
            "amps_off_scale": amps_off_scale,
        }.items():
            core.check_positive(name, value)
        self.weight = weight
        self.n_timesteps = n_timesteps
        self.n_pitches = n_pitches
        silence = [n_pitches / 2.0], [float(n_pitches)], [amps_off_center], [amps_off_scale]
        notes = np.arange(1, n_pitches, dtype=np.float32)
        ones = np.ones_like(notes)
        played = notes, midi_std * ones, amps_on_center * ones, amps_on_scale * ones
        self._emission = [
            tf.constant(np.concatenate([s, p]), tf.float32)
            for s, p in zip(silence, played, strict=True)
        ]
        stay = 1.0 - 1.0 / avg_length
        transitions = np.full([n_pitches, n_pitches], (1.0 - stay) / (n_pitches - 1))
        np.fill_diagonal(transitions, stay)
        transitions /= transitions.sum(axis=1, keepdims=True)
        self._log_transitions = tf.constant(np.log(transitions), tf.float32)

    def _log_emissions(self, pitch, amps):
        """`[batch, n_frames, n_pitches]` from curves `[batch, n_frames, 1]`."""
        centers, scales, amp_centers, amp_scales = self._emission
        pitch, amps = core.tf_float32(pitch), core.tf_float32(amps)
        core.check_layout("pitch", pitch, "[batch, n_frames, 1]")
        core.check_layout("amps", amps, "[batch, n_frames, 1]")
        core.check_agree(("batch", "n_frames"), pitch=pitch, amps=amps)
        return _log_normal(pitch, centers, scales) + _log_normal(amps, amp_centers, amp_scales)

    def call(self, pitch, amps):
        """The weighted negative log likelihood a frame, scalar; arguments as nll."""
        return self.nll(pitch, amps)

    def nll(self, pitch, amps, per_example_loss=False):
        """Negative log likelihood a frame.

        Args:
            pitch: MIDI `[batch, n_frames, 1]`.
            amps: `[batch, n_frames, 1]`.
            per_example_loss: `[batch]` instead of their mean.

        Raises:
            ValueError: if shapes do not fit each other.
        """
        emissions = tf.transpose(self._log_emissions(pitch, amps), [1, 0, 2])
        first = emissions[0] - math.log(self.n_pitches)

        def step(alpha, emission):
            moved = tf.reduce_logsumexp(alpha[:, :, tf.newaxis] + self._log_transitions, axis=1)
            return moved + emission

        last = tf.foldl(step, emissions[1:], initializer=first)
        n_frames = tf.cast(tf.shape(emissions)[0], tf.float32)
        nll = -self.weight * tf.reduce_logsumexp(last, axis=-1) / n_frames
        return nll if per_example_loss else tf.reduce_mean(nll)

    def predict_midi(self, pitch, amps, channel_dim=True, dtype=tf.float32):
        """The most likely notes `[batch, n_frames, 1]` (Viterbi); 0 is silence."""
        emissions = np.asarray(self._log_emissions(pitch, amps))
        transitions = np.asarray(self._log_transitions)
        n_batch, n_frames, _ = emissions.shape
        score = emissions[:, 0] - math.log(self.n_pitches)
        came_from = np.zeros(emissions.shape, dtype=np.int32)
        for t in range(1, n_frames):
            moves = score[:, :, np.newaxis] + transitions
            came_from[:, t] = np.argmax(moves, axis=1)
            score = np.max(moves, axis=1) + emissions[:, t]
        states = np.zeros([n_batch, n_frames], dtype=np.int32)
        states[:, -1] = np.argmax(score, axis=-1)
        rows = np.arange(n_batch)
        for t in range(n_frames - 1, 0, -1):
            states[:, t - 1] = came_from[rows, t, states[:, t]]
        notes = tf.cast(states, dtype)
        return notes[..., tf.newaxis] if channel_dim else notes

    def straight_through(self, x, x_quant):
        """The value of `x_quant` with the gradient of `x`."""
        return x + tf.stop_gradient(x_quant - x)


def _log_normal(x, center, scale):
    return -0.5 * ((x - center) / scale) ** 2 - tf.math.log(scale * math.sqrt(2.0 * math.pi))
