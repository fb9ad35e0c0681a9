"""Which notes were heard how loud: the map of a set, and the holes in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlwa.ddsp.audit._file import LEVEL_STEP_DB, FileAudit
from dlwa.ddsp.notes import note_name

# Below the loud places of the set.
LOUDNESS = (("loud", -6.0), ("medium", -14.0), ("quiet", -40.0))
_LEAST_SHARE = 0.1  # of what an even spread would give a cell
_LEAST_S = 2.0
_EDGE = 0.02
_LEAST_S_TO_JUDGE = 30.0
_NARROW_DB = 6.0
_NARROW_SEMITONES = 5


@dataclass(frozen=True)
class Coverage:
    """Seconds by loudness and pitch, `[n_rows, n_columns]`; rows from loud to quiet.

    Column i begins at the MIDI pitch ``edges[i]`` and ends before ``edges[i + 1]``.
    """

    edges: list[int]
    seconds: np.ndarray

    def as_dict(self) -> dict:
        """As plain values, with the notes' names."""
        return {
            "loudness": [name for name, _ in LOUDNESS],
            "from_note": [note_name(midi) for midi in self.edges[:-1]],
            "to_note": [note_name(midi - 1) for midi in self.edges[1:]],
            "seconds": np.round(self.seconds, 1).tolist(),
        }


def heard_notes(files: Sequence[FileAudit]) -> np.ndarray:
    """Rows of (MIDI pitch, level in dB, seconds) of all recordings, `[n, 3]`."""
    rows = [row for file in files for row in file.heard]
    table = np.array(rows, float).reshape(-1, 3)
    table[:, 1] = (table[:, 1] + 0.5) * LEVEL_STEP_DB
    return table


def coverage(files: Sequence[FileAudit], columns: int = 16) -> Coverage | None:
    """The map of a set; None if no pitch is clear anywhere."""
    table = heard_notes(files)
    if not len(table):
        return None
    low, high = (
        round(x) for x in _weighted_percentiles(table[:, 0], table[:, 2], (_EDGE, 1 - _EDGE))
    )
    width = max(1, -(-(high - low + 1) // columns))
    n_columns = -(-(high - low + 1) // width)
    edges = [low + i * width for i in range(n_columns + 1)]
    top = _weighted_percentiles(table[:, 1], table[:, 2], (0.95,))[0]
    seconds = np.zeros([len(LOUDNESS), n_columns])
    column = (table[:, 0] - low).astype(int) // width
    below = table[:, 1] - top
    row = np.searchsorted([-limit for _, limit in LOUDNESS[:-1]], -below, side="left")
    inside = (column >= 0) & (column < n_columns) & (below > LOUDNESS[-1][1])
    np.add.at(seconds, (row[inside], column[inside]), table[inside, 2])
    return Coverage(edges, seconds)


def holes(found: Coverage, files: Sequence[FileAudit]) -> list[str]:
    """What is missing, in a musician's words: "no quiet notes above C5"."""
    total = float(found.seconds.sum())
    if total < _LEAST_S_TO_JUDGE:
        return []
    missing = []
    spread = dynamic_range_db(files)
    if spread < _NARROW_DB:
        missing.append(f"all notes are about equally loud (within {spread:.0f} dB)")
    if found.edges[-1] - found.edges[0] <= _NARROW_SEMITONES:
        missing.append("only a few neighbouring notes")
    if missing:
        return missing
    low, high = found.edges[0], found.edges[-1]
    thirds = [round(low + (high - low) * i / 3) for i in range(4)]
    for name, row in zip((name for name, _ in LOUDNESS), found.seconds, strict=True):
        empty = [i for i in range(3) if _too_little(found, row, thirds[i], thirds[i + 1], total)]
        missing += _in_words(name, empty, thirds)
    return missing


def dynamic_range_db(files: Sequence[FileAudit]) -> float:
    """How far the loud and the soft notes lie apart (5th to 95th percentile) in dB."""
    table = heard_notes(files)
    if not len(table):
        return 0.0
    soft, loud = _weighted_percentiles(table[:, 1], table[:, 2], (0.05, 0.95))
    return float(loud - soft)


def _too_little(found: Coverage, row: np.ndarray, low: int, high: int, total: float) -> bool:
    middles = (np.array(found.edges[:-1]) + np.array(found.edges[1:])) / 2.0
    heard = float(row[(middles >= low) & (middles < high)].sum())
    return heard < max(_LEAST_S, _LEAST_SHARE * total / (3 * len(LOUDNESS)))


def _in_words(name: str, empty: list[int], thirds: list[int]) -> list[str]:
    if not empty:
        return []
    if len(empty) == 3:
        return [f"hardly any {name} notes"]
    if empty in ([2], [1, 2]):
        return [f"no {name} notes above {note_name(thirds[empty[0]])}"]
    if empty in ([0], [0, 1]):
        return [f"no {name} notes below {note_name(thirds[empty[-1] + 1])}"]
    return [
        f"no {name} notes between {note_name(thirds[i])} and {note_name(thirds[i + 1])}"
        for i in empty
    ]


def _weighted_percentiles(values: np.ndarray, weights: np.ndarray, shares) -> list[float]:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order]) / weights.sum()
    return [float(values[order][min(np.searchsorted(passed, s), len(order) - 1)]) for s in shares]
