"""CREPE on a stream of samples, in memory that does not grow with its length."""

import numpy as np

from dlwa.ddsp.pitch.decoding import N_BINS, ViterbiDecoder, local_average_hz
from dlwa.ddsp.pitch.frames import FRAME_SIZE, FrameGrid, check_audio, cut_frames

_BLOCK_FRAMES = 1024
_NOTHING = np.empty([0, N_BINS], np.float32)


class CrepeTracker:
    """Follows the pitch of a stream of 16 kHz samples; see ``open_tracker``.

    It waits for ``at_least`` frames before it listens, since many at once are heard faster.
    """

    def __init__(
        self,
        hop: int,
        padding: str = "center",
        *,
        model: str = "full",
        viterbi: bool = True,
        precision: str = "auto",
        at_least: int = _BLOCK_FRAMES,
    ):
        from dlwa.ddsp.pitch.network import get_network  # brings TensorFlow

        self._grid = FrameGrid(hop, padding)
        self._network = get_network(model, precision)
        self._path = PitchTracker(viterbi)
        self._kept = np.zeros(self._grid.zeros_around(0)[0], np.float32)
        self._n_samples = 0
        self._at_least = at_least

    def push(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take the next samples `[n]`; return f0_hz and confidence of the frames now decided."""
        samples = check_audio(samples)
        self._n_samples += len(samples)
        self._kept = np.concatenate([self._kept, samples])
        return self._hear(self._at_least)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Return f0_hz and confidence of the frames held back."""
        self._grid.n_frames(self._n_samples)  # refuses a recording without a single frame
        self._kept = np.pad(self._kept, (0, self._grid.zeros_around(self._n_samples)[1]))
        return _joined([self._hear(at_least=1), self._path.finish()])

    def _hear(self, at_least: int) -> tuple[np.ndarray, np.ndarray]:
        hop, parts = self._grid.hop, [self._path.push(_NOTHING)]
        while (ready := self._ready_frames()) >= at_least:
            count = min(ready, _BLOCK_FRAMES)
            frames = cut_frames(self._kept, hop)[:count]
            parts.append(self._path.push(self._network.in_batches(frames)))
            self._kept = self._kept[count * hop :]
        return _joined(parts)

    def _ready_frames(self) -> int:
        return max(0, (len(self._kept) - FRAME_SIZE) // self._grid.hop + 1)


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    f0_hz, confidence = (np.concatenate(series) for series in zip(*parts, strict=True))
    return f0_hz, confidence


class PitchTracker:
    """Turns a stream of activations into f0 and confidence, holding back what is undecided yet."""

    def __init__(self, viterbi: bool = True):
        self._decoder = ViterbiDecoder() if viterbi else None
        self._pending = _NOTHING

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
