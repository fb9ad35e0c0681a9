"""Metrics of transcribed notes."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from dlwa.ddsp import core

__all__ = [
    "EvalCounts",
    "MidiMetrics",
    "compute_frame_metrics",
    "compute_note_metrics",
    "sequence2intervals",
]


@dataclass
class EvalCounts:
    """How many things were found rightly (tp), wrongly (fp) or not at all (fn)."""

    tp: int
    fp: int
    fn: int

    @property
    def precision(self):
        """Share of the found ones that are right."""
        return self.tp / max(self.tp + self.fp, 1)

    @property
    def recall(self):
        """Share of the right ones that were found."""
        return self.tp / max(self.tp + self.fn, 1)

    @property
    def f1(self):
        """The field's number; too small whenever precision + recall < 1 (see f_measure)."""
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1)

    @property
    def f_measure(self):
        """Harmonic mean of precision and recall."""
        return 2 * self.tp / max(2 * self.tp + self.fp + self.fn, 1)

    def add(self, other):
        """Add the counts of another one to this one."""
        self.tp += other.tp
        self.fp += other.fp
        self.fn += other.fn


def sequence2intervals(sequence):
    """A note sequence as arrays: (intervals `[n, 2]` in seconds, pitches `[n]`, velocities)."""
    intervals = [[note.start_time, note.end_time] for note in sequence.notes]
    pitches = [note.pitch for note in sequence.notes]
    velocities = [note.velocity for note in sequence.notes]
    return (
        np.array(intervals, np.float64).reshape(-1, 2),
        np.array(pitches, np.float64),
        np.array(velocities, np.float64),
    )


def compute_note_metrics(gt_sequence, pred_sequence):
    """Notes found: counts for (onset and pitch right, onset, pitch and end right)."""
    return _match(sequence2intervals(gt_sequence)[:2], sequence2intervals(pred_sequence)[:2])


def _match(true_notes, notes):
    """The counts of compute_note_metrics() for two pairs (intervals, pitches)."""
    import mir_eval  # takes a second, for SciPy's statistics

    (true_times, true_pitches), (times, pitches) = true_notes, notes
    counts = []
    for offset_ratio in (None, 0.2):
        matched = mir_eval.transcription.match_notes(
            true_times,
            mir_eval.util.midi_to_hz(true_pitches),
            times,
            mir_eval.util.midi_to_hz(pitches),
            offset_ratio=offset_ratio,
        )
        tp = len(matched)
        counts.append(EvalCounts(tp, len(pitches) - tp, len(true_pitches) - tp))
    return tuple(counts)


def compute_frame_metrics(gt_pianoroll, pred_pianoroll):
    """Counts of frames in which anything sounds, for two piano rolls `[..., frames, keys]`."""
    true, found = np.asarray(gt_pianoroll), np.asarray(pred_pianoroll)
    if true.shape != found.shape:
        raise ValueError(
            f"gt_pianoroll with shape {true.shape} and pred_pianoroll with shape {found.shape} "
            "must have the same shape"
        )
    true, found = (true > 0).any(axis=-1), (found > 0).any(axis=-1)
    return EvalCounts(
        int(np.sum(true & found)), int(np.sum(~true & found)), int(np.sum(true & ~found))
    )


class MidiMetrics:
    """Running note and frame metrics, written as `metrics/midi/<tag>/<kind>/<measure>`.

    Args:
        frames_per_second: frame rate of the piano rolls.
        tag: name under which TensorBoard shows them.
        align_midi_with_f0: move starts and ends of the true notes to the first and last frame
            whose rounded pitch is the note's.
    """

    kinds = ("onset", "full_note", "frame")

    def __init__(self, frames_per_second, tag, align_midi_with_f0=True):
        self.frames_per_second = frames_per_second
        self.tag = tag
        self.align_midi_with_f0 = align_midi_with_f0
        self._reset()

    def _reset(self):
        self.counts = {kind: EvalCounts(0, 0, 0) for kind in self.kinds}
        self.examples = keras.metrics.Sum("examples")

    def update_state(self, batch, outputs, gt_key="note_active_velocities", pred_key="pianoroll"):
        """Add a batch: piano rolls `[batch, frames, 128]` in batch[gt_key] and outputs[pred_key].

        With align_midi_with_f0 the batch also holds f0_hz `[batch, frames, 1]`.
        """
        true_rolls = np.asarray(batch[gt_key]) > 0
        found_rolls = np.asarray(outputs[pred_key]) > 0
        for i, (true, found) in enumerate(zip(true_rolls, found_rolls, strict=True)):
            if self.align_midi_with_f0:
                true = _aligned(true, np.asarray(batch["f0_hz"][i]).reshape(len(true)))
            onset, full = _match(self._notes(true), self._notes(found))
            self.counts["onset"].add(onset)
            self.counts["full_note"].add(full)
            self.counts["frame"].add(compute_frame_metrics(true, found))
            self.examples.update_state(1)

    def flush(self, step):
        """Log and write f1, precision and recall of each kind for this step, then start over."""
        for kind, counts in self.counts.items():
            logging.info(
                "%s/%s: f1 %.3f | precision %.3f | recall %.3f",
                self.tag,
                kind,
                counts.f1,
                counts.precision,
                counts.recall,
            )
            for measure in ("f1", "precision", "recall"):
                name = f"metrics/midi/{self.tag}/{kind}/{measure}"
                tf.summary.scalar(name, getattr(counts, measure), step)
        self._reset()

    def _notes(self, roll):
        runs = np.array(_runs(roll), np.float64).reshape(-1, 3)
        return runs[:, 1:] / self.frames_per_second, runs[:, 0]


def _runs(roll):
    """(key, start, stop) of every stretch a key is down."""
    runs = []
    for pitch in np.flatnonzero(roll.any(axis=0)):
        column = np.concatenate([[False], roll[:, pitch], [False]]).astype(int)
        edges = np.flatnonzero(np.diff(column)).reshape(-1, 2)
        runs += [(int(pitch), int(start), int(stop)) for start, stop in edges]
    return runs


def _aligned(roll, f0_hz):
    """The roll with each note cut to where the rounded pitch is the note's (if it ever is)."""
    midi = np.round(core.hz_to_midi(core.tf_float32(f0_hz)).numpy())
    aligned = np.zeros_like(roll)
    for pitch, start, stop in _runs(roll):
        hits = np.flatnonzero(midi[start:stop] == pitch)
        if len(hits):
            start, stop = start + hits[0], start + hits[-1] + 1
        aligned[start:stop, pitch] = True
    return aligned
