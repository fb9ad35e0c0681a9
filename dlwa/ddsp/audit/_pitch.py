"""A light pitch tracker without TensorFlow: enough to judge recordings before anything is trained.

YIN (de Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music",
JASA 111(4), 2002, steps 2 to 5), its difference function through FFTs over many frames at once.
"""

from dataclasses import dataclass

import numpy as np

from dlwa.ddsp.audit._noise import NoiseMeter

RATE = 16000
HOP = 320
FRAMES_A_SECOND = RATE / HOP
_WINDOW = 1024
_LONGEST = 512  # samples of the longest period: 31 Hz
_SHORTEST = 5  # 3200 Hz
_FFT = 2048
# A dip this deep, or this near to the deepest, is a period: the deepest is often two periods long,
# an octave too low (violin with noise: 4 % of the frames, 0 % with the second rule).
_THRESHOLD = _NEAR_DEEPEST = 0.15
_BATCH = 256
_LOWEST_BIN = 3  # below 23 Hz
_LEAST_FUNDAMENTAL, _MOST_FOREIGN = 0.002, 0.15  # shares of the power below 4 kHz
REACH = _WINDOW + _LONGEST  # samples a frame sees
_TAPER = np.hanning(REACH).astype(np.float32)


@dataclass(frozen=True)
class Track:
    """Pitch, clarity (1: perfectly periodic) and whether it looks like a chord, `[n_frames]`.

    ``noise_db`` is the level of what sounds beneath the notes, below full scale, as long as no note
    is held for most of the ``noise_s`` seconds it was measured on.
    """

    f0_hz: np.ndarray
    clarity: np.ndarray
    chord: np.ndarray
    noise_db: float | None = None
    noise_s: float = 0.0


class LightTracker:
    """Takes blocks of mono audio `[n]` at 16000 Hz, in their order; a frame every 20 ms."""

    def __init__(self):
        self._rest = np.zeros(REACH // 2, np.float32)
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._noise = NoiseMeter(_FFT // 2 + 1)

    def push(self, block: np.ndarray) -> None:
        """Take the next block."""
        audio = np.concatenate([self._rest, np.asarray(block, np.float32)])
        n_frames = max(0, (len(audio) - REACH) // HOP + 1)
        for start in range(0, n_frames, _BATCH):
            count = min(_BATCH, n_frames - start)
            frames = np.lib.stride_tricks.sliding_window_view(audio[start * HOP :], REACH)
            frames = frames[: (count - 1) * HOP + 1 : HOP]
            power = _spectra(frames)
            self._noise.push(power)
            self._parts.append(_measure(frames, power))
        self._rest = audio[n_frames * HOP :]

    def finish(self) -> Track:
        """What was heard in all."""
        self.push(np.zeros(REACH // 2, np.float32))
        if not self._parts:
            return Track(*(np.zeros(0, np.float32) for _ in range(3)))
        parts = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        return Track(*parts, self._noise.floor_db(), self._noise.n_frames / FRAMES_A_SECOND)


def _spectra(frames: np.ndarray) -> np.ndarray:
    """Power spectra `[n, _FFT // 2 + 1]` of frames `[n, REACH]`; each sums to its mean square."""
    scale = 2.0 / (_FFT * float(np.sum(_TAPER**2)))
    return np.square(np.abs(np.fft.rfft(frames * _TAPER, _FFT))) * scale


def _measure(frames: np.ndarray, power: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """f0_hz, clarity and chords of frames `[n, REACH]` with their spectra."""
    normal = _normalised_difference(frames)
    lag = _first_dip(normal)
    period, depth = _between_samples(normal, lag)
    f0_hz = (RATE / period).astype(np.float32)
    clarity = np.clip(1.0 - depth, 0.0, 1.0).astype(np.float32)
    return f0_hz, clarity, looks_like_chord(power, f0_hz)


def _normalised_difference(frames: np.ndarray) -> np.ndarray:
    """YIN's d'(lag), `[n, _LONGEST]`: 1 where nothing repeats, 0 where all does."""
    frames = frames - frames.mean(axis=1, keepdims=True)
    head = np.fft.rfft(frames[:, :_WINDOW], _FFT)
    product = np.fft.irfft(np.conj(head) * np.fft.rfft(frames, _FFT), _FFT)[:, :_LONGEST]
    energy = np.cumsum(np.square(frames, dtype=np.float64), axis=1)
    energy = np.pad(energy, ((0, 0), (1, 0)))
    ahead = energy[:, _WINDOW : _WINDOW + _LONGEST] - energy[:, :_LONGEST]
    difference = np.maximum(ahead[:, :1] + ahead - 2.0 * product, 0.0)
    difference[:, 0] = 0.0
    total = np.cumsum(difference, axis=1)
    lags = np.arange(_LONGEST)
    with np.errstate(divide="ignore", invalid="ignore"):
        normal = np.where(total > 1e-9, difference * lags / total, 1.0)
    normal[:, 0] = 1.0
    return normal


def _first_dip(normal: np.ndarray) -> np.ndarray:
    """The first lag whose dip is deep, or nearly as deep as the deepest of all."""
    inner = normal[:, _SHORTEST:-1]
    dips = (inner <= normal[:, _SHORTEST - 1 : -2]) & (inner < normal[:, _SHORTEST + 1 :])
    deepest = np.where(dips, inner, 2.0).min(axis=1, keepdims=True)
    low = dips & (inner < np.maximum(_THRESHOLD, deepest + _NEAR_DEEPEST))
    return _SHORTEST + low.argmax(axis=1)


def _between_samples(normal: np.ndarray, lag: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The dip's place and depth by a parabola through three points."""
    rows = np.arange(len(lag))
    left, middle, right = (normal[rows, lag + i] for i in (-1, 0, 1))
    bend = left - 2.0 * middle + right
    shift = np.where(bend > 1e-12, 0.5 * (left - right) / np.maximum(bend, 1e-12), 0.0)
    shift = np.clip(shift, -0.5, 0.5)
    return lag + shift, middle - 0.25 * (left - right) * shift


def looks_like_chord(power: np.ndarray, f0_hz: np.ndarray) -> np.ndarray:
    """True for the frames whose f0 is not that of a single note, `[n]`, from their spectra.

    Of a chord YIN finds a common period, far below its notes (C-E-G: harmonics 4, 5 and 6), where
    nothing sounds; or much power lies between the harmonics. Measured on renderings: 0-21 % of
    the frames of eleven instruments playing single notes, 50-99 % of two to four notes at once.
    """
    power = power[:, : _FFT // 4].copy()
    power[:, :_LOWEST_BIN] = 0.0
    f0_bins = (f0_hz * _FFT / RATE)[:, None]
    bins = np.arange(power.shape[1])
    total = np.maximum(power.sum(axis=1), 1e-15)
    around_f0 = (bins >= 0.5 * f0_bins) & (bins < 1.5 * f0_bins)
    fundamental = np.where(around_f0, power, 0.0).sum(axis=1) / total
    harmonic = np.maximum(np.round(bins / f0_bins), 1.0) * f0_bins
    # A vibrato smears the upper harmonics: the comb's teeth widen upwards.
    reach = np.minimum(3.0 + 0.012 * bins, np.maximum(0.3 * f0_bins, 3.0))
    foreign = np.where(np.abs(bins - harmonic) > reach, power, 0.0).sum(axis=1) / total
    return (fundamental < _LEAST_FUNDAMENTAL) | (foreign > _MOST_FOREIGN)
