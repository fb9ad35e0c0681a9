"""Synthetic notes made by ddsp_generate_synthetic_dataset."""

import gin
import tensorflow as tf

from ._records import RecordProvider

# Of the loudness that evaluation measures on their sound; the controls have n_timesteps frames.
_FRAME_RATE = 250


@gin.register(module="dlwa.ddsp.training.data")
class SyntheticNotes(RecordProvider):
    """Synthesizer controls of synthetic notes.

    An example holds f0_hz and harm_amp `[n_timesteps, 1]`; harm_dist, sin_amps and sin_freqs
    `[n_timesteps, n_harmonics]`; noise_magnitudes `[n_timesteps, n_mags]`.

    Args:
        n_timesteps: frames of an example.
        n_harmonics: harmonics and sinusoids.
        n_mags: bands of noise.
        file_pattern: pattern of the files.
        sample_rate: of the audio synthesized from them, in Hz.
    """

    def __init__(self, n_timesteps, n_harmonics, n_mags, file_pattern=None, sample_rate=16000):
        super().__init__(file_pattern, sample_rate, _FRAME_RATE)
        self.n_timesteps = n_timesteps
        self.n_harmonics = n_harmonics
        self.n_mags = n_mags

    @property
    def _channels(self):
        harmonics = dict.fromkeys(("harm_dist", "sin_amps", "sin_freqs"), self.n_harmonics)
        return {"f0_hz": 1, "harm_amp": 1, **harmonics, "noise_magnitudes": self.n_mags}

    @property
    def features_dict(self):
        """What an example holds, still flat."""
        return {
            name: tf.io.FixedLenFeature([self.n_timesteps * channels], tf.float32)
            for name, channels in self._channels.items()
        }

    def settings_said_by(self, lengths):
        """Frames, harmonics and bands the notes were made with."""
        frames = lengths.get("f0_hz") or 1
        names = {"n_harmonics": "harm_dist", "n_mags": "noise_magnitudes"}
        sizes = {key: lengths.get(name, 0) / frames for key, name in names.items()}
        return {"n_timesteps": frames, **sizes}

    def _finish(self, batch):
        return {
            name: tf.reshape(batch[name], [-1, self.n_timesteps, channels])
            for name, channels in self._channels.items()
        }
