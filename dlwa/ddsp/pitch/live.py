"""Pitch trackers that answer at once, for playing live."""

import numpy as np

from dlwa.ddsp.pitch import swift
from dlwa.ddsp.pitch.choice import MODELS
from dlwa.ddsp.pitch.crepe import CrepeTracker
from dlwa.ddsp.pitch.frames import hop_for
from dlwa.ddsp.pitch.tracking import Tracker

_FALL_PER_S = 0.5  # how fast the loudest sample is forgotten
_TARGET_PEAK = 0.5
_MAX_GAIN = 30.0
_SILENT_PEAK = 1e-3


def open_live_tracker(model: str, frame_rate: float, precision: str = "float32") -> Tracker:
    """Start to follow a pitch while it sounds; frames come as soon as they are heard.

    CREPE is 32 ms behind the sound, SwiftF0 160 ms. Errors as ``open_tracker``.
    """
    if model not in MODELS:
        raise ValueError(f"model={model!r} must be one of {', '.join(MODELS)}")
    if model == swift.MODEL:
        tracker = swift.SwiftTracker(hop_for(frame_rate), viterbi=False)
        tracker.lifter = _RunningLifter()
        return tracker
    hop = hop_for(frame_rate)
    return CrepeTracker(hop, model=model, viterbi=False, precision=precision, at_least=1)


class _RunningLifter:
    """Raises what is quiet towards one level, knowing only the past."""

    def __init__(self) -> None:
        self._peak = _TARGET_PEAK

    def push(self, samples: np.ndarray):
        """The samples, lifted."""
        if len(samples):
            fallen = self._peak * _FALL_PER_S ** (len(samples) / 16000)
            self._peak = max(fallen, float(np.abs(samples).max()), _SILENT_PEAK)
            yield samples * np.float32(np.clip(_TARGET_PEAK / self._peak, 1.0, _MAX_GAIN))

    def finish(self):
        """Nothing is held back."""
        return iter(())
