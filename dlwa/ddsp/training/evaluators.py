"""What is measured and shown of a model in evaluation and sampling."""

import gin
import keras
import numpy as np
import tensorflow as tf
from absl import logging

from dlwa.ddsp import losses as ddsp_losses
from dlwa.ddsp.training import heuristics, metrics, summaries

_register = gin.register(module="dlwa.ddsp.training.evaluators")

__all__ = [
    "BaseEvaluator",
    "BasicEvaluator",
    "F0CrepeEvaluator",
    "F0LdEvaluator",
    "MidiAutoencoderEvaluator",
    "MidiHeuristicEvaluator",
    "SpectralEvaluator",
    "TWMEvaluator",
]


class BaseEvaluator:
    """Base of all evaluators: they see batch after batch, then write what they found.

    Args:
        sample_rate: of the audio, in Hz.
        frame_rate: frames a second of the features.
    """

    def __init__(self, sample_rate, frame_rate):
        self.set_rates(sample_rate, frame_rate)

    def set_rates(self, sample_rate, frame_rate):
        """Change the rates."""
        self._sample_rate, self._frame_rate = sample_rate, frame_rate

    def evaluate(self, batch, outputs, losses):
        """Measure a batch."""

    def sample(self, batch, outputs, step):
        """Write audio and pictures of a batch."""

    def flush(self, step):
        """Write the means of everything measured, and start over."""

    def results(self):
        """What would be written now: {name: mean}."""
        return {}


@_register
class BasicEvaluator(BaseEvaluator):
    """Losses; audio, waveforms and spectrograms of original and generated sounds."""

    def __init__(self, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate)
        self._means = {}

    def evaluate(self, batch, outputs, losses):
        """Add the losses of a batch."""
        count = _size_of(batch)
        for name, loss in losses.items():
            mean = self._means.setdefault(name, keras.metrics.Mean(name=name))
            mean.update_state(loss, sample_weight=count)

    def sample(self, batch, outputs, step):
        """Write the sounds and their pictures."""
        audio, audio_gen = batch["audio"], outputs["audio_gen"]
        audio_gen = tf.reshape(audio_gen, [audio_gen.shape[0], -1])
        summaries.audio_summary(audio_gen, step, self._sample_rate, name="audio_generated")
        summaries.audio_summary(audio, step, self._sample_rate, name="audio_original")
        summaries.waveform_summary(audio, audio_gen, step)
        summaries.spectrogram_summary(audio, audio_gen, step)

    def flush(self, step):
        """Write `losses/<name>`."""
        for name, mean in self._means.items():
            tf.summary.scalar(f"losses/{name}", mean.result(), step=step)
            mean.reset_state()

    def results(self):
        """Mean losses."""
        return {f"losses/{name}": float(mean.result()) for name, mean in self._means.items()}


def _size_of(batch):
    """How many examples a batch holds; a last one may be smaller."""
    return int(batch["audio"].shape[0]) if "audio" in batch else 1


class _Metrics(BaseEvaluator):
    """Evaluators that keep metrics.BaseMetrics objects in `_metrics`."""

    _metrics = ()

    def flush(self, step):
        """Write all metrics that measured something."""
        for metric in self._metrics:
            metric.flush(step)

    def results(self):
        """Means by `metrics/<name>/<key>`."""
        return {
            f"metrics/{metric.name}/{key}": value
            for metric in self._metrics
            for key, value in metric.results().items()
        }


@_register
class F0LdEvaluator(_Metrics):
    """How well loudness and pitch are met.

    Args:
        sample_rate, frame_rate: see BaseEvaluator.
        run_f0_crepe: hear the pitch of generated audio by CREPE where the model gives none.
    """

    def __init__(self, sample_rate, frame_rate, run_f0_crepe=True):
        super().__init__(sample_rate, frame_rate)
        self._loudness = metrics.LoudnessMetrics(sample_rate, frame_rate)
        self._f0 = metrics.F0Metrics(sample_rate, frame_rate)
        self._crepe = metrics.F0CrepeMetrics(sample_rate, frame_rate) if run_f0_crepe else None
        self._metrics = [self._loudness]

    def evaluate(self, batch, outputs, losses):
        """Measure the loudness, and the pitch where there is one."""
        self._loudness.update_state(batch, outputs["audio_gen"])
        if _has_f0(batch, outputs):
            self._update(self._f0, batch, outputs["f0_hz"])
        elif self._crepe is not None and "f0_hz" in batch:
            self._update(self._crepe, batch, outputs["audio_gen"])

    def _update(self, metric, batch, found):
        metric.update_state(batch, found)
        if metric not in self._metrics:
            self._metrics.append(metric)

    def sample(self, batch, outputs, step):
        """Draw the pitch curves."""
        if _has_f0(batch, outputs):
            summaries.f0_summary(batch["f0_hz"], outputs["f0_hz"], step, name="f0_harmonic")


def _has_f0(batch, outputs):
    return outputs.get("f0_hz") is not None and batch.get("f0_hz") is not None


@_register
class F0CrepeEvaluator(_Metrics):
    """The pitch that is heard, by CREPE, whatever pitch the model says it plays."""

    def __init__(self, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate)
        self._metrics = [metrics.F0CrepeMetrics(sample_rate, frame_rate)]

    def evaluate(self, batch, outputs, losses):
        """Hear the pitch of the generated sounds."""
        if "f0_hz" in batch:
            self._metrics[0].update_state(batch, outputs["audio_gen"])


