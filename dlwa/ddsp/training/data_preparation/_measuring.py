"""Measuring all recordings of a set: two at a time, each content once, in an order that stays.

While the network listens to one recording, the path through another one's pitches is found (NumPy's
work, the network is TensorFlow's) and the next are decoded; the first while TensorFlow is still
being imported. The results come in the order of the files, whichever was done first.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from absl import logging

from dlwa.ddsp.audio_io import CHANGED, AudioFileError, file_state
from dlwa.ddsp.training.data_preparation._analysis import (
    Samples,
    decode_all,
    measured_recording,
)
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._progress import Progress
from dlwa.ddsp.training.data_preparation._recording import Recording
from dlwa.ddsp.training.data_preparation._settings import Settings
from dlwa.ddsp.training.data_preparation._sources import Refusal, Source, content_hash

_AT_ONCE = 2


def measure_all(
    sources: Sequence[Source],
    settings: Settings,
    work_dir: Path,
    cache: Cache,
    progress: Progress,
) -> tuple[list[Recording], list[Refusal]]:
    """The measured recordings, and those that cannot be used, with the reason."""
    refused: list[Refusal] = []
    hashed = each_content_once(sources, refused)
    recordings: list[Recording] = []
    with (
        ThreadPoolExecutor(1, "decode") as decoders,
        ThreadPoolExecutor(_AT_ONCE, "measure") as trackers,
    ):
        jobs = []
        for source, digest in hashed:
            decoded = decoders.submit(_decode, source, digest, settings, work_dir, cache, progress)
            measured = trackers.submit(_measure, decoded, source, digest, settings, cache, progress)
            jobs.append((source, measured))
        try:
            for source, job in jobs:
                _collect(source, job, recordings, refused)
        except BaseException:
            progress.cancelled = True
            for pool in (decoders, trackers):
                pool.shutdown(wait=False, cancel_futures=True)
            raise
    return recordings, refused


def _collect(source: Source, job: Future, recordings: list[Recording], refused) -> None:
    try:
        recordings.append(job.result())
    except AudioFileError as error:
        refuse(source, error, refused)


def _decode(source, digest, settings, work_dir: Path, cache, progress: Progress) -> Samples:
    own_dir = work_dir / digest
    own_dir.mkdir()
    return decode_all(
        source, digest, settings, own_dir, cache, lambda: progress.reading(source.name)
    )


def _measure(decoded: Future, source, digest, settings, cache, progress: Progress) -> Recording:
    try:
        samples = decoded.result()
    except AudioFileError:
        with progress.of(source.name, source.info.seconds):
            raise
    with progress.of(source.name, source.info.seconds) as tick:
        return measured_recording(source, digest, samples, settings, cache, tick)


def each_content_once(
    sources: Sequence[Source], refused: list[Refusal]
) -> list[tuple[Source, str]]:
    """Recordings with the hash of their content; further copies are refused."""
    first: dict[str, str] = {}
    kept = []
    for source in sources:
        try:
            digest = content_hash(source.path)
            if file_state(source.path) != source.state:
                raise AudioFileError(source.path, CHANGED)
            if digest in first:
                raise AudioFileError(source.path, f"is the same recording as {first[digest]}")
        except AudioFileError as error:
            refuse(source, error, refused)
            continue
        first[digest] = source.name
        kept.append((source, digest))
    return kept


def refuse(source: Source, error: AudioFileError, refused: list[Refusal]) -> None:
    """Add a recording that cannot be used to the list, and say so."""
    logging.warning("not used: %s: %s", source.name, error.reason)
    refused.append(Refusal(source.name, error.reason))
