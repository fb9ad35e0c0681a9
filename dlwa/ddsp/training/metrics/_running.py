"""Running metrics of audio: fed batch by batch, written to TensorBoard and the log by flush()."""

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from dlwa.ddsp import core, spectral_ops

from ._features import (
    OUTLIER_MIDI_THRESH,
    f0_dist_conf_thresh,
    is_outlier,
    l1_distance,
    squeeze,
)

__all__ = ["BaseMetrics", "F0CrepeMetrics", "F0Metrics", "LoudnessMetrics", "SpectralMetrics"]

# The scales of the multi-scale spectral loss (Engel et al. 2020, section 4.2.1).
_FFT_SIZES = (2048, 1024, 512, 256, 128, 64)


class BaseMetrics:
    """A set of running means with a name.

    Args:
        sample_rate: of the audio, in Hz.
        frame_rate: frames a second of the features.
        name: under which TensorBoard shows them, `metrics/<name>/<key>`.
    """

    def __init__(self, sample_rate, frame_rate, name):
        self.sample_rate = sample_rate
        self.frame_rate = frame_rate
        self.name = name
        self._metrics = {}

    @property
    def metrics(self):
        """The running means by key."""
        return self._metrics

    def results(self):
        """The means of what was measured; of nothing there is no mean."""
        return {
            key: float(mean.result()) for key, mean in self.metrics.items() if float(mean.count) > 0
        }

    def flush(self, step):
        """Log and write all means for this training step, then start over."""
        values = self.results()
        logging.info(
            "%s", " | ".join(f"{self.name}/{key}: {value:.3f}" for key, value in values.items())
        )
        for key, value in values.items():
            tf.summary.scalar(f"metrics/{self.name}/{key}", value, step)
        for mean in self.metrics.values():
            mean.reset_state()


class LoudnessMetrics(BaseMetrics):
    """How far the loudness of generated audio is from what it should be, in dB."""

    def __init__(self, sample_rate, frame_rate, name="loudness"):
        super().__init__(sample_rate, frame_rate, name)
        self._metrics = {"loudness_db": keras.metrics.Mean("loudness_db")}

    def update_state(self, batch, audio_gen):
        """Add a batch: `loudness_db`, or `audio` to measure it from, against `[batch, n]`."""
        target = batch["loudness_db"] if "loudness_db" in batch else self._measure(batch["audio"])
        for wanted, got in zip(target, self._measure(audio_gen), strict=True):
            self.metrics["loudness_db"].update_state(np.mean(l1_distance(wanted, got)))

    def _measure(self, audio):
        return spectral_ops.compute_loudness(
            core.tf_float32(audio), sample_rate=self.sample_rate, frame_rate=self.frame_rate
        )


class SpectralMetrics(BaseMetrics):
    """Multi-scale distance of spectra: mean |difference| of magnitudes and of their logarithms.

    Means over the FFT sizes 2048 to 64 with three quarters overlap, so the sizes count alike.
    """

    def __init__(self, sample_rate, frame_rate, name="spectral"):
        super().__init__(sample_rate, frame_rate, name)
        self._metrics = {key: keras.metrics.Mean(key) for key in ("mag", "logmag")}

    def update_state(self, batch, audio_gen):
        """Add a batch: `audio` against `[batch, n]`."""
        audio = core.tf_float32(batch["audio"])
        generated = tf.reshape(core.tf_float32(audio_gen), tf.shape(audio))
        count = int(audio.shape[0])
        for size in _FFT_SIZES:
            pair = [spectral_ops.compute_mag(x, size=size) for x in (audio, generated)]
            for key, change in (("mag", tf.identity), ("logmag", core.safe_log)):
                distance = tf.reduce_mean(tf.abs(change(pair[0]) - change(pair[1])))
                self.metrics[key].update_state(distance, sample_weight=count)


