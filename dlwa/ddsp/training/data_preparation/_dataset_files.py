"""The papers of a dataset: dataset.json (what was done) and the statistics of its sound."""

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlwa import runfiles
from dlwa.ddsp.training import postprocessing
from dlwa.ddsp.training.data_preparation._clean_road import Material, Part, Prepared
from dlwa.ddsp.training.data_preparation._settings import Settings
from dlwa.ddsp.training.data_preparation._strips import Window, example, length
from dlwa.version import __version__

DATASET_FILE = "dataset.json"
_FORMAT = 1
_VERSIONS = ("tensorflow", "tensorflow-cpu", "numpy", "soundfile", "soxr")


class WindowProvider:
    """Hands out windows the way a data provider hands out batches, for the statistics."""

    def __init__(self, windows: list[Window], settings: Settings):
        self._windows = windows
        self._settings = settings

    def get_batch(self, batch_size: int, repeats: int = 1) -> Iterator[dict[str, np.ndarray]]:
        """Batches of features `[batch_size, length]`, the last one possibly smaller."""
        for start in range(0, len(self._windows), batch_size):
            rows = [example(w, self._settings) for w in self._windows[start : start + batch_size]]
            yield {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def write_papers(prepared: Prepared, folder: Path) -> None:
    """Write dataset_statistics.json and .pkl, then dataset.json."""
    provider = WindowProvider(prepared.train.windows, prepared.settings)
    statistics = postprocessing.compute_dataset_statistics(
        provider, batch_size=8, power_frame_rate=prepared.settings.frame_rate
    )
    postprocessing.save_statistics(folder, statistics)
    runfiles.write_json(folder / DATASET_FILE, describe(prepared))


def describe(prepared: Prepared) -> dict:
    """Everything dataset.json says."""
    return {
        "format": _FORMAT,
        "dlwa": __version__,
        "versions": _versions(),
        "settings": prepared.settings.as_dict(),
        "used": [_used(m, prepared.settings) for m in prepared.materials],
        "refused": [{"file": r.name, "reason": r.reason} for r in prepared.refused],
        "split": prepared.how_split,
        "train": _part(prepared.train, prepared.shards),
        "heldout": _part(prepared.heldout, prepared.heldout_shards),
    }


def _used(material: Material, settings: Settings) -> dict:
    recording = material.recording
    info = recording.source.info
    voiced = recording.f0_confidence > 0.7
    heard = length(material.strip) / settings.frame_rate
    pitch = recording.f0_hz[voiced]
    return {
        "file": recording.source.name,
        "sha256": material.hash,
        "seconds": round(info.seconds, 3),
        "sample_rate": info.sample_rate,
        "channels": info.channels,
        "format": info.format,
        "peak_db": round(float(20 * np.log10(recording.peak)), 1),
        "used_seconds": round(heard, 3),
        "clear_pitch_share": round(float(voiced.mean()), 3),
        "pitch_hz": [round(float(x), 1) for x in np.percentile(pitch, [2, 98])]
        if len(pitch)
        else [],
    }


def _part(part: Part, shards: list[Path]) -> dict:
    return {
        "windows": len(part.windows),
        "seconds": round(part.seconds, 3),
        "too_silent_windows": part.dropped,
        "silent_share": round(part.silent_share, 3),
        "files": part.names,
        "shards": [path.name for path in shards],
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
