"""Helpers of timbre transfer notebooks; importing this needs no google.colab.

Tuning: ``get_tuning_factor`` finds how far a performance is off concert pitch, ``auto_tune`` moves
it onto a scale.
"""

import numpy as np
from absl import logging

from dlwa.ddsp.colab._notebook import (
    DEFAULT_SAMPLE_RATE,
    audio_bytes_to_np,
    play,
    record,
    upload,
)
from dlwa.ddsp.training import postprocessing

__all__ = [  # noqa: F822
    "DEFAULT_SAMPLE_RATE",
    "audio_bytes_to_np",
    "auto_tune",
    "get_tuning_factor",
    "play",
    "plot_impulse_responses",
    "record",
    "save_dataset_statistics",
    "specplot",
    "transfer_function",
    "upload",
]

_PLOTS = ("specplot", "plot_impulse_responses", "transfer_function")
_KEYS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])
_N_OCTAVES = 10


def __getattr__(name):
    if name in _PLOTS:  # matplotlib loads only when something is drawn
        from dlwa.ddsp.training import plotting

        return getattr(plotting, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def save_dataset_statistics(
    data_provider, file_path: str | None = None, batch_size: int = 1, power_frame_size: int = 1024
) -> dict:
    """Compute the statistics of a dataset and, with ``file_path``, pickle them there.

    The pickle is the one timbre transfer notebooks read.
    """
    statistics = postprocessing.compute_dataset_statistics(
        data_provider, batch_size, power_frame_size
    )
    if file_path is not None:
        postprocessing.write_pickle(file_path, statistics)
    return statistics


def get_tuning_factor(f0_midi, f0_confidence, mask_on) -> float:
    """How far a performance lies off concert pitch, in semitones -0.5...0.5.

    Takes pitch (MIDI), confidence and note mask `[t]`. Chosen is the offset for which the pitch
    lies nearest to semitones and changes its semitone least often. Without notes it is 0.
    """
    mask_on = np.asarray(mask_on, bool)
    f0_midi = np.asarray(f0_midi)[mask_on]
    confidence = np.asarray(f0_confidence)[mask_on]
    if not len(f0_midi):
        return 0.0
    factors = np.linspace(-0.5, 0.5, 101)
    off_pitch, changes = [], []
    for factor in factors:
        distance = _off_semitone(f0_midi, factor)
        off_pitch.append(np.mean(confidence * np.abs(distance)))
        moved = np.diff(f0_midi - distance) != 0.0
        changes.append(np.mean(confidence[:-1] * moved) if len(moved) else 0.0)
    return float(factors[np.argmin(_standardised(off_pitch) + _standardised(changes))])


def auto_tune(f0_midi, tuning_factor: float, mask_on, amount: float = 0.0, chromatic: bool = False):
    """Move the pitch onto a scale: ``amount`` 0 leaves it, 1 puts it exactly there.

    ``chromatic`` uses all semitones, shifted by the tuning factor; else the major scale that fits
    the notes best. Takes and returns pitch in MIDI `[t]`.
    """
    f0_midi = np.asarray(f0_midi)
    if chromatic:
        distance = _off_semitone(f0_midi, tuning_factor)
    else:
        mask_on = np.asarray(mask_on, bool)
        judged = f0_midi[mask_on] if mask_on.any() else f0_midi
        costs = [np.mean(np.abs(_off_scale(judged, root))) for root in range(len(_KEYS))]
        root = int(np.argmin(costs))
        logging.info("auto-tune: key of %s, offset %d cents", _KEYS[root], tuning_factor * 100)
        distance = _off_scale(f0_midi, root)
    return f0_midi - amount * distance


def _off_semitone(f0_midi: np.ndarray, factor: float) -> np.ndarray:
    """Distance to the nearest semitone of a tuning, in -0.5...0.5."""
    distance = (f0_midi - np.float64(factor)) % 1.0
    return np.where(distance > 0.5, distance - 1.0, distance)


def _off_scale(f0_midi: np.ndarray, root: int) -> np.ndarray:
    """Distance to the nearest note of the major scale on a root, 0 being C."""
    notes = (root + _MAJOR + 12 * np.arange(_N_OCTAVES)[:, None]).reshape(-1)
    distances = f0_midi[:, None] - notes[None, :]
    return distances[np.arange(len(f0_midi)), np.abs(distances).argmin(1)]


def _standardised(costs) -> np.ndarray:
    costs = np.asarray(costs)
    spread = np.std(costs)
    return (costs - np.mean(costs)) / spread if spread > 0 else np.zeros_like(costs)