class F0CrepeMetrics(BaseMetrics):
    """Pitch of generated audio, heard by CREPE: mean distance (semitones) and outliers."""

    def __init__(self, sample_rate, frame_rate, name="f0_crepe"):
        super().__init__(sample_rate, frame_rate, name)
        self._metrics = {
            "f0_dist": keras.metrics.Mean("f0_dist"),
            "outlier_ratio": keras.metrics.Mean("outlier_ratio"),
        }

    def update_state(self, batch, audio_gen):
        """Add a batch with f0_hz and f0_confidence; examples without a sure pitch are skipped."""
        for i, audio in enumerate(audio_gen):
            if is_outlier(batch["f0_confidence"][i]):
                continue
            # CREPE hears 16 kHz; other rates go through the same conversion as the features.
            f0_hz, _ = spectral_ops.compute_f0(_at_16k(audio, self.sample_rate), self.frame_rate)
            distance = f0_dist_conf_thresh(batch["f0_hz"][i], f0_hz, batch["f0_confidence"][i])
            outlier = distance is None or distance > OUTLIER_MIDI_THRESH
            self.metrics["outlier_ratio"].update_state(float(outlier))
            if not outlier:
                self.metrics["f0_dist"].update_state(distance)

    def flush(self, step):
        """Also forget CREPE's networks, which take memory."""
        super().flush(step)
        spectral_ops.reset_crepe()


class F0Metrics(BaseMetrics):
    """A predicted pitch curve against the true one.

    Mean distance in semitones, and mir_eval's raw pitch and raw chroma accuracy.

    Args:
        sample_rate, frame_rate, name: see BaseMetrics.
        rpa_tolerance: how many cents off still count as right.
    """

    def __init__(self, sample_rate, frame_rate, rpa_tolerance=50, name="f0"):
        super().__init__(sample_rate, frame_rate, name)
        self._rpa_tolerance = rpa_tolerance
        self._metrics = {
            key: keras.metrics.Mean(key)
            for key in ("f0_dist", "raw_pitch_accuracy", "raw_chroma_accuracy")
        }

    def update_state(self, batch, f0_hz_predict):
        """Add a batch: f0_hz (f0_confidence optional) against `[batch, frames]`.

        With another number of frames the true curve is resampled; the batch is not changed.
        Examples whose pitch is never sure are skipped.
        """
        for i, predicted in enumerate(f0_hz_predict):
            predicted = squeeze(predicted)
            true = _resampled(squeeze(batch["f0_hz"][i]), len(predicted))
            confidence = np.ones(len(predicted), np.float32)
            if "f0_confidence" in batch:
                confidence = _resampled(squeeze(batch["f0_confidence"][i]), len(predicted))
            distance = f0_dist_conf_thresh(true, predicted, confidence)
            if distance is not None:
                self.metrics["f0_dist"].update_state(distance)
                self._update_accuracy(true, predicted)

    def _update_accuracy(self, true, predicted):
        import mir_eval  # takes a second, for SciPy's statistics

        voiced = true > 0
        curves = (voiced, _cents(true), voiced, _cents(predicted))
        for key in ("raw_pitch_accuracy", "raw_chroma_accuracy"):
            accuracy = getattr(mir_eval.melody, key)(*curves, cent_tolerance=self._rpa_tolerance)
            self.metrics[key].update_state(accuracy)


def _resampled(curve, n_frames):
    if len(curve) == n_frames:
        return curve
    return core.resample(core.tf_float32(curve), n_frames).numpy()


def _cents(f0_hz):
    import mir_eval

    return mir_eval.melody.hz2cents(np.asarray(f0_hz, np.float64))


def _at_16k(audio, sample_rate):
    audio = np.squeeze(np.asarray(audio)).astype(np.float32)
    if sample_rate == spectral_ops.CREPE_SAMPLE_RATE:
        return audio
    import soxr

    return soxr.resample(audio, sample_rate, spectral_ops.CREPE_SAMPLE_RATE)
