"""The pitch of a recording: fundamental frequency and confidence for every frame."""

import numpy as np

from dlwa.ddsp.pitch.decoding import ViterbiDecoder, local_average_hz
from dlwa.ddsp.pitch.frames import check_audio, cut_frames, hop_for, pad_for_frames
from dlwa.ddsp.pitch.network import get_network

_BLOCK_FRAMES = 4096  # activations kept at a time: 6 MB


def compute_f0(
    audio,
    frame_rate: float,
    viterbi: bool = True,
    padding: str = "center",
    *,
    model: str = "full",
    precision: str = "float32",
) -> tuple[np.ndarray, np.ndarray]:
    """Find the pitch of a monophonic recording with CREPE.

    Args:
        audio: mono audio at 16000 Hz, `[n]`.
        frame_rate: frames per second; the hop is 16000 // frame_rate samples.
        viterbi: follow the likeliest smooth path instead of the loudest bin of each frame.
        padding: "center" (frame i is centred on sample i*hop), "same" or "valid".
        model: size of the network: tiny, small, medium, large or full.
        precision: "float32", "bfloat16", or "auto" for the faster one of this machine.

    Returns:
        f0_hz `[n_frames]` and f0_confidence `[n_frames]` (0...1), float32.

    Raises:
        ValueError: audio that is not mono, not finite or shorter than a frame; unknown options.
        FileNotFoundError: the weights of this model are not installed.
    """
    audio = check_audio(audio)
    hop = hop_for(frame_rate)
    frames = cut_frames(pad_for_frames(audio, hop, padding), hop)
    network = get_network(model, precision)
    tracker = PitchTracker(viterbi)
    parts = [
        tracker.push(network.in_batches(frames[start : start + _BLOCK_FRAMES]))
        for start in range(0, len(frames), _BLOCK_FRAMES)
    ]
    parts.append(tracker.finish())
    f0_hz, confidence = (np.concatenate(series) for series in zip(*parts, strict=True))
    return f0_hz, confidence


class PitchTracker:
    """Turns a stream of activations into f0 and confidence, holding back what is undecided yet."""

    def __init__(self, viterbi: bool = True):
        self._decoder = ViterbiDecoder() if viterbi else None
        self._pending = np.empty([0, 360], np.float32)

    def push(self, activations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take activations `[t, 360]`; return f0_hz and confidence of the frames now decided."""
        self._pending = np.concatenate([self._pending, activations])
        loudest = activations.argmax(1)
        return self._release(self._decoder.push(loudest) if self._decoder else loudest)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Return f0_hz and confidence of the frames held back."""
        return self._release(self._decoder.finish() if self._decoder else np.empty(0, int))

    def _release(self, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        decided, self._pending = self._pending[: len(centers)], self._pending[len(centers) :]
        f0_hz = np.nan_to_num(local_average_hz(decided, centers)).astype(np.float32)
        return f0_hz, np.nan_to_num(decided.max(1, initial=0.0)).astype(np.float32)
