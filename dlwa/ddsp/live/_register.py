"""Moving what is heard to where the model has learned to play, while it sounds."""

import numpy as np

from dlwa.ddsp.notes import to_midi
from dlwa.ddsp.timbre_transfer import Controls, best_octaves, inside, shift_octaves

_SURE = 0.5  # confidence of what counts as a note
_AUDIBLE_DB = -60.0
_MEMORY_FRAMES = 1000
_FIRST_FRAMES = 25
_WORTH_MOVING = 0.25  # share of notes that must gain from another octave
_LOUDNESS_MEMORY_S = 4.0


class Register:
    """Turns frames that were heard into frames to play, remembering what was played so far.

    Args:
        knobs: a Knobs; those about detecting notes in a whole recording are not used.
        statistics: of the model's data set, or None.
        frame_rate: frames a second.
    """

    def __init__(self, knobs, statistics, frame_rate):
        self._knobs, self._statistics = knobs, statistics
        self._adjust = knobs.adjust and statistics is not None
        self._notes = np.zeros(0)
        self.octaves = 0
        self._level_db = None
        self._forget = 1.0 / (_LOUDNESS_MEMORY_S * frame_rate)
        self._last_hz = 440.0

    def controls(self, heard):
        """What to play for a Heard.

        Returns:
            Controls of as many frames.
        """
        is_note = (heard.confidence >= _SURE) & (heard.loudness_db > _AUDIBLE_DB)
        f0_hz = self._held(heard.f0_hz, is_note)
        loudness_db = heard.loudness_db.copy()
        if self._adjust:
            self._learn(to_midi(f0_hz[is_note]), loudness_db[is_note])
            f0_hz = shift_octaves(f0_hz, self.octaves)
            if self._level_db is not None:
                loudness_db += self._statistics["mean_loudness_note"] - self._level_db
        loudness_db = np.where(is_note, loudness_db, loudness_db - self._knobs.quiet_db)
        f0_hz = shift_octaves(f0_hz, self._knobs.octave_shift)
        loudness_db = np.maximum(loudness_db + self._knobs.loudness_shift_db, -120.0)
        tone = heard.confidence >= self._knobs.confidence
        return Controls(f0_hz, loudness_db.astype(np.float32), tone.astype(np.float32))

    def _held(self, f0_hz, is_note):
        """The pitch, held where there is none, so that no note begins with a sweep."""
        last = np.maximum.accumulate(np.where(is_note, np.arange(len(f0_hz)), -1))
        held = np.where(last >= 0, f0_hz[last], self._last_hz)
        self._last_hz = float(held[-1])
        return held.astype(np.float32)

    def _learn(self, midi, loudness_db):
        self._notes = np.concatenate([self._notes, midi])[-_MEMORY_FRAMES:]
        if len(self._notes) >= _FIRST_FRAMES:
            best = best_octaves(self._notes, self._statistics)
            gain = self._share(best) - self._share(self.octaves)
            if gain > _WORTH_MOVING:
                self.octaves = best
        if len(loudness_db):
            mean = float(np.mean(loudness_db))
            weight = 1.0 - (1.0 - self._forget) ** len(loudness_db)
            known = self._level_db
            self._level_db = mean if known is None else known + weight * (mean - known)

    def _share(self, octaves):
        return inside(self._notes + 12 * octaves, self._statistics)
