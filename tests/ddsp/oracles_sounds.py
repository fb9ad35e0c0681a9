"""What synthesizers and effects should compute, in NumPy with float64 (see oracles.py)."""

import numpy as np

from tests.ddsp import oracles


def shares(distribution, f0_hz=None, rate=None):
    """Shares of the harmonics, adding up to one; those at or above rate / 2 get none."""
    if rate is not None:
        numbers = np.arange(1, distribution.shape[-1] + 1)
        distribution = np.where(f0_hz * numbers < rate / 2, distribution, 0.0)
    total = distribution.sum(-1, keepdims=True)
    return distribution / np.where(total == 0.0, 1e-7, total)


def harmonic(amplitudes, distribution, f0_hz, n, rate=16000, method="window"):
    parts = shares(oracles.exp_sigmoid(distribution), f0_hz, rate)
    return oracles.harmonics(f0_hz, oracles.exp_sigmoid(amplitudes) * parts, n, rate, method)


def hann(n):
    """As tf.signal's: periodic for even lengths, symmetric for odd ones."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / max(1, n - n % 2))


def filter_response(magnitudes, window_size=0):
    """Linear-phase impulse responses `[..., n]`."""
    n = 2 * (magnitudes.shape[-1] - 1)
    around_zero = np.fft.irfft(magnitudes, n)
    if window_size <= 0 or window_size >= n:
        return np.fft.fftshift(np.fft.fftshift(hann(n)) * around_zero, axes=-1)
    window, half = hann(window_size), (window_size + 1) // 2
    window = np.concatenate([window[half:], np.zeros(n - window_size), window[:half]])
    windowed = window * around_zero
    return np.concatenate([windowed[..., n - half + 2 :], windowed[..., : half + 1]], axis=-1)


def filtered(audio, magnitudes, window_size=0):
    responses = filter_response(magnitudes, window_size)
    start, n = max(0, (responses.shape[-1] - 1) // 2 - 1), audio.shape[1]
    full = oracles.convolve(audio, responses)
    return np.pad(full, [[0, 0], [0, start + n]])[:, start : start + n]


def wavetable(amplitudes, tables, f0_hz, n, rate):
    hz = oracles.resample(f0_hz, n)[..., 0]
    cycles = np.cumsum(hz / rate, axis=1) - hz / rate
    changing = oracles.resample(tables, n) if tables.ndim == 3 else np.repeat(tables[:, None], n, 1)
    sound = [oracles.lookup(p % 1.0, t) for p, t in zip(cycles, changing, strict=True)]
    return np.array(sound) * oracles.windows(amplitudes, n)[..., 0]


def in_a_room(audio, ir, add_dry=True):
    """Each sound with its own response, whose first sample does not count."""
    ir = np.concatenate([np.zeros_like(ir[:, :1]), ir[:, 1:]], axis=1)
    rows = [np.convolve(a, h)[: len(a)] for a, h in zip(audio, ir, strict=True)]
    return np.array(rows) + (audio if add_dry else 0.0)


def delayed(phase, audio, length):
    """Each sample mixed from those `phase * length` before, `length` being none again."""
    past = np.concatenate([np.zeros((len(audio), length)), audio], axis=1)
    out = np.zeros_like(audio)
    for b in range(audio.shape[0]):
        for i in range(audio.shape[1]):
            newest_first = past[b, i + 1 : i + length + 1][::-1]
            out[b, i] = oracles.lookup(phase[b, i : i + 1], newest_first[np.newaxis])[0]
    return out
