"""From stored features to what the networks see: common length, numbers around 0 to 1."""

import gin
import tensorflow as tf

from dlwa.ddsp import core, spectral_ops
from dlwa.ddsp.training import nn

__all__ = [
    "DB_RANGE",
    "F0_RANGE",
    "F0LoudnessPreprocessor",
    "F0PowerPreprocessor",
    "OnlineF0PowerPreprocessor",
    "at_least_3d",
    "inv_scale_db",
    "inv_scale_f0_hz",
    "scale_db",
    "scale_f0_hz",
]

DB_RANGE = core.DB_RANGE
F0_RANGE = spectral_ops.F0_RANGE

# What the preprocessors return, in this order; DictLayer reads the annotation of call().
_LOUDNESS_FEATURES = ["f0_hz", "loudness_db", "f0_scaled", "ld_scaled"]
_POWER_FEATURES = ["f0_hz", "pw_db", "f0_scaled", "pw_scaled"]
_ONLINE_FEATURES = [*_POWER_FEATURES, "f0_confidence"]

_register = gin.register(module="dlwa.ddsp.training.preprocessing")


def at_least_3d(x):
    """Add the missing batch and channel axes: `[t]` -> `[1, t, 1]`, `[b, t]` -> `[b, t, 1]`.

    A single number, and three axes or more, pass unchanged.
    """
    x = tf.convert_to_tensor(x)
    if len(x.shape) == 1:
        return x[tf.newaxis, :, tf.newaxis]
    return x[:, :, tf.newaxis] if len(x.shape) == 2 else x


def scale_db(db):
    """Decibels from -80 to 0 become numbers from 0 to 1."""
    return db / DB_RANGE + 1.0


def inv_scale_db(db_scaled):
    """Undo scale_db()."""
    return (db_scaled - 1.0) * DB_RANGE


def scale_f0_hz(f0_hz):
    """Frequencies become MIDI pitches from 0 to 127, divided by 127."""
    return core.hz_to_midi(f0_hz) / F0_RANGE


def inv_scale_f0_hz(f0_scaled):
    """Undo scale_f0_hz()."""
    return core.midi_to_hz(f0_scaled * F0_RANGE)


class _Resampling(nn.DictLayer):
    """Shared by the preprocessors that bring every feature to `time_steps` frames."""

    def resample(self, x):
        """Linear interpolation to `[batch, time_steps, 1]`."""
        return core.resample(at_least_3d(core.tf_float32(x)), self.time_steps)


@_register
class F0LoudnessPreprocessor(_Resampling):
    """Pitch and loudness, resampled to the model's frames and scaled for the networks.

    Args:
        time_steps: frames of the model.
        frame_rate: frames a second at which loudness is measured.
        sample_rate: of the audio, in Hz.
        compute_loudness: measure the loudness of `audio` anew and ignore `loudness_db`, as the
            reference does by default in training. Set it to False to play a model by its
            loudness.
    """

    def __init__(
        self, time_steps=1000, frame_rate=250, sample_rate=16000, compute_loudness=True, **kwargs
    ):
        super().__init__(**kwargs)
        self.time_steps = time_steps
        self.frame_rate = frame_rate
        self.sample_rate = sample_rate
        self.compute_loudness = compute_loudness

    def call(self, loudness_db, f0_hz, audio=None) -> _LOUDNESS_FEATURES:
        """Four features `[batch, time_steps, 1]`.

        Raises:
            ValueError: if the loudness is to be measured and there is no audio.
        """
        if self.compute_loudness:
            loudness_db = self._measure(audio)
        f0_hz = self.resample(f0_hz)
        loudness_db = self.resample(loudness_db)
        return f0_hz, loudness_db, scale_f0_hz(f0_hz), scale_db(loudness_db)

    def _measure(self, audio):
        if audio is None:
            raise ValueError(
                "compute_loudness=True needs 'audio' among the features; to use the given "
                "'loudness_db' set F0LoudnessPreprocessor.compute_loudness = False"
            )
        return spectral_ops.compute_loudness(
            core.tf_float32(audio), sample_rate=self.sample_rate, frame_rate=self.frame_rate
        )

    @staticmethod
    def invert_scaling(f0_scaled, ld_scaled):
        """Scaled features back to (f0_hz, loudness_db)."""
        return inv_scale_f0_hz(f0_scaled), inv_scale_db(ld_scaled)


