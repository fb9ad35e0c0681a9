"""Where notes are played, judged by loudness and pitch confidence."""

import numpy as np


def smooth(x, filter_size: int = 3) -> np.ndarray:
    """Average each value with its neighbours: a box filter along the last axis.

    ``x`` is `[t]` or `[batch, t]`, zeros are assumed beyond its ends; an even ``filter_size``
    looks one sample further ahead than back. Returns float32 of the same shape.
    """
    x = np.asarray(x, np.float32)
    if x.ndim not in (1, 2):
        raise ValueError(f"x must be of shape [t] or [batch, t], got {list(x.shape)}")
    if filter_size < 1:
        raise ValueError(f"filter_size={filter_size} must be a positive integer")
    before = (filter_size - 1) // 2
    edges = [(0, 0)] * (x.ndim - 1) + [(before + 1, filter_size - 1 - before)]
    sums = np.cumsum(np.pad(x.astype(np.float64), edges), axis=-1)
    return ((sums[..., filter_size:] - sums[..., :-filter_size]) / filter_size).astype(np.float32)


def detect_notes(
    loudness_db,
    f0_confidence,
    note_threshold: float = 1.0,
    exponent: float = 2.0,
    smoothing: int = 40,
    f0_confidence_threshold: float = 0.7,
    min_db: float = -80.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the frames in which a note sounds: loud enough and with a clear pitch.

    Takes loudness_db and f0_confidence `[t]` or `[batch, t]`; returns a mask (True: note) and the
    evidence it was cut from, of the same shape. Silence gives no notes and evidence 0, never NaN.
    """
    loudness_db = np.asarray(loudness_db, np.float32)
    confidence = smooth(np.asarray(f0_confidence, np.float32) ** exponent, smoothing)
    mean_above_floor = float(np.mean(loudness_db)) - min_db if loudness_db.size else 0.0
    if not mean_above_floor > 0:
        evidence = np.zeros_like(loudness_db)
    else:
        expected = mean_above_floor * f0_confidence_threshold**exponent
        evidence = (confidence * (loudness_db - min_db) / expected).astype(np.float32)
    return evidence >= note_threshold, evidence
