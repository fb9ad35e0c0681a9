"""Measuring all recordings of a set: two at a time, each content once, in an order that stays.

While the network listens to one recording, the next is decoded and the path through the last
one's pitches is found: those are NumPy's work, the network TensorFlow's. The results come in the
order of the files, whichever was done first.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from absl import logging

from dlwa.ddsp.audio_io import CHANGED, AudioFileError, file_state
from dlwa.ddsp.training.data_preparation._analysis import analyse
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
    with ThreadPoolExecutor(_AT_ONCE, "measure") as pool:
        jobs = [
            (source, pool.submit(_measure, source, digest, settings, work_dir, cache, progress))
            for source, digest in hashed
        ]
        try:
            for source, job in jobs:
                _collect(source, job, recordings, refused)
        except BaseException:
            progress.cancelled = True
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return recordings, refused


def _collect(source: Source, job: Future, recordings: list[Recording], refused) -> None:
    try:
        recordings.append(job.result())
    except AudioFileError as error:
        refuse(source, error, refused)


def _measure(source, digest, settings, work_dir, cache, progress: Progress) -> Recording:
    own_dir = work_dir / digest
    own_dir.mkdir()
    with progress.of(source.name, source.info.seconds) as tick:
        return analyse(source, digest, settings, own_dir, cache, tick)


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
