"""Cutting audio into the 1024-sample frames that CREPE hears."""

import numpy as np

from dlwa.ddsp.pitch.network import FRAME_SIZE

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


def pad_for_frames(audio: np.ndarray, hop: int, padding: str = "center") -> np.ndarray:
    """Add the zeros that the padding asks for.

    "center": half a frame at both ends, so frame i is centred on sample i*hop;
    "same": at the end only, so that there are ceil(n/hop) frames; "valid": none.
    """
    if padding == "center":
        return np.pad(audio, FRAME_SIZE // 2)
    if padding == "same":
        n_frames = -(-len(audio) // hop)
        return np.pad(audio, (0, max(0, (n_frames - 1) * hop + FRAME_SIZE - len(audio))))
    if padding == "valid":
        return audio
    raise ValueError(f"padding={padding!r} must be one of {', '.join(PADDINGS)}")


def cut_frames(padded: np.ndarray, hop: int) -> np.ndarray:
    """Overlapping frames `[n_frames, 1024]`, as a view that copies nothing."""
    if len(padded) < FRAME_SIZE:
        raise ValueError(f"audio of {len(padded)} samples is shorter than one frame ({FRAME_SIZE})")
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME_SIZE)[::hop]
