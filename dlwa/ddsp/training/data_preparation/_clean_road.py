"""From recordings to a dataset without poison: the road a student takes.

Measure every recording, keep what sounds, hold a part out, cut windows, write them in an order
that looks random and is the same at every run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from absl import logging

from dlwa.ddsp.audio_io import AudioFileError
from dlwa.ddsp.audit import find_twins
from dlwa.ddsp.training.data_preparation import _records
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._errors import PreparationError
from dlwa.ddsp.training.data_preparation._measuring import measure_all
from dlwa.ddsp.training.data_preparation._progress import Progress
from dlwa.ddsp.training.data_preparation._recording import Recording
from dlwa.ddsp.training.data_preparation._settings import Settings
from dlwa.ddsp.training.data_preparation._sounding import sounding_frames, stretches
from dlwa.ddsp.training.data_preparation._sources import Refusal, examine
from dlwa.ddsp.training.data_preparation._split import split
from dlwa.ddsp.training.data_preparation._strips import (
    Piece,
    Strip,
    Window,
    cut,
    example,
    join,
    length,
    silent_share,
)
from dlwa.ddsp.training.data_preparation._workplace import (
    clear_unfinished,
    require_room,
    work_dir,
)
from dlwa.words import counted

HELDOUT_NAME = "heldout.tfrecord"
_DEFAULT_SHARDS = 10


@dataclass(frozen=True)
class Material:
    """A recording in use, and the sounding part of it as a strip."""

    recording: Recording
    strip: Strip


@dataclass(frozen=True)
class Part:
    """The windows of one side of the split, and how many more were too silent to use."""

    windows: list[Window]
    dropped: int
    silent_share: float
    seconds: float
    names: list[str]


@dataclass(frozen=True)
class Prepared:
    """What was made: the two parts, where they lie, and what became of every file."""

    settings: Settings
    materials: list[Material]
    refused: list[Refusal]
    train: Part
    heldout: Part
    how_split: str
    shards: list[Path]
    heldout_shards: list[Path]
    speed: float


def prepare(
    paths: Sequence[Path],
    prefix,
    settings: Settings,
    num_shards: int | None = None,
    folder=None,
    heldout_prefix=None,
    finish: Callable[["Prepared"], None] | None = None,
    cache: Cache | None = None,
    pipeline_options: Sequence[str] = (),
) -> Prepared:
    """Write the training shards `<prefix>-*` and the held-out ones beside them.

    What ``cache`` knows of a recording is not measured again; with ``pipeline_options`` a Beam
    pipeline measures. ``finish(prepared)`` is called while the samples are still at hand. Raises
    PreparationError when no usable recording is left or the disk has no room.
    """
    prefix, cache = Path(prefix).expanduser(), cache or Cache()
    with work_dir(prefix.parent) as making:
        sources, refused = examine(paths, folder)
        for refusal in refused:
            logging.warning("not used: %s: %s", refusal.name, refusal.reason)
        if not sources:
            raise PreparationError(*_none_usable(refused))
        require_room(prefix.parent, sources, settings)
        progress = Progress(sum(source.info.seconds for source in sources))
        logging.info(
            "%s of %.1f s in all; pitch by %s",
            counted(len(sources), "recording"),
            progress.total_s,
            settings.pitch_title(),
        )
        if pipeline_options:
            from dlwa.ddsp.training.data_preparation import _beam_measuring as beam

            measured = beam.measure_all(sources, settings, making, cache, pipeline_options)
        else:
            measured = measure_all(sources, settings, making, cache, progress)
        recordings, unusable = measured
        materials, empty = _materials(recordings, settings)
        refused = [*refused, *unusable, *empty]
        if not materials:
            raise PreparationError(*_none_usable(refused))
        prepared = _write_all(
            materials, refused, prefix, heldout_prefix, num_shards, settings, progress
        )
        if finish:
            finish(prepared)
    cache.prune()
    return prepared


def _write_all(
    materials: list[Material], refused, prefix: Path, heldout_prefix, num_shards, settings, progress
) -> Prepared:
    """Split, cut and write what was measured."""
    hashes = [material.recording.hash for material in materials]
    chosen = split([material.strip for material in materials], hashes, settings)
    train, heldout = _windows(chosen.train, settings), _windows(chosen.heldout, settings)
    if not train.windows:
        raise PreparationError(*_too_little(materials, refused, settings))
    speed = progress.finish()
    shards = _write(train, prefix, num_shards, settings)
    heldout_shards = _write_heldout(heldout, prefix, heldout_prefix, settings)
    return Prepared(
        settings,
        materials,
        refused,
        train,
        heldout,
        chosen.how,
        shards,
        heldout_shards,
        speed,
    )


def _materials(recordings: Sequence[Recording], settings) -> tuple[list[Material], list[Refusal]]:
    """The recordings in which something sounds, each take once, and the others."""
    twins = find_twins([recording.file_audit() for recording in recordings])
    materials, empty = [], []
    for recording in recordings:
        try:
            if twin := twins.get(recording.source.name):
                raise AudioFileError(recording.source.path, f"is the same take as {twin}")
            materials.append(Material(recording, _strip(recording, settings)))
        except AudioFileError as error:
            logging.warning("not used: %s: %s", recording.source.name, error.reason)
            empty.append(Refusal(recording.source.name, error.reason))
    return materials, empty


def _strip(recording: Recording, settings: Settings) -> Strip:
    sounds = sounding_frames(recording.loudness_db, recording.f0_confidence)[: recording.n_frames]
    pieces = [
        Piece(recording, sounds, start, stop)
        for start, stop in stretches(sounds, settings.frame_rate)
    ]
    if not pieces:
        raise AudioFileError(recording.source.path, "holds no sound longer than a click")
    return pieces


def _windows(materials: list[Strip], settings: Settings) -> Part:
    strips = join(materials, settings)
    windows = [window for strip in strips for window in cut(strip, settings)]
    shares = [silent_share(window, settings) for window in windows]
    kept = [w for w, s in zip(windows, shares, strict=True) if s <= settings.max_silent_share]
    kept_shares = [s for s in shares if s <= settings.max_silent_share]
    return Part(
        kept,
        len(windows) - len(kept),
        float(np.mean(kept_shares)) if kept_shares else 0.0,
        sum(length(strip) for strip in materials) / settings.frame_rate,
        list(dict.fromkeys(p.recording.source.name for strip in materials for p in strip)),
    )


def _write(part: Part, prefix: Path, num_shards: int | None, settings: Settings) -> list[Path]:
    n_shards = min(num_shards or _DEFAULT_SHARDS, len(part.windows))
    if num_shards and n_shards < num_shards:
        made = counted(n_shards, "shard")
        logging.info("%s instead of %d: there are no more windows", made, num_shards)
    order = np.random.default_rng(settings.seed).permutation(len(part.windows))
    records = (_records.encode_example(example(part.windows[i], settings)) for i in order)
    clear_unfinished(prefix)
    return _records.write_shards(prefix, n_shards, records)


def _write_heldout(part: Part, prefix: Path, heldout_prefix, settings: Settings) -> list[Path]:
    heldout_prefix = Path(heldout_prefix or prefix.with_name(HELDOUT_NAME))
    if part.windows:
        return _write(part, heldout_prefix, 1, settings)
    for old in _records.shards_of(heldout_prefix):  # of an older dataset in the same place
        old.unlink()
    return []


def _none_usable(refused: Sequence[Refusal]) -> tuple[str, str]:
    listed = "; ".join(f"{r.name} {r.reason}" for r in refused[:5])
    more = f" (and {len(refused) - 5} more)" if len(refused) > 5 else ""
    return (
        f"of {counted(len(refused), 'recording')} none can be used: {listed}{more}",
        "replace these files and run the same command again",
    )


def _too_little(materials, refused, settings: Settings) -> tuple[str, str]:
    sounding_s = sum(length(m.strip) for m in materials) / settings.frame_rate
    return (
        f"only {sounding_s:.1f} s of sound in all recordings together, an example needs "
        f"{settings.example_secs:g} s"
        + (f" ({counted(len(refused), 'file')} not used)" if refused else ""),
        "add recordings; 10 to 20 minutes of one instrument make a good model",
    )