@_register
class SpectralEvaluator(_Metrics):
    """How far the spectra are off, on the scales of the field, whatever the model was trained on.

    Models trained with different losses can be compared by it.
    """

    def __init__(self, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate)
        self._metrics = [metrics.SpectralMetrics(sample_rate, frame_rate)]

    def evaluate(self, batch, outputs, losses):
        """Compare the generated sounds with the originals."""
        self._metrics[0].update_state(batch, outputs["audio_gen"])


@_register
class TWMEvaluator(_Metrics):
    """The pitch that the sinusoids of a processor mean, by two-way mismatch.

    Args:
        sample_rate, frame_rate: see BaseEvaluator.
        processor_name: whose controls frequencies and amplitudes are read.
        noisy: sinusoids have a noise_ratios control, whose part does not count.
    """

    def __init__(self, sample_rate, frame_rate, processor_name="sinusoidal", noisy=False):
        super().__init__(sample_rate, frame_rate)
        self.processor_name, self.noisy = processor_name, noisy
        self._twm = ddsp_losses.TWMLoss(sample_rate=sample_rate)
        self._f0 = metrics.F0Metrics(sample_rate, frame_rate, name="f0_twm")
        self._metrics = [self._f0]

    def _predict(self, outputs):
        controls = outputs[self.processor_name]["controls"]
        freqs, amps = controls["frequencies"], controls["amplitudes"]
        if self.noisy:
            amps = amps * (1.0 - controls["noise_ratios"])
        # Every sinusoid could be the fundamental.
        return self._twm.predict_f0(freqs, freqs, amps)

    def evaluate(self, batch, outputs, losses):
        """Compare the predicted pitch with the batch's."""
        self._f0.update_state(batch, self._predict(outputs))

    def sample(self, batch, outputs, step):
        """Draw the pitch curves."""
        summaries.f0_summary(batch["f0_hz"], self._predict(outputs), step, name="f0_twm")


class _Notes(BaseEvaluator):
    """Evaluators of notes."""

    def __init__(self, sample_rate, frame_rate, tag):
        super().__init__(sample_rate, frame_rate)
        self._midi = metrics.MidiMetrics(frame_rate, tag)

    def _evaluate(self, batch, pianoroll):
        if "note_active_velocities" not in batch:
            logging.log_first_n(
                logging.WARNING, "Notes cannot be measured: the data set holds no notes.", 1
            )
            return
        self._midi.update_state(batch, {"pianoroll": pianoroll})

    def flush(self, step):
        """Write the note metrics."""
        self._midi.flush(step)

    def results(self):
        """F1, precision and recall of each kind."""
        return {
            f"metrics/midi/{self._midi.tag}/{kind}/{measure}": getattr(counts, measure)
            for kind, counts in self._midi.counts.items()
            for measure in ("f1", "precision", "recall")
        }


@_register
class MidiAutoencoderEvaluator(_Notes):
    """The notes a MIDI autoencoder found.

    Args:
        sample_rate, frame_rate: see BaseEvaluator.
        db_key: the level among the features.
        f0_key: the pitch among the features.
    """

    def __init__(self, sample_rate, frame_rate, db_key="loudness_db", f0_key="f0_hz"):
        super().__init__(sample_rate, frame_rate, "learned")
        self._db_key, self._f0_key = db_key, f0_key

    def evaluate(self, batch, outputs, losses):
        """Compare the notes."""
        self._evaluate(batch, outputs["pianoroll"])

    def sample(self, batch, outputs, step):
        """Write both sounds and the curves."""
        for key in ("synth_audio", "midi_audio"):
            if key in outputs:
                summaries.audio_summary(outputs[key], step, self._sample_rate, name=key)
        if "f0_hz_pred" in outputs:
            summaries.f0_summary(batch[self._f0_key], outputs["f0_hz_pred"], step, name="f0_midi")
        summaries.pianoroll_summary(batch, outputs, step, tag="pianoroll/learned")


@_register
class MidiHeuristicEvaluator(_Notes):
    """The notes that rules of thumb find in the synthesizer's controls."""

    def __init__(self, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate, "heuristic")

    def _rolls(self, outputs):
        sequences = heuristics.segment_notes_batch(
            controls_batch=outputs, frame_rate=self._frame_rate
        )
        n_frames = outputs["f0_hz"].shape[1]
        rolls = np.zeros([len(sequences), n_frames, 128], np.float32)
        for roll, sequence in zip(rolls, sequences, strict=True):
            for note in sequence.notes:
                span = (np.array([note.start_time, note.end_time]) * self._frame_rate).round()
                roll[int(span[0]) : int(span[1]), note.pitch] = 1.0
        return rolls

    def evaluate(self, batch, outputs, losses):
        """Compare the notes."""
        self._evaluate(batch, self._rolls(outputs))

    def sample(self, batch, outputs, step):
        """Draw the piano rolls."""
        rolls = {"pianoroll": self._rolls(outputs)}
        summaries.pianoroll_summary(batch, rolls, step, tag="pianoroll/heuristic")
