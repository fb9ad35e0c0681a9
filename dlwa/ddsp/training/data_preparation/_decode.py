"""A recording's samples, decoded once: as a file of float32 numbers, and what was seen on the way.

The recording is streamed, so a two-hour file needs no more memory than a short one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlwa.ddsp.audio_io import CHANGED, AudioFileError, file_state, stream_audio
from dlwa.ddsp.audit import FileAuditor
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._keys import key
from dlwa.ddsp.training.data_preparation._recording import StoredSamples
from dlwa.ddsp.training.data_preparation._settings import CREPE_RATE
from dlwa.ddsp.training.data_preparation._sources import Source

_SAMPLE_BYTES = 4


@dataclass(frozen=True)
class Decoded:
    """Samples at one rate, their peak, and the audit (at 16000 Hz only)."""

    samples: StoredSamples
    peak: float
    audit: dict


def decode(
    source: Source,
    digest: str,
    rate: int,
    file: Path,
    cache: Cache,
    check: Callable[[], None] = lambda: None,
) -> Decoded:
    """Write the samples at this rate to ``file``, taken from the cache if they are there.

    ``check`` is called for every block and may raise to stop. Raises AudioFileError for a
    recording that breaks, changes or holds nothing.
    """
    name = key("audio", content=digest, rate=rate)
    known = cache.document(name)
    if known and cache.take_file(name, known["samples"] * _SAMPLE_BYTES, file):
        return Decoded(StoredSamples(file), known["peak"], known["audit"])
    before = file_state(source.path)
    peak, audit = _write(source, rate, file, check)
    if before != source.state:
        raise AudioFileError(source.path, CHANGED)
    samples = StoredSamples(file)
    if not len(samples):
        raise AudioFileError(source.path, "holds no samples")
    cache.put_file(name, file)
    cache.put_document(name, {"samples": len(samples), "peak": peak, "audit": audit})
    return Decoded(samples, peak, audit)


def _write(source: Source, rate: int, file: Path, check: Callable[[], None]) -> tuple[float, dict]:
    """Decode into the file; return the peak and what the auditor found."""
    auditor = FileAuditor(source.info.sample_rate) if rate == CREPE_RATE else None
    watch = auditor.push_original if auditor else None
    peak = 0.0
    with file.open("wb") as stream:
        for block in stream_audio(source.path, rate, watch):
            check()
            if len(block):
                peak = max(peak, float(np.abs(block).max()))
                stream.write(np.ascontiguousarray(block, "<f4").tobytes())
                if auditor:
                    auditor.push_16k(block)
    return peak, auditor.finish() if auditor else {}
