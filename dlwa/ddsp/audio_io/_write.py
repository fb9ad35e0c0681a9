"""Writing audio files so that a half-written one never carries the final name."""

from pathlib import Path

import numpy as np
import soundfile

from dlwa import runfiles
from dlwa.ddsp.audio_io._resample import check_rate

_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
_SUBTYPES = {"WAV": "PCM_16", "FLAC": "PCM_16", "OGG": "VORBIS"}


def write_audio(path, audio, sample_rate: int, subtype: str | None = None) -> Path:
    """Write mono `[n]` or `[n, channels]` samples as wav, flac or ogg (by the name's ending).

    Samples beyond -1...1 are clipped. ``subtype`` is libsndfile's, e.g. "PCM_24" or "FLOAT"; the
    default is 16 bit. The file is written aside and renamed, so readers see all of it or nothing.
    """
    path = Path(path)
    format_ = _FORMATS.get(path.suffix.lower())
    if format_ is None:
        raise ValueError(f"path={str(path)!r} must end in {', '.join(_FORMATS)}")
    samples = np.asarray(audio, np.float32)
    if samples.ndim not in (1, 2) or not samples.size:
        raise ValueError(f"audio must be of shape [n] or [n, channels], got {list(samples.shape)}")
    if not np.all(np.isfinite(samples)):
        raise ValueError("audio must be finite, it holds NaN or infinity")
    with runfiles.written_aside(path) as aside:
        soundfile.write(
            str(aside),
            np.clip(samples, -1.0, 1.0),
            check_rate(sample_rate),
            subtype=subtype or _SUBTYPES[format_],
            format=format_,
        )
    return path
