"""Which notes were found."""

import gin
import numpy as np
from absl import logging

from dlwa.ddsp.training import heuristics, metrics, summaries

from ._base import BaseEvaluator

_register = gin.register(module="dlwa.ddsp.training.evaluators")


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
