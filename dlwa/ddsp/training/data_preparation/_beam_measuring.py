"""Measuring the recordings of a set by the workers of an Apache Beam pipeline.

Every recording is one element: a worker decodes and measures it and leaves what it found in the
folder the data set is built in, which all workers must see (a shared disk or mounted bucket).
The rest (split, windows, order, writing) takes seconds and is done where the pipeline was started,
by the same code as without Beam, so the records are the same.

Importing this module needs the package apache_beam.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions

from dlwa.ddsp.audio_io import AudioFileError
from dlwa.ddsp.training.data_preparation._analysis import analyse
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._errors import PreparationError
from dlwa.ddsp.training.data_preparation._measuring import each_content_once, refuse
from dlwa.ddsp.training.data_preparation._recording import Recording, StoredSamples
from dlwa.ddsp.training.data_preparation._settings import CREPE_RATE, Settings
from dlwa.ddsp.training.data_preparation._sources import Refusal, Source
from dlwa.words import counted

_FEATURES, _RESULT = "features.npz", "result.json"
_NAMES = ("f0_hz", "f0_confidence", "loudness_db")


class MeasureFn(beam.DoFn):
    """Number of a recording in, the same number out when it has been measured."""

    def __init__(self, jobs, settings: Settings, work_dir: str, cache: tuple):
        self._jobs, self._settings = jobs, settings
        self._work_dir, self._cache = work_dir, cache

    def process(self, number: int):
        """Measure one recording; also called again for one whose worker was lost."""
        path, name, info, state, digest = self._jobs[number]
        own_dir = Path(self._work_dir) / digest
        own_dir.mkdir(exist_ok=True)
        source, cache = Source(Path(path), name, info, state), Cache(*self._cache)
        try:
            done = analyse(source, digest, self._settings, own_dir, cache, self._count)
            np.savez(own_dir / _FEATURES, **{name: getattr(done, name) for name in _NAMES})
            result = {"peak": done.peak, "audit": done.audit}
        except AudioFileError as error:
            result = {"refused": error.reason}
        (own_dir / _RESULT).write_text(json.dumps(result), encoding="utf-8")
        yield number

    def _count(self, seconds: float) -> None:
        beam.metrics.Metrics.counter("dlwa", "milliseconds_of_audio").inc(int(1000 * seconds))


def measure_all(
    sources: Sequence[Source],
    settings: Settings,
    work_dir: Path,
    cache: Cache,
    pipeline_options: Sequence[str],
) -> tuple[list[Recording], list[Refusal]]:
    """As ``_measuring.measure_all``, by the runner that the options name."""
    refused: list[Refusal] = []
    hashed = each_content_once(sources, refused)
    jobs = [(str(s.path.absolute()), s.name, s.info, s.state, digest) for s, digest in hashed]
    measured = counted(len(jobs), "recording")
    logging.info("a Beam pipeline measures %s (%s)", measured, *pipeline_options[:1])
    logging.getLogger("apache_beam").setLevel(logging.WARNING)  # it tells of every channel it opens
    where = str(work_dir.absolute())
    kept = (str(cache.folder.absolute()) if cache.folder else None, cache.limit_bytes)
    _run(len(jobs), MeasureFn(jobs, settings, where, kept), pipeline_options)
    recordings = []
    for source, digest in hashed:
        try:
            recordings.append(_read(source, digest, work_dir / digest, settings))
        except AudioFileError as error:
            refuse(source, error, refused)
    return recordings, refused


def _run(count: int, function: beam.DoFn, pipeline_options: Sequence[str]) -> None:
    try:
        with beam.Pipeline(options=PipelineOptions(list(pipeline_options))) as pipeline:
            _ = pipeline | beam.Create(range(count)) | beam.Reshuffle() | beam.ParDo(function)
    except Exception as error:  # a runner's errors are of any kind
        lines = str(error).strip().splitlines() or [""]
        raise PreparationError(
            f"the Beam pipeline failed: {lines[-1][:500]}",  # a traceback of the worker lies before
            f"check the runner and its options: --pipeline_options={','.join(pipeline_options)}",
        ) from error


def _read(source: Source, digest: str, own_dir: Path, settings: Settings) -> Recording:
    """What a worker left. Raises AudioFileError with the reason it gave for not using the file."""
    result = json.loads((own_dir / _RESULT).read_text(encoding="utf-8"))
    if "refused" in result:
        raise AudioFileError(source.path, result["refused"])
    with np.load(own_dir / _FEATURES) as stored:
        features = {name: stored[name] for name in _NAMES}
    samples_16k = StoredSamples(own_dir / "16k.f32")
    own_rate = settings.sample_rate != CREPE_RATE
    samples = StoredSamples(own_dir / "audio.f32") if own_rate else samples_16k
    return Recording(source, digest, samples, samples_16k, **features, **result)
