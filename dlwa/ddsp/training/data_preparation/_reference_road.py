"""The preparation exactly as the reference package does it, padding and all.

For comparing with datasets made elsewhere. Its ways are not recommended: the rate is converted by
linear interpolation without a low-pass filter, every file is filled up with silence to a multiple
of ``chunk_secs``, and frames start at their sample instead of lying around it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from math import gcd
from pathlib import Path

import numpy as np
import soundfile

from dlwa.ddsp import pitch, spectral_ops
from dlwa.ddsp.audio_io import AudioFileError, probe, read_audio
from dlwa.ddsp.training.data_preparation import _records
from dlwa.ddsp.training.data_preparation._settings import CREPE_RATE

Example = dict[str, np.ndarray]

LOUDNESS_FFT = 512
_LENGTH_TOLERANCE = 20
_WIDE_FORMATS = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")


def load_audio_as_array(audio_path, sample_rate: int) -> np.ndarray:
    """Read a recording as integers, convert the rate by linear interpolation, scale to -1...1."""
    samples, rate = _integers(Path(audio_path))
    limit = np.iinfo(samples.dtype).max
    n_expected = int(len(samples) / rate * sample_rate)
    converted = convert_rate_linearly(samples, rate, sample_rate)
    if abs(len(converted) - n_expected) > _LENGTH_TOLERANCE:
        raise ValueError(
            f"{audio_path}: {len(converted)} samples after rate conversion, expected {n_expected}"
        )
    converted = np.pad(converted[:n_expected], (0, max(0, n_expected - len(converted))))
    return (converted / limit).astype(np.float32)


def load_audio(audio_path, sample_rate: int) -> Example:
    """``audio`` at the wanted rate and ``audio_16k``."""
    audio = load_audio_as_array(audio_path, sample_rate)
    if sample_rate == CREPE_RATE:
        return {"audio": audio, "audio_16k": audio}
    return {"audio": audio, "audio_16k": load_audio_as_array(audio_path, CREPE_RATE)}


def chunk_audio(example: Example, sample_rate: int, chunk_secs: float | None) -> Iterator[Example]:
    """Chunks of ``chunk_secs`` that do not overlap, the last filled up with silence."""
    if not chunk_secs:
        yield example
        return
    n_chunks = -(-len(example["audio"]) // int(chunk_secs * sample_rate))
    for number in range(n_chunks):
        yield {
            name: _chunk(example[name], number, int(chunk_secs * rate))
            for name, rate in (("audio", sample_rate), ("audio_16k", CREPE_RATE))
        }


def add_f0_estimate(
    example: Example,
    frame_rate: int,
    center: bool,
    viterbi: bool,
    model: str = "full",
    precision: str = "float32",
) -> Example:
    """Add ``f0_hz`` and ``f0_confidence`` of the 16 kHz audio."""
    f0_hz, confidence = pitch.compute_f0(
        example["audio_16k"],
        frame_rate,
        viterbi,
        "center" if center else "same",
        model=model,
        precision=precision,
    )
    return {**example, "f0_hz": f0_hz, "f0_confidence": confidence}


def add_loudness(
    example: Example, frame_rate: int, n_fft: int = LOUDNESS_FFT, center: bool = False
) -> Example:
    """Add ``loudness_db`` of the 16 kHz audio."""
    loudness = spectral_ops.compute_loudness(
        example["audio_16k"],
        CREPE_RATE,
        frame_rate,
        n_fft,
        use_tf=False,
        padding="center" if center else "same",
    )
    return {**example, "loudness_db": np.asarray(loudness, np.float32)}


def split_example(
    example: Example,
    sample_rate: int,
    frame_rate: int,
    example_secs: float | None,
    hop_secs: float,
    center: bool,
) -> Iterator[Example]:
    """Overlapping windows of a chunk; incomplete ones at its end are dropped."""
    if not example_secs:
        yield example
        return
    lengths = {}
    for name in example:
        rate = {"audio": sample_rate, "audio_16k": CREPE_RATE}.get(name, frame_rate)
        extra = int(center and name not in ("audio", "audio_16k"))
        lengths[name] = int(example_secs * rate) + extra, int(hop_secs * rate)
    n_windows = min((len(example[n]) - size) // hop + 1 for n, (size, hop) in lengths.items())
    for i in range(n_windows):
        yield {n: example[n][i * hop : i * hop + size] for n, (size, hop) in lengths.items()}


def convert_rate_linearly(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Integer samples at another rate by linear interpolation, rounded down."""
    if from_rate == to_rate:
        return samples
    divisor = gcd(from_rate, to_rate)
    step, scale = from_rate // divisor, to_rate // divisor
    n_out = (len(samples) - 1) * scale // step + 1
    position = np.arange(n_out, dtype=np.int64) * step
    after = -(-position // scale)
    share = (after * scale - position).astype(np.float64)
    # Computed with 32-bit full scale and cut back, as the tools of that road do.
    shift = 32 - 8 * samples.dtype.itemsize
    wide = samples.astype(np.int64) << shift
    mixed = wide[np.maximum(after - 1, 0)] * share + wide[after] * (scale - share)
    return (np.trunc(mixed / scale).astype(np.int64) >> shift).astype(samples.dtype)


def _integers(path: Path) -> tuple[np.ndarray, int]:
    """Mono integer samples as stored: 16 bits, or 32 for wider formats."""
    probe(path)
    try:
        with soundfile.SoundFile(str(path)) as sound:
            dtype = "int32" if sound.subtype in _WIDE_FORMATS else "int16"
            samples = sound.read(dtype=dtype, always_2d=True)
            rate = sound.samplerate
    except soundfile.LibsndfileError:  # a format that only another decoder reads
        audio, rate = read_audio(path)
        samples = np.round(np.clip(audio, -1, 1) * 32767).astype(np.int16)[:, None]
    if not len(samples):
        raise AudioFileError(path, "holds no samples")
    return np.floor(samples.mean(axis=1)).astype(samples.dtype), rate


def _chunk(audio: np.ndarray, number: int, size: int) -> np.ndarray:
    part = audio[number * size : (number + 1) * size]
    return np.pad(part, (0, size - len(part)))


def prepare_like_the_reference(
    paths: Sequence[Path],
    prefix,
    num_shards: int | None,
    sample_rate: int,
    frame_rate: int,
    example_secs: float | None,
    hop_secs: float,
    eval_split_fraction: float,
    chunk_secs: float | None,
    center: bool,
    viterbi: bool,
    model: str = "full",
    precision: str = "float32",
) -> list[Path]:
    """Write the shards; return their paths."""

    def chunks() -> Iterator[Example]:
        for path in paths:
            yield from chunk_audio(load_audio(path, sample_rate), sample_rate, chunk_secs)

    def records(wanted: set[str] | None, unwanted: bool) -> Iterator[bytes]:
        for chunk in chunks():
            if wanted is not None and (_fingerprint(chunk) in wanted) is unwanted:
                continue
            if frame_rate:
                chunk = add_f0_estimate(chunk, frame_rate, center, viterbi, model, precision)
                chunk = add_loudness(chunk, frame_rate, center=center)
            windows = split_example(chunk, sample_rate, frame_rate, example_secs, hop_secs, center)
            yield from map(_records.encode_example, windows)

    n_shards = num_shards or 1
    if not eval_split_fraction:
        return _records.write_shards(prefix, n_shards, records(None, False))
    fingerprints = sorted(_fingerprint(chunk) for chunk in chunks())
    heldout = set(fingerprints[: int(len(fingerprints) * eval_split_fraction)])
    return [
        *_records.write_shards(f"{prefix}-train", n_shards, records(heldout, True)),
        *_records.write_shards(f"{prefix}-eval", n_shards, records(heldout, False)),
    ]


def _fingerprint(chunk: Example) -> str:
    return hashlib.sha256(chunk["audio"].tobytes()).hexdigest()
