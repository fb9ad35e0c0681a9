"""Sounds with a known pitch, made here so that tests need no files from elsewhere."""

from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent.parent / "golden"
RATE = 16000


def harmonic_tone(f0_hz, rate=RATE, n_harmonics=8, amplitude=0.5):
    """A tone whose pitch follows ``f0_hz`` (one value a sample), harmonics falling as 1/k."""
    phase = 2 * np.pi * np.cumsum(np.asarray(f0_hz, np.float64)) / rate
    audible = [k for k in range(1, n_harmonics + 1) if k * np.max(f0_hz) < rate / 2]
    audio = sum(np.sin(k * phase) / k for k in audible)
    return (amplitude * audio / np.max(np.abs(audio))).astype(np.float32)


def steady(hz, seconds, rate=RATE, **more):
    """A tone of one pitch."""
    return harmonic_tone(np.full(int(seconds * rate), float(hz)), rate, **more)


def melody(seconds, seed=0, rate=RATE, rest_s=0.1):
    """Notes of half a second with swells, vibrato, rests: audio and true f0 (0 in rests)."""
    random = np.random.default_rng(seed)
    f0, gain = [], []
    while sum(map(len, f0)) < seconds * rate:
        n = int(0.5 * rate)
        t = np.arange(n) / rate
        hz = 440 * 2 ** ((random.integers(55, 80) - 69) / 12)
        f0.append(hz * 2 ** (0.2 / 12 * np.sin(2 * np.pi * 5.5 * t)))
        gain.append(random.uniform(0.2, 1.0) * np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 0.5)
        f0.append(np.full(int(rest_s * rate), f0[-1][-1]))
        gain.append(np.zeros(int(rest_s * rate)))
    n = int(seconds * rate)
    f0, gain = np.concatenate(f0)[:n], np.concatenate(gain)[:n]
    return (harmonic_tone(f0, rate) * gain).astype(np.float32), np.where(gain > 0, f0, 0.0)
