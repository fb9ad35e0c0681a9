"""Where in a recording something sounds.

A model that is fed mostly silence learns silence. So long rests are shortened before windows are
cut; short ones stay, because the model must also learn to end a note.
"""

import numpy as np

# A frame sounds when it is loud, or when it is softer but has a clear pitch.
_LOUD_BELOW_TOP_DB = 20.0
_SOFT_BELOW_TOP_DB = 45.0
_FLOOR_DB = -75.0
_CLEAR_PITCH = 0.4
_SHORTEST_SOUND_S = 0.05
_LONGEST_REST_S = 1.0
_LEAD_S = 0.1
_TAIL_S = 0.4


def sounding_frames(loudness_db: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """True for the frames `[n_frames]` in which the instrument sounds."""
    top = float(np.percentile(loudness_db, 95))
    audible = loudness_db > max(top - _SOFT_BELOW_TOP_DB, _FLOOR_DB)
    loud = loudness_db > top - _LOUD_BELOW_TOP_DB
    return audible & (loud | (confidence > _CLEAR_PITCH))


def stretches(sounds: np.ndarray, frame_rate: int) -> list[tuple[int, int]]:
    """Frames [start, stop) worth learning from: sound, short rests, and the edges of long rests."""
    runs = [r for r in _runs(sounds) if r[1] - r[0] >= _SHORTEST_SOUND_S * frame_rate]
    lead, tail = int(_LEAD_S * frame_rate), int(_TAIL_S * frame_rate)
    joined: list[tuple[int, int]] = []
    for start, stop in runs:
        if joined and start - joined[-1][1] <= _LONGEST_REST_S * frame_rate:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return [(max(0, a - lead), min(len(sounds), b + tail)) for a, b in joined]


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
