"""Pitch trackers that take a recording piece by piece, whichever network listens."""

from typing import Protocol

import numpy as np

from dlwa.ddsp.pitch import swift
from dlwa.ddsp.pitch.choice import MODELS
from dlwa.ddsp.pitch.crepe import CrepeTracker
from dlwa.ddsp.pitch.frames import hop_for


class Tracker(Protocol):
    """What every tracker can do: take samples, give the frames that are decided."""

    def push(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take the next samples `[n]` at 16 kHz; return f0_hz and f0_confidence `[frames]`."""

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Return f0_hz and f0_confidence of the frames held back."""


def open_tracker(
    model: str,
    frame_rate: float,
    *,
    viterbi: bool = True,
    padding: str = "center",
    precision: str = "float32",
) -> Tracker:
    """Start to follow the pitch of a recording; the options are those of ``compute_f0``.

    Raises ValueError for unknown options and FileNotFoundError for a model not installed.

    Example:
        >>> tracker = open_tracker("tiny", 100)
        >>> parts = [tracker.push(np.zeros(16000)) for _ in range(3)] + [tracker.finish()]
        >>> sum(len(f0_hz) for f0_hz, _ in parts)
        301
    """
    if model not in MODELS:
        raise ValueError(f"model={model!r} must be one of {', '.join(MODELS)}")
    hop = hop_for(frame_rate)
    if model == swift.MODEL:
        return swift.SwiftTracker(hop, padding, viterbi)
    return CrepeTracker(hop, padding, model=model, viterbi=viterbi, precision=precision)
