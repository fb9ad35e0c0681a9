"""How loud a recording is, where it clips, how much of it is silent: one pass over its samples."""

from dataclasses import dataclass

import numpy as np

FRAME_S = 0.05
FLOOR_DB = -96.0  # 16-bit silence
_FLAT_RUN = 4  # so many equal samples at the very top are no sound, they are a wall
_LOUD_ENOUGH_TO_CLIP = 0.3
_SILENT_BELOW_TOP_DB = 45.0
_SILENT_BELOW_DB = -70.0


@dataclass(frozen=True)
class Levels:
    """What the meter saw: peak 0...1 (above 1 in float files), level of each frame in dB.

    ``cancelled_db`` is how much softer the average of the channels is than it would be if all but
    the loudest were empty: much where a cable turned one of them upside down, else 0.
    """

    peak: float
    flat_tops: int
    frames_db: np.ndarray
    cancelled_db: float = 0.0

    @property
    def top_db(self) -> float:
        """The level of the loud places."""
        return float(np.percentile(self.frames_db, 95)) if len(self.frames_db) else FLOOR_DB

    @property
    def silent(self) -> np.ndarray:
        """True for the frames `[n]` in which nothing is heard."""
        return self.frames_db < max(self.top_db - _SILENT_BELOW_TOP_DB, _SILENT_BELOW_DB)


class LevelMeter:
    """Takes blocks `[frames, channels]` at the recording's own rate, in their order."""

    def __init__(self, sample_rate: int):
        self._size = max(1, round(FRAME_S * sample_rate))
        self._rest = np.zeros(0, np.float32)
        self._frames: list[np.ndarray] = []
        self._peak = 0.0
        self._flat_tops = 0
        self._energy = np.zeros(2)  # of the average: of the loudest channel alone, of all

    def push(self, block: np.ndarray) -> None:
        """Take the next block."""
        if not len(block):
            return
        self._look_for_flat_tops(np.abs(block))
        # A channel that is empty must not make the other one look softer.
        square = np.square(block, dtype=np.float32)
        power = square.max(axis=1)
        if block.shape[1] > 1:
            average = block.mean(axis=1, dtype=np.float32)
            alone = square.sum(axis=0).max() / block.shape[1] ** 2
            self._energy += alone, np.dot(average, average)
        joined = np.concatenate([self._rest, power])
        whole = len(joined) // self._size * self._size
        self._frames.append(joined[:whole].reshape(-1, self._size).mean(axis=1))
        self._rest = joined[whole:]

    def finish(self) -> Levels:
        """What was seen in all."""
        n_frames = sum(map(len, self._frames))
        if len(self._rest) and (len(self._rest) > self._size // 2 or not n_frames):
            self._frames.append(self._rest.mean(keepdims=True))
        power = np.concatenate(self._frames) if self._frames else np.zeros(0, np.float32)
        frames_db = 10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0)))
        alone, average = np.maximum(self._energy, 1e-12)
        lost_db = max(0.0, float(10.0 * np.log10(alone / average)))
        return Levels(self._peak, self._flat_tops, frames_db.astype(np.float32), lost_db)

    def _look_for_flat_tops(self, size: np.ndarray) -> None:
        """Count runs of equal samples at the highest level so far, whatever level that is."""
        peak = float(size.max())
        if peak > self._peak:
            self._peak, self._flat_tops = peak, 0
        if peak < self._peak or peak < _LOUD_ENOUGH_TO_CLIP:
            return
        at_top = np.pad(size >= self._peak, ((1, 1), (0, 0)))
        edges = np.diff(at_top.astype(np.int8), axis=0)
        for channel in edges.T:
            begins, ends = np.flatnonzero(channel == 1), np.flatnonzero(channel == -1)
            self._flat_tops += int((ends - begins >= _FLAT_RUN).sum())
