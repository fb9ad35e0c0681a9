"""Measuring one recording: pitch, confidence and loudness, frame by frame.

TensorFlow is imported when something has to be measured, not where the cache knows it all.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlwa.ddsp.audio_io import AudioFileError
from dlwa.ddsp.audit import CANCELLED_DB
from dlwa.ddsp.quiet import import_tensorflow
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._decode import Decoded, decode
from dlwa.ddsp.training.data_preparation._keys import key
from dlwa.ddsp.training.data_preparation._recording import Recording, StoredSamples
from dlwa.ddsp.training.data_preparation._settings import CREPE_RATE, Settings
from dlwa.ddsp.training.data_preparation._sources import Source

LOUDNESS_FFT = 512
_BLOCK_FRAMES = 2048
_BLOCK_SAMPLES = 5 * CREPE_RATE
_SILENT_PEAK = 1e-3  # -60 dB below full scale
_WAKING = threading.Lock()

Features = dict[str, np.ndarray]


def features_key(digest: str, settings: Settings) -> str:
    """The name in the cache of the features of a recording under these settings."""
    return key(
        "features",
        content=digest,
        audio=key("audio", content=digest, rate=CREPE_RATE),
        frame_rate=settings.frame_rate,
        viterbi=settings.viterbi,
        pitch_model=settings.pitch_model,
        precision=settings.precision,
    )


@dataclass(frozen=True)
class Samples:
    """A decoded recording: at 16000 Hz for the trackers, at the data set's rate to learn from."""

    at_16k: Decoded
    audio: StoredSamples


def analyse(
    source: Source,
    digest: str,
    settings: Settings,
    work_dir: Path,
    cache: Cache,
    tick: Callable[[float], None],
) -> Recording:
    """Decode and measure one recording whose content has this SHA-256.

    ``tick`` is called with the seconds done since the last call. Raises AudioFileError for a file
    that breaks while being read, is silent or too short.
    """
    samples = decode_all(source, digest, settings, work_dir, cache)
    return measured_recording(source, digest, samples, settings, cache, tick)


def decode_all(
    source: Source,
    digest: str,
    settings: Settings,
    work_dir: Path,
    cache: Cache,
    check: Callable[[], None] = lambda: None,
) -> Samples:
    """The samples at both rates; ``check`` is called now and then and may raise to stop."""
    at_16k = decode(source, digest, CREPE_RATE, work_dir / "16k.f32", cache, check)
    if at_16k.peak < _SILENT_PEAK:
        raise AudioFileError(source.path, _silence(at_16k))
    rate = settings.sample_rate
    if rate == CREPE_RATE:
        return Samples(at_16k, at_16k.samples)
    own = decode(source, digest, rate, work_dir / "audio.f32", cache, check)
    return Samples(at_16k, own.samples)


def measured_recording(
    source: Source,
    digest: str,
    samples: Samples,
    settings: Settings,
    cache: Cache,
    tick: Callable[[float], None],
) -> Recording:
    """The recording with its features, from the cache or measured now."""
    name = features_key(digest, settings)
    features = cache.arrays(name)
    if features is None:
        features = measure(samples.at_16k.samples, settings, tick)
        cache.put_arrays(name, features)
    at_16k = samples.at_16k
    return Recording(
        source,
        digest,
        samples.audio,
        at_16k.samples,
        **features,
        peak=at_16k.peak,
        audit=at_16k.audit,
    )


def measure(audio_16k, settings: Settings, tick: Callable[[float], None]) -> Features:
    """f0_hz, f0_confidence and loudness_db `[n_frames]` of audio at 16000 Hz."""
    _wake_tensorflow()
    f0_hz, confidence = _pitch(audio_16k, settings, tick)
    loudness = _loudness(audio_16k, settings)
    return {"f0_hz": f0_hz, "f0_confidence": confidence, "loudness_db": loudness}


def _wake_tensorflow() -> None:
    """Import TensorFlow, once, without its remarks."""
    with _WAKING:
        if "tensorflow" not in sys.modules:
            import_tensorflow()


def _silence(decoded: Decoded) -> str:
    if decoded.audit.get("cancelled_db", 0.0) > CANCELLED_DB:
        return "is silent as mono: its channels cancel each other, export one of them"
    if decoded.peak == 0:
        return "is silent (every sample is zero)"
    return (
        f"is silent (its loudest sample is {20 * np.log10(decoded.peak):.0f} dB below full scale)"
    )


def centred_blocks(audio: np.ndarray, frame: int, hop: int) -> Iterator[np.ndarray]:
    """Stretches of audio, padded by half a frame at both ends, whose frames join seamlessly.

    Cutting each stretch into frames of this hop gives together len(audio)//hop + 1 frames.
    """
    n_frames = len(audio) // hop + 1
    for first in range(0, n_frames, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, n_frames) - 1
        start, stop = first * hop - frame // 2, last * hop + frame // 2
        inside = audio[max(0, start) : min(stop, len(audio))]
        yield np.pad(inside, (max(0, -start), max(0, stop - len(audio)))).astype(np.float32)


def _pitch(audio, settings: Settings, tick) -> tuple[np.ndarray, np.ndarray]:
    from dlwa.ddsp.pitch import open_tracker

    tracker = open_tracker(
        settings.pitch_model,
        settings.frame_rate,
        viterbi=settings.viterbi,
        precision=settings.precision,
    )
    parts = []
    for start in range(0, len(audio), _BLOCK_SAMPLES):
        block = audio[start : start + _BLOCK_SAMPLES]
        parts.append(tracker.push(block))
        tick(len(block) / CREPE_RATE)
    parts.append(tracker.finish())
    f0_hz, confidence = (np.concatenate(series) for series in zip(*parts, strict=True))
    return f0_hz, confidence


def _loudness(audio, settings: Settings) -> np.ndarray:
    from dlwa.ddsp.spectral_ops import compute_loudness

    hop = CREPE_RATE // settings.frame_rate
    parts = [
        compute_loudness(
            block,
            sample_rate=CREPE_RATE,
            frame_rate=settings.frame_rate,
            n_fft=LOUDNESS_FFT,
            use_tf=False,
            padding="valid",
        )
        for block in centred_blocks(audio, LOUDNESS_FFT, hop)
    ]
    return np.concatenate([np.asarray(part, np.float32) for part in parts])
