"""Cutting audio into the 1024-sample frames that CREPE hears, and where the frames lie."""

from dataclasses import dataclass

import numpy as np

FRAME_SIZE = 1024
CREPE_SAMPLE_RATE = 16000
PADDINGS = ("center", "same", "valid")


def check_audio(audio) -> np.ndarray:
    """Return mono audio as float32 `[n]`; ValueError for another rank or for no finite numbers."""
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 1:
        raise ValueError(f"audio must be mono of shape [n], got {list(audio.shape)}")
    if not np.all(np.isfinite(audio)):
        raise ValueError("audio must be finite, it holds NaN or infinity")
    return audio


def hop_for(frame_rate: float, sample_rate: int = CREPE_SAMPLE_RATE) -> int:
    """Samples between two frames, e.g. 64 at 16000 Hz and 250 frames/s (rounded down)."""
    if not 0 < frame_rate <= sample_rate:
        raise ValueError(f"frame_rate={frame_rate} must be positive and at most {sample_rate}")
    return int(sample_rate // frame_rate)


@dataclass(frozen=True)
class FrameGrid:
    """How many frames a recording has and which samples they lie around.

    With padding "center" frame i lies around sample i*hop, and there are n//hop + 1; with "same"
    it starts there, and there are ceil(n/hop); with "valid" only whole frames count.
    """

    hop: int
    padding: str = "center"

    def __post_init__(self) -> None:
        if self.padding not in PADDINGS:
            raise ValueError(f"padding={self.padding!r} must be one of {', '.join(PADDINGS)}")

    def zeros_around(self, n_samples: int) -> tuple[int, int]:
        """Zeros that must stand before and after ``n_samples`` for the frames to be whole."""
        if self.padding == "center":
            return FRAME_SIZE // 2, FRAME_SIZE // 2
        if self.padding == "same":
            n_frames = -(-n_samples // self.hop)
            return 0, max(0, (n_frames - 1) * self.hop + FRAME_SIZE - n_samples)
        return 0, 0

    def n_frames(self, n_samples: int) -> int:
        """Frames of a recording; ValueError where it has not one."""
        padded = n_samples + sum(self.zeros_around(n_samples))
        if padded < FRAME_SIZE:
            raise ValueError(f"audio of {padded} samples is shorter than one frame ({FRAME_SIZE})")
        return (padded - FRAME_SIZE) // self.hop + 1

    def centre(self, frame):
        """The sample around which a frame (or each of an array) lies."""
        return frame * self.hop + FRAME_SIZE // 2 - self.zeros_around(0)[0]

    def n_frames_before(self, sample: int) -> int:
        """Frames whose centre lies at or before a sample."""
        return max(0, (sample - self.centre(0)) // self.hop + 1)


def cut_frames(padded: np.ndarray, hop: int) -> np.ndarray:
    """Overlapping frames `[n_frames, 1024]`, as a view that copies nothing."""
    if len(padded) < FRAME_SIZE:
        raise ValueError(f"n_samples={len(padded)} is shorter than one frame ({FRAME_SIZE})")
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME_SIZE)[::hop]
