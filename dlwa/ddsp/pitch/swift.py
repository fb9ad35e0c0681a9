"""SwiftF0: a pitch tracker of 14 thousand numbers, fast on any processor, without TensorFlow.

The package ``swift-f0`` (MIT) hears mono audio at 16 kHz and says the pitch of every 16 ms, with a
confidence that is calibrated so that 0.5 means "probably a note" (Nieradzik, "SwiftF0: Fast and
Accurate Monophonic Pitch Detection", arXiv 2508.18440). Here its frames are brought to the hop
the caller wants, and quiet passages are lifted first, because the network knows none of them.
"""

import functools
import os
from collections.abc import Iterator

import numpy as np

from dlwa.ddsp.pitch.frames import CREPE_SAMPLE_RATE, FrameGrid, check_audio

MODEL = "swift"
RANGE_HZ = (46.875, 2093.75)
_HOP = 256  # samples between two frames of the network; frame k lies around sample k*256
_SLOT = 4096  # samples whose loudest one decides how much they are lifted
_BLOCK_SLOTS = 80  # 20 s are heard at a time
_AROUND = 2  # slots before and after a block that are looked at
_TARGET_PEAK = 0.5
_MAX_GAIN = 10.0 ** (30 / 20)
_SILENT_PEAK = 1e-3  # -60 dB below full scale
_GLIDE = 2.5 / 12  # octaves between neighbours that are still one gliding note
_SLIPS = np.log2([2.0, 3.0, 4.0])  # octaves by which the network mistakes a harmonic for the note
_SLIP_WIDTH = 0.08
_LONGEST_SLIP = 8  # frames: 128 ms
_MAX_THREADS = 4


def available() -> bool:
    """Whether the package swift-f0 is installed."""
    from importlib.util import find_spec

    return find_spec("swift_f0") is not None


def check_available() -> None:
    """Raise FileNotFoundError, which names the package to install, where swift-f0 is absent."""
    if not available():
        raise FileNotFoundError(f"pitch model={MODEL!r} is not installed: pip install swift-f0")


@functools.lru_cache(maxsize=1)
def _detector():
    check_available()
    import swift_f0

    return swift_f0.SwiftF0(threads=min(_MAX_THREADS, os.cpu_count() or 1), spin=False)