@_register
class F0PowerPreprocessor(_Resampling):
    """Pitch and power (root mean square in dB), resampled and scaled.

    Args:
        time_steps: frames of the model.
        frame_rate: frames a second at which power is measured.
        sample_rate: of the audio, in Hz.
        frame_size: samples of one power frame.
    """

    def __init__(self, time_steps=1000, frame_rate=250, sample_rate=16000, frame_size=64, **kwargs):
        super().__init__(**kwargs)
        self.time_steps = time_steps
        self.frame_rate = frame_rate
        self.sample_rate = sample_rate
        self.frame_size = frame_size

    def call(self, f0_hz, power_db=None, audio=None) -> _POWER_FEATURES:
        """Four features `[batch, time_steps, 1]`.

        Raises:
            ValueError: with neither power_db nor audio.
        """
        if power_db is None and audio is None:
            raise ValueError("features must hold 'power_db' or 'audio'; both are missing")
        if power_db is None:
            power_db = spectral_ops.compute_power(
                core.tf_float32(audio),
                sample_rate=self.sample_rate,
                frame_rate=self.frame_rate,
                frame_size=self.frame_size,
            )
        f0_hz = self.resample(f0_hz)
        pw_db = self.resample(power_db)
        return f0_hz, pw_db, scale_f0_hz(f0_hz), scale_db(pw_db)

    @staticmethod
    def invert_scaling(f0_scaled, pw_scaled):
        """Scaled features back to (f0_hz, power_db)."""
        return inv_scale_f0_hz(f0_scaled), inv_scale_db(pw_scaled)


@_register
class OnlineF0PowerPreprocessor(nn.DictLayer):
    """Pitch and power measured from 16 kHz audio inside the model, for models played live.

    Nothing is resampled: all features must already have the same number of frames.

    Args:
        frame_rate: frames a second.
        frame_size: samples (at 16 kHz) of one frame.
        padding: 'valid', 'same' or 'center'.
        compute_power: measure power; otherwise `pw_db` must be given.
        compute_f0: measure pitch with CREPE; otherwise f0_hz and f0_confidence must be given.
        crepe_saved_model_path: size or path of the CREPE network; None builds none.
        viterbi: smooth CREPE's pitch over time.
    """

    def __init__(
        self,
        frame_rate=250,
        frame_size=1024,
        padding="center",
        compute_power=True,
        compute_f0=True,
        crepe_saved_model_path="full",
        viterbi=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.frame_rate = frame_rate
        self.frame_size = frame_size
        self.padding = padding
        self.compute_power = compute_power
        self.compute_f0 = compute_f0
        self.viterbi = viterbi
        self.hop_size = spectral_ops.CREPE_SAMPLE_RATE // frame_rate
        self.crepe = None
        if crepe_saved_model_path:
            self.crepe = spectral_ops.PretrainedCREPE(
                crepe_saved_model_path, hop_size=self.hop_size
            )

    def call(
        self, audio, audio_16k=None, f0_hz=None, f0_confidence=None, pw_db=None
    ) -> _ONLINE_FEATURES:
        """Features `[batch, frames, 1]`, and f0_confidence as given or measured.

        Raises:
            ValueError: if a feature is missing or has another number of frames.
        """
        audio = core.tf_float32(audio if audio_16k is None else audio_16k)
        pw_db = self._power(audio, pw_db)
        f0_hz, f0_confidence = self._pitch(audio, f0_hz, f0_confidence)
        pw_db, f0_hz = at_least_3d(pw_db), at_least_3d(f0_hz)
        self._check_frames(audio, pw_db=pw_db, f0_hz=f0_hz, f0_confidence=f0_confidence)
        return f0_hz, pw_db, scale_f0_hz(f0_hz), scale_db(pw_db), f0_confidence

    def _power(self, audio, pw_db):
        if self.compute_power:
            return spectral_ops.compute_power(
                audio,
                sample_rate=spectral_ops.CREPE_SAMPLE_RATE,
                frame_rate=self.frame_rate,
                frame_size=self.frame_size,
                padding=self.padding,
            )
        if pw_db is None:
            raise ValueError("compute_power=False needs 'pw_db' among the features")
        return core.tf_float32(pw_db)

    def _pitch(self, audio, f0_hz, f0_confidence):
        if self.compute_f0:
            if self.crepe is None:
                raise ValueError(
                    "compute_f0=True needs a CREPE network: set crepe_saved_model_path='full'"
                )
            found = self.crepe.predict_f0_and_confidence(
                audio, viterbi=self.viterbi, padding=self.padding
            )
            return tuple(tf.stop_gradient(value) for value in found)
        if f0_hz is None or f0_confidence is None:
            raise ValueError("compute_f0=False needs 'f0_hz' and 'f0_confidence' as features")
        return core.tf_float32(f0_hz), core.tf_float32(f0_confidence)

    def _check_frames(self, audio, **features):
        if audio.shape[-1] is None:
            return
        expected, _ = spectral_ops.get_framed_lengths(
            audio.shape[-1], self.frame_size, self.hop_size, self.padding
        )
        for name, value in features.items():
            frames = value.shape[1]
            if frames is not None and frames != expected:
                raise ValueError(
                    f"{name} with shape {tuple(value.shape)} must have n_frames={expected}: "
                    f"n_samples={audio.shape[-1]}, frame_size={self.frame_size}, "
                    f"hop {self.hop_size}, padding={self.padding!r}"
                )
