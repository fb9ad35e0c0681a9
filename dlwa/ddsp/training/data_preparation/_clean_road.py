"""From recordings to a dataset without poison: the road a student takes.

Measure every recording, keep what sounds, hold a part out, cut windows, write them in an order
that looks random and is the same at every run.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from absl import logging

from dlwa.ddsp.audio_io import AudioFileError
from dlwa.ddsp.training.data_preparation import _records
from dlwa.ddsp.training.data_preparation._analysis import Recording, analyse
from dlwa.ddsp.training.data_preparation._errors import PreparationError
from dlwa.ddsp.training.data_preparation._progress import Progress
from dlwa.ddsp.training.data_preparation._settings import Settings
from dlwa.ddsp.training.data_preparation._sounding import sounding_frames, stretches
from dlwa.ddsp.training.data_preparation._sources import Refusal, Source, content_hash, examine
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

HELDOUT_NAME = "heldout.tfrecord"
_DEFAULT_SHARDS = 10


@dataclass(frozen=True)
class Material:
    """A recording in use: its content hash and the sounding part as a strip."""

    recording: Recording
    hash: str
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
    finish=None,
) -> Prepared:
    """Write the training shards `<prefix>-*` and the held-out ones beside them.

    ``finish(prepared)`` is called while the samples are still at hand. Raises PreparationError
    when no usable recording is left.
    """
    prefix = Path(prefix).expanduser()
    prefix.parent.mkdir(parents=True, exist_ok=True)
    sources, refused = examine(paths, folder)
    for refusal in refused:
        logging.warning("not used: %s: %s", refusal.name, refusal.reason)
    work_dir = Path(tempfile.mkdtemp(prefix=".preparing-", dir=prefix.parent))
    try:
        progress = Progress(sum(source.info.seconds for source in sources))
        logging.info(
            "%d recordings of %.1f s in all; pitch by CREPE %s in %s",
            len(sources),
            progress.total_s,
            settings.pitch_model,
            settings.precision,
        )
        materials = _measure(sources, settings, work_dir, progress, refused)
        chosen = split([m.strip for m in materials], [m.hash for m in materials], settings)
        train = _windows(chosen.train, settings)
        heldout = _windows(chosen.heldout, settings)
        if not train.windows:
            raise PreparationError(*_too_little(materials, refused, settings))
        shards = _write(train, prefix, num_shards, settings)
        heldout_shards = _write_heldout(heldout, prefix, heldout_prefix, settings)
        prepared = Prepared(
            settings,
            materials,
            refused,
            train,
            heldout,
            chosen.how,
            shards,
            heldout_shards,
            progress.finish(),
        )
        if finish:
            finish(prepared)
        return prepared
    finally:
        shutil.rmtree(work_dir, ignore_errors=True)


def _measure(
    sources: Sequence[Source], settings, work_dir: Path, progress: Progress, refused: list[Refusal]
) -> list[Material]:
    """Analyse every recording; unusable and repeated ones are added to ``refused``."""
    materials: list[Material] = []
    seen: dict[str, str] = {}
    before_s = 0.0
    for number, source in enumerate(sources):
        progress.start(source.name)
        try:
            digest = content_hash(source.path)
            if digest in seen:
                raise AudioFileError(source.path, f"is the same recording as {seen[digest]}")
            seen[digest] = source.name
            own_dir = work_dir / str(number)
            own_dir.mkdir()
            recording = analyse(source, settings, own_dir, progress.tick)
            materials.append(Material(recording, digest, _strip(recording, settings)))
        except AudioFileError as error:
            logging.warning("not used: %s: %s", source.name, error.reason)
            refused.append(Refusal(source.name, error.reason))
        before_s += source.info.seconds
        progress.skip_to(before_s)
    if not materials:
        raise PreparationError(*_none_usable(refused))
    return materials


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
        logging.info("%d shards instead of %d: there are no more windows", n_shards, num_shards)
    order = np.random.default_rng(settings.seed).permutation(len(part.windows))
    records = (_records.encode_example(example(part.windows[i], settings)) for i in order)
    return _records.write_shards(prefix, n_shards, records)


def _write_heldout(part: Part, prefix: Path, heldout_prefix, settings: Settings) -> list[Path]:
    if not part.windows:
        return []
    return _write(part, Path(heldout_prefix or prefix.with_name(HELDOUT_NAME)), 1, settings)


def _none_usable(refused: Sequence[Refusal]) -> tuple[str, str]:
    listed = "; ".join(f"{r.name} {r.reason}" for r in refused[:5])
    more = f" (and {len(refused) - 5} more)" if len(refused) > 5 else ""
    return (
        f"none of the {len(refused)} recordings can be used: {listed}{more}",
        "replace these files and run the same command again",
    )


def _too_little(materials, refused, settings: Settings) -> tuple[str, str]:
    sounding_s = sum(length(m.strip) for m in materials) / settings.frame_rate
    return (
        f"only {sounding_s:.1f} s of sound in {len(materials)} recordings, an example needs "
        f"{settings.example_secs:g} s" + (f" ({len(refused)} files not used)" if refused else ""),
        "add recordings; 10 to 20 minutes of one instrument make a good model",
    )
