"""One recording, measured: its samples on disk, its pitch, confidence and loudness in memory.

The recording is streamed, so a two-hour file needs no more memory than a short one but for the
three features (3 kB a second). Feature frames are centred on the samples they describe: frame j
lies around sample j*hop, as the synthesiser later uses it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlwa.ddsp.audio_io import AudioFileError, stream_audio
from dlwa.ddsp.pitch import CREPE_FRAME_SIZE, PitchTracker, get_network
from dlwa.ddsp.spectral_ops import compute_loudness
from dlwa.ddsp.training.data_preparation._settings import CREPE_RATE, Settings
from dlwa.ddsp.training.data_preparation._sources import Source

LOUDNESS_FFT = 512
_SAMPLE_BYTES = 4
_BLOCK_FRAMES = 2048
_SILENT_PEAK = 1e-3  # -60 dB below full scale


@dataclass(frozen=True)
class StoredSamples:
    """Float32 samples in a file; slices of them are read when asked for."""

    file: Path

    def __len__(self) -> int:
        return self.file.stat().st_size // _SAMPLE_BYTES

    def __getitem__(self, part: slice) -> np.ndarray:
        start, stop, _ = part.indices(len(self))
        count = max(0, stop - start)
        return np.fromfile(self.file, "<f4", count, offset=start * _SAMPLE_BYTES)


@dataclass(frozen=True)
class Recording:
    """A measured recording; features are `[n_frames]`, audio is `[n_samples]` on disk."""

    source: Source
    audio: StoredSamples
    audio_16k: StoredSamples
    f0_hz: np.ndarray
    f0_confidence: np.ndarray
    loudness_db: np.ndarray
    peak: float

    @property
    def n_frames(self) -> int:
        """Whole frames of audio, the last centre beyond the end not counted."""
        return len(self.f0_hz) - 1


def analyse(
    source: Source, settings: Settings, work_dir: Path, tick: Callable[[float], None]
) -> Recording:
    """Decode and measure one recording.

    ``tick`` is called with the seconds done since the last call. Raises AudioFileError for a file
    that breaks while being read, is silent or too short.
    """
    audio_16k, peak = _decode(source, CREPE_RATE, work_dir / "16k.f32")
    if peak < _SILENT_PEAK:
        raise AudioFileError(source.path, _silence(peak))
    audio = audio_16k
    if settings.sample_rate != CREPE_RATE:
        audio, _ = _decode(source, settings.sample_rate, work_dir / "audio.f32")
    f0_hz, confidence = _pitch(audio_16k, settings, tick)
    loudness = _loudness(audio_16k, settings)
    return Recording(source, audio, audio_16k, f0_hz, confidence, loudness, peak)


def _silence(peak: float) -> str:
    if peak == 0:
        return "is silent (every sample is zero)"
    return f"is silent (its loudest sample is {20 * np.log10(peak):.0f} dB below full scale)"


def _decode(source: Source, rate: int, file: Path) -> tuple[StoredSamples, float]:
    """Write the samples at this rate to ``file``; return them, and their peak."""
    peak = 0.0
    with file.open("wb") as stream:
        for block in stream_audio(source.path, rate):
            if len(block):
                peak = max(peak, float(np.abs(block).max()))
                stream.write(np.ascontiguousarray(block, "<f4").tobytes())
    if not file.stat().st_size:
        raise AudioFileError(source.path, "holds no samples")
    return StoredSamples(file), peak


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
    hop = CREPE_RATE // settings.frame_rate
    network = get_network(settings.pitch_model, settings.precision)
    tracker = PitchTracker(settings.viterbi)
    parts = []
    for block in centred_blocks(audio, CREPE_FRAME_SIZE, hop):
        frames = np.lib.stride_tricks.sliding_window_view(block, CREPE_FRAME_SIZE)[::hop]
        parts.append(tracker.push(network.in_batches(frames)))
        tick(len(frames) / settings.frame_rate)
    parts.append(tracker.finish())
    f0_hz, confidence = (np.concatenate(series) for series in zip(*parts, strict=True))
    return f0_hz, confidence


def _loudness(audio, settings: Settings) -> np.ndarray:
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
