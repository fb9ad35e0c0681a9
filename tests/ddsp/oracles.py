"""What the signal library should compute, spelt out in NumPy with float64.

Written from the formulas (docs and papers), sample by sample where that is clearer; nothing here
calls TensorFlow or dlwa.
"""

import math

import numpy as np


def midi_to_hz(midi):
    return 440.0 * 2.0 ** ((np.asarray(midi, float) - 69.0) / 12.0)


def hz_to_midi(hz):
    hz = np.asarray(hz, float)
    return np.where(hz > 0, 12 * np.log2(np.where(hz > 0, hz, 1.0) / 440.0) + 69, 0.0)


def sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def exp_sigmoid(x, exponent=10.0, max_value=2.0, threshold=1e-7):
    return max_value * sigmoid(np.asarray(x, float)) ** math.log(exponent) + threshold


def _cubic_kernel(x, a=-0.75):
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def resample(x, n, method="linear", add_endpoint=True):
    """`[batch, n_frames, ...]` read at n places, one after the other."""
    x = np.asarray(x, float)
    frames = x.shape[1]
    if method == "window":
        return windows(x, n, add_endpoint)
    out = np.zeros((x.shape[0], n, *x.shape[2:]))
    last = frames - 1
    for j in range(n):
        top, bottom = (j * frames, n) if add_endpoint else (j * last, max(n - 1, 1))
        i, rest = divmod(top, bottom)
        share = rest / bottom
        if method == "nearest":
            out[:, j] = x[:, min(last, i + (share >= 0.5 and not add_endpoint))]
        elif method == "linear":
            out[:, j] = x[:, i] * (1 - share) + x[:, min(last, i + 1)] * share
        else:
            for k in range(-1, 3):
                out[:, j] += x[:, min(last, max(0, i + k))] * _cubic_kernel(share - k)
    return out


def windows(x, n, add_endpoint=True):
    """Overlap-add of Hann windows two hops long, one a frame."""
    if add_endpoint:
        x = np.concatenate([x, x[:, -1:]], axis=1)
    hop = n // (x.shape[1] - 1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2 * hop) / (2 * hop))
    out = np.zeros((x.shape[0], n + 2 * hop, *x.shape[2:]))
    for i in range(x.shape[1]):
        grown = x[:, i : i + 1] * hann.reshape([1, -1] + [1] * (x.ndim - 2))
        out[:, i * hop : (i + 2) * hop] += grown
    return out[:, hop:-hop]


def oscillators(hz, amplitudes, rate):
    """Sum of sines `[batch, n_samples, k]`; what lies at or above rate / 2 is silent."""
    phase = 2 * np.pi * np.cumsum(np.asarray(hz, float), axis=1) / rate
    audible = np.asarray(hz) < rate / 2
    return np.sum(np.sin(phase) * amplitudes * audible, axis=-1)


def harmonics(f0_hz, amplitudes, n, rate, method="window", shifts=0.0):
    """f0 `[batch, frames, 1]`, amplitudes `[batch, frames, k]` -> sound `[batch, n]`."""
    numbers = np.arange(1, np.shape(amplitudes)[-1] + 1)
    hz = np.asarray(f0_hz, float) * numbers * (1 + shifts)
    return oscillators(resample(hz, n), resample(amplitudes, n, method), rate)


def convolve(audio, responses):
    """Each block of the sound with its own response, `[batch, n]` and `[batch, frames, m]`."""
    audio, responses = np.asarray(audio, float), np.asarray(responses, float)
    n, frames = audio.shape[1], responses.shape[1]
    block = -(-n // frames)
    out = np.zeros((audio.shape[0], frames * block + responses.shape[2] - 1))
    for b in range(audio.shape[0]):
        for i in range(frames):
            part = audio[b, i * block : (i + 1) * block]
            filtered = np.convolve(part, responses[min(b, len(responses) - 1), i])
            out[b, i * block : i * block + len(filtered)] += filtered
    return out


def lookup(phase, tables):
    """Circular tables `[n, w]` read at phases `[n]`, linearly."""
    width = tables.shape[-1]
    position = np.asarray(phase, float) * width
    below = np.floor(position).astype(int)
    share = position - below
    rows = np.arange(len(position))
    return tables[rows, below % width] * (1 - share) + tables[rows, (below + 1) % width] * share