class SwiftTracker:
    """Follows the pitch of a stream of 16 kHz samples; see ``open_tracker``.

    The answer does not depend on how the samples are cut into pushes.
    """

    def __init__(self, hop: int, padding: str = "center", viterbi: bool = True):
        self._grid, self._mend = FrameGrid(hop, padding), viterbi
        self.lifter = _Lifter()
        self._stream = _detector().stream(*RANGE_HZ)
        self._pitch_hz, self._confidence = np.empty(0), np.empty(0)
        self._n_samples = self._n_given = self._n_settled = 0

    def push(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take the next samples `[n]`; return f0_hz and confidence of the frames now decided."""
        samples = check_audio(samples)
        self._n_samples += len(samples)
        self._hear(self.lifter.push(samples))
        self._settle(len(self._pitch_hz) - (_LONGEST_SLIP if self._mend else 0))
        return self._give(self._grid.n_frames_before((self._n_settled - 1) * _HOP))

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Return f0_hz and confidence of the frames held back."""
        n_frames = self._grid.n_frames(self._n_samples)
        last = self._grid.centre(n_frames - 1)
        silence = np.zeros(max(0, last + 2 * _HOP - self._n_samples), np.float32)
        self._hear(self.lifter.push(silence))
        self._hear(self.lifter.finish())
        self._keep(self._stream.flush())
        self._settle(len(self._pitch_hz))
        return self._give(n_frames)

    def _hear(self, blocks: Iterator[tuple[np.ndarray, np.ndarray]]) -> None:
        for lifted in blocks:
            self._keep(self._stream.push(lifted, CREPE_SAMPLE_RATE))

    def _keep(self, result) -> None:
        self._pitch_hz = np.append(self._pitch_hz, result.pitch_hz)
        self._confidence = np.append(self._confidence, result.confidence)

    def _settle(self, until: int) -> None:
        """Mend the frames before ``until``; they change no more."""
        until = max(until, self._n_settled)
        if self._mend:
            mend_slips(self._pitch_hz, self._n_settled, until)
        self._n_settled = until

    def _give(self, n_frames: int) -> tuple[np.ndarray, np.ndarray]:
        frames = np.arange(self._n_given, max(self._n_given, n_frames))
        self._n_given += len(frames)
        places = self._grid.centre(frames) / _HOP
        return between_frames(self._pitch_hz, self._confidence, places)


def between_frames(pitch_hz, confidence, places) -> tuple[np.ndarray, np.ndarray]:
    """Pitch and confidence `[n]` at ``places``, counted in frames of the network.

    Pitch moves in equal ratios between two neighbours of one note; where they differ by more than
    a minor third, it is that of the nearer one, so that no note is invented between two.
    """
    if not len(places):
        return np.empty(0, np.float32), np.empty(0, np.float32)
    before = np.clip(np.floor(places).astype(int), 0, max(0, len(pitch_hz) - 2))
    after = np.minimum(before + 1, len(pitch_hz) - 1)
    share = np.clip(places - before, 0.0, 1.0)
    octaves = np.log2(np.maximum(pitch_hz, 1e-3))
    one_note = np.abs(octaves[after] - octaves[before]) <= _GLIDE
    weight = np.where(one_note, share, np.round(share))
    hz = 2.0 ** (octaves[before] + weight * (octaves[after] - octaves[before]))
    sure = confidence[before] + share * (confidence[after] - confidence[before])
    return hz.astype(np.float32), np.clip(sure, 0.0, 1.0).astype(np.float32)


def mend_slips(pitch_hz: np.ndarray, start: int = 0, until: int | None = None) -> None:
    """Take back, in place, jumps to a harmonic or from it that last at most 128 ms.

    Only jumps between ``start`` and ``until`` are judged. A slip leaves the note by an octave, a
    twelfth or two octaves, all at once, and returns to it; a melody hardly does within 128 ms.
    """
    start, until = max(1, start), len(pitch_hz) if until is None else until
    seen = slice(start - 1, until + _LONGEST_SLIP)
    octaves = np.log2(np.maximum(pitch_hz[seen], 1e-3))
    leaps = np.flatnonzero(np.abs(np.diff(octaves)) > _SLIPS[0] - _SLIP_WIDTH) + 1
    for first in leaps[leaps <= until - start]:
        jump = octaves[first] - octaves[first - 1]
        slip = _SLIPS[np.argmin(np.abs(_SLIPS - abs(jump)))] * np.sign(jump)
        after = octaves[first : first + _LONGEST_SLIP + 1] - octaves[first - 1]
        back = np.flatnonzero(np.abs(after) <= _GLIDE)
        if abs(jump - slip) > _SLIP_WIDTH or not len(back):
            continue
        if np.all(np.abs(after[: back[0]] - slip) <= _GLIDE):
            octaves[first : first + back[0]] -= slip
            pitch_hz[seen][first : first + back[0]] *= 2.0**-slip


class _Lifter:
    """Raises quiet passages smoothly towards one level, by at most 30 dB; silence stays silence."""

    def __init__(self) -> None:
        self._kept = np.zeros(_AROUND * _SLOT, np.float32)

    def push(self, samples: np.ndarray) -> Iterator[np.ndarray]:
        """Lifted blocks of 20 s, as soon as what follows them is known."""
        self._kept = np.concatenate([self._kept, samples])
        while len(self._kept) >= (_BLOCK_SLOTS + 2 * _AROUND) * _SLOT:
            yield self._lift(_BLOCK_SLOTS)

    def finish(self) -> Iterator[np.ndarray]:
        """The last block, of the length that is left."""
        rest = len(self._kept) - _AROUND * _SLOT
        n_slots = -(-rest // _SLOT)
        self._kept = np.pad(self._kept, (0, (n_slots + 2 * _AROUND) * _SLOT - len(self._kept)))
        if rest > 0:
            yield self._lift(n_slots)[:rest]

    def _lift(self, n_slots: int) -> np.ndarray:
        seen = self._kept[: (n_slots + 2 * _AROUND) * _SLOT]
        self._kept = self._kept[n_slots * _SLOT :]
        peaks = np.abs(seen).reshape(-1, _SLOT).max(1)
        loudest = np.lib.stride_tricks.sliding_window_view(peaks, 3).max(1)  # with both neighbours
        gains = np.clip(_TARGET_PEAK / np.maximum(loudest, _SILENT_PEAK), 1.0, _MAX_GAIN)
        gains[loudest < _SILENT_PEAK] = 1.0
        centres = (np.arange(len(gains)) + 1.5) * _SLOT
        inside = np.arange(_AROUND * _SLOT, len(seen) - _AROUND * _SLOT)
        return (seen[inside] * np.interp(inside, centres, gains)).astype(np.float32)
