"""The pitch of a recording: fundamental frequency and confidence for every frame."""

import gin
import numpy as np

from dlwa.ddsp.pitch.tracking import open_tracker


@gin.register(module="dlwa.ddsp.spectral_ops")
def compute_f0(
    audio,
    frame_rate: float,
    viterbi: bool = True,
    padding: str = "center",
    *,
    model: str = "full",
    precision: str = "float32",
) -> tuple[np.ndarray, np.ndarray]:
    """Find the pitch of a monophonic recording with CREPE or with the faster SwiftF0.

    Args:
        audio: mono audio at 16000 Hz, `[n]`.
        frame_rate: frames per second; the hop is 16000 // frame_rate samples.
        viterbi: follow the likeliest smooth path instead of the loudest bin of each frame
            (SwiftF0: take back slips to a harmonic that last at most 128 ms).
        padding: "center" (frame i is centred on sample i*hop), "same" or "valid".
        model: size of CREPE (tiny, small, medium, large or full), or "swift".
        precision: of CREPE: "float32", "bfloat16", or "auto" for the faster one here.

    Returns:
        f0_hz `[n_frames]` and f0_confidence `[n_frames]` (0...1), float32.

    Raises:
        ValueError: audio that is not mono, not finite or shorter than a frame; unknown options.
        FileNotFoundError: this model is not installed.

    Example:
        >>> audio = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
        >>> f0_hz, f0_confidence = compute_f0(audio, 50, model="tiny")
        >>> f0_hz.shape, round(float(np.median(f0_hz)))
        ((51,), 440)
    """
    tracker = open_tracker(model, frame_rate, viterbi=viterbi, padding=padding, precision=precision)
    parts = [tracker.push(audio), tracker.finish()]
    f0_hz, confidence = (np.concatenate(series) for series in zip(*parts, strict=True))
    return f0_hz, confidence
