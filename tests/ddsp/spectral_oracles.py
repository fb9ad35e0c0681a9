"""What the measurements of sound should give, spelt out in NumPy with float64.

Nothing here calls TensorFlow or dlwa.
"""

import numpy as np


def frames(audio, size, hop, pad_end=True):
    n = audio.shape[-1]
    count = -(-n // hop) if pad_end else (n - size) // hop + 1
    padded = np.pad(audio.astype(float), [[0, 0], [0, max(0, (count - 1) * hop + size - n)]])
    return np.stack([padded[:, i * hop : i * hop + size] for i in range(count)], axis=1)


def hann(size):
    odd = size % 2
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - odd))


def magnitudes(audio, size, overlap, pad_end=True):
    cut = frames(audio, size, int(size * (1 - overlap)), pad_end) * hann(size)
    return np.abs(np.fft.rfft(cut, 1 << (size - 1).bit_length()))


def mel_triangles(bins, n_frequencies, rate, low, high):
    def mel(hz):
        return 1127.0 * np.log1p(np.asarray(hz) / 700.0)

    hz = mel(np.linspace(0, rate / 2, n_frequencies))[:, np.newaxis]
    edges = np.linspace(mel(low), mel(high), bins + 2)
    rise = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    matrix = np.maximum(0, np.minimum(rise, fall))
    matrix[0] = 0
    return matrix


def frames_at_rate(audio, rate, frame_rate, size):
    count = int(audio.shape[1] * frame_rate / rate) + 1
    padded = np.pad(audio.astype(float), [[0, 0], [size // 2, size]])
    starts = [round(j * rate / frame_rate) for j in range(count)]
    return np.stack([padded[:, s : s + size] for s in starts], axis=1)


def a_weighting(hz):
    """IEC 61672-1, with the gain of 2.0 dB that makes 1 kHz 0 dB."""
    f = np.maximum(np.asarray(hz, float), 1e-9) ** 2
    ra = 12194.217**2 * f**2 / (f + 20.598997**2) / (f + 12194.217**2)
    ra /= np.sqrt((f + 107.65265**2) * (f + 737.86223**2))
    return np.maximum(20 * np.log10(ra) + 2.0, -80.0)


def loudness(audio, rate, frame_rate, size, range_db=80.0, ref_db=0.0):
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    power = np.abs(np.fft.rfft(frames_at_rate(audio, rate, frame_rate, size) * window)) ** 2
    weights = 10 ** (a_weighting(np.arange(size // 2 + 1) * rate / size) / 10)
    db = 10 * np.log10(np.maximum(np.mean(power * weights, -1), 10 ** (-range_db / 10)))
    return np.maximum(db - ref_db, -range_db)
