"""The papers of a dataset: dataset.json (what was done) and the statistics of its sound."""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from absl import logging

from dlwa import runfiles
from dlwa.ddsp import audit
from dlwa.ddsp.training.data_preparation._analysis import features_key
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._clean_road import Material, Part, Prepared
from dlwa.ddsp.training.data_preparation._keys import key
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


def write_papers(
    prepared: Prepared, folder: Path, cache: Cache | None = None, page: bool = False
) -> None:
    """Write dataset_statistics.json and .pkl, then dataset.json, then the page report.html."""
    cache = cache or Cache()
    name = key("papers", windows=_windows_print(prepared))
    known = cache.arrays(name)
    if known:
        for file, content in known.items():
            _replace(folder / file, content.tobytes())
    else:
        files = _write_statistics(prepared, folder)
        content = {path.name: np.frombuffer(path.read_bytes(), np.uint8) for path in files}
        cache.put_arrays(name, content)
    judged = judgement(prepared)
    runfiles.write_json(folder / DATASET_FILE, describe(prepared, judged))
    if page:
        _write_page(prepared, judged, folder, cache)


def _write_page(prepared: Prepared, judged: audit.SetAudit, folder: Path, cache: Cache) -> None:
    """Draw the page; a data set is good without it, so what goes wrong there is only told."""
    from dlwa.ddsp.training.data_preparation._page import write_page

    try:
        write_page(prepared, judged, folder, cache)
    except (ValueError, ArithmeticError, LookupError, RuntimeError) as error:
        logging.warning("report.html could not be drawn: %s: %s", type(error).__name__, error)


def _write_statistics(prepared: Prepared, folder: Path) -> list[Path]:
    from dlwa.ddsp.training import postprocessing

    provider = WindowProvider(prepared.train.windows, prepared.settings)
    statistics = postprocessing.compute_dataset_statistics(
        provider, batch_size=8, power_frame_rate=prepared.settings.frame_rate
    )
    postprocessing.save_statistics(folder, statistics)
    return [folder / postprocessing.STATISTICS_JSON, folder / postprocessing.STATISTICS_PICKLE]


def _windows_print(prepared: Prepared) -> str:
    """A fingerprint of all that the statistics depend on."""
    strips: dict[int, int] = {}
    digest = hashlib.sha256(json.dumps(prepared.settings.as_dict(), sort_keys=True).encode())
    for window in prepared.train.windows:
        number = strips.setdefault(id(window.strip), len(strips))
        if number == len(strips) - 1:
            pieces = [[p.recording.hash, p.start, p.stop] for p in window.strip]
            digest.update(json.dumps(pieces).encode())
        digest.update(f"{number}:{window.start};".encode())
    features = {p.recording.hash: p.recording for w in prepared.train.windows for p in w.strip}
    for recording in features.values():
        digest.update(features_key(recording.hash, prepared.settings).encode())
    return digest.hexdigest()


def _replace(path: Path, content: bytes) -> None:
    with runfiles.written_aside(path) as aside:
        aside.write_bytes(content)


def describe(prepared: Prepared, judged: audit.SetAudit) -> dict:
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
        "audit": judged.as_dict(),
    }


def judgement(prepared: Prepared) -> audit.SetAudit:
    """What the audit says of the recordings in use and the refused ones."""
    files = [material.recording.file_audit() for material in prepared.materials]
    return audit.judge(files, [{"file": r.name, "reason": r.reason} for r in prepared.refused])


def _used(material: Material, settings: Settings) -> dict:
    recording = material.recording
    info = recording.source.info
    voiced = recording.f0_confidence > 0.7
    heard = length(material.strip) / settings.frame_rate
    pitch = recording.f0_hz[voiced]
    return {
        "file": recording.source.name,
        "sha256": recording.hash,
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
