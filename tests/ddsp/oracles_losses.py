"""What losses should be, in NumPy with float64 (see oracles.py)."""

import itertools

import numpy as np
from scipy import special, stats

from tests.ddsp import oracles
from tests.ddsp.oracles_sounds import hann


def difference(target, value, kind="L1", weights=1.0):
    apart = np.asarray(target, float) - value
    if kind == "COSINE":
        lengths = [np.maximum(np.linalg.norm(x, axis=-1), 1e-6) for x in (target, value)]
        cosine = np.sum(np.asarray(target, float) * value, axis=-1) / (lengths[0] * lengths[1])
        return np.mean(1.0 - cosine)
    return np.mean(np.abs(apart * weights)) if kind == "L1" else np.mean(apart**2 * weights)


def magnitudes(audio, size):
    """Frames every quarter of their size, the last ones filled up with zeros; Hann window."""
    hop, n = int(size * 0.25), audio.shape[1]
    n_frames = -(-n // hop)
    padded = np.pad(audio, [[0, 0], [0, n_frames * hop + size - n]])
    frames = np.stack([padded[:, i * hop : i * hop + size] for i in range(n_frames)], axis=1)
    return np.abs(np.fft.rfft(frames * hann(size), 1 << (size - 1).bit_length()))


def loudness(audio, size=2048, hop=64, rate=16000):
    padded = np.pad(audio, [[0, 0], [size // 2] * 2])
    n_frames = 1 + (padded.shape[1] - size) // hop
    frames = np.stack([padded[:, i * hop : i * hop + size] for i in range(n_frames)], axis=1)
    hz = np.fft.rfftfreq(size, 1 / rate) ** 2
    bend = hz + 107.65265**2, hz + 737.86223**2
    with np.errstate(divide="ignore"):
        curve = 12194.217**2 * hz**2 / (hz + 20.598997**2) / (hz + 12194.217**2)
        db = 2.0 + 20 * np.log10(curve / np.sqrt(bend[0] * bend[1]))
    power = np.abs(np.fft.rfft(frames * hann(size))) ** 2 * 10 ** (np.maximum(db, -80.0) / 10)
    return np.maximum(10 * np.log10(np.maximum(power.mean(-1), 1e-8)), -80.0)


def spectral(target, value, sizes, kind="L1", **weights):
    """`weights` by name: mag, delta_time, delta_freq, cumsum_freq, logmag, loudness."""
    views = {
        "mag": lambda x: x,
        "delta_time": lambda x: np.diff(x, axis=1),
        "delta_freq": lambda x: np.diff(x, axis=2),
        "cumsum_freq": lambda x: np.cumsum(x, axis=2),
        "logmag": lambda x: np.log(np.where(x <= 0, 1e-5, x)),
    }
    total = 0.0
    for size in sizes:
        pair = magnitudes(target, size), magnitudes(value, size)
        for name, view in views.items():
            weight = weights.get(name, 0.0)
            if weight:
                total += weight * difference(view(pair[0]), view(pair[1]), kind)
    if weights.get("loudness"):
        total += weights["loudness"] * difference(loudness(target), loudness(value), kind)
    return np.asarray(total)


def moved_mass(u, v, u_weights, v_weights, p=1.0):
    """Distance of two heaps of mass on a line; the weights are taken as they are."""
    points = np.sort(np.concatenate([u, v]))
    total = 0.0
    for left, right in itertools.pairwise(points):
        heaps = u_weights[u <= left].sum() - v_weights[v <= left].sum()
        total += (right - left) * abs(heaps) ** p
    return total ** (1 / p)


def kde(midi, amps, freqs, scale):
    """Log density of pitches `[n]` under Gaussians at the sinusoids, weighed by amplitude."""
    amps = np.where(amps == 0.0, 1e-7, amps)
    gaps = midi[:, None] - oracles.hz_to_midi(freqs)
    return special.logsumexp(
        stats.norm.logpdf(gaps, scale=scale) + np.log(amps / amps.sum()), axis=-1
    )


def kde_nll(amps, freqs, amps_target, freqs_target, scale):
    """Mean over frames `[n_frames, k]` of the likelihood of one bank in the other's picture."""
    rows = zip(amps, freqs, amps_target, freqs_target, strict=True)
    return np.mean(
        [
            np.mean(-kde(oracles.hz_to_midi(f), at, ft, scale) * a / (a.sum() or 1e-7))
            for a, f, at, ft in rows
        ]
    )


def mismatch(f0_hz, freqs, amps, *, scales=(0.5, 0.2), points=10, gaussians=30, rate=16000):
    """Both mismatches of one candidate with one frame of sinusoids `[k]`."""
    ratios = freqs / f0_hz
    harmonics = np.arange(1, gaussians + 1)
    under = stats.norm.logpdf(ratios[:, None] - harmonics, scale=scales[1]) - np.log(gaussians)
    sinusoids = np.sum(-special.logsumexp(under, axis=-1) * amps) / amps.sum()
    expected = f0_hz * np.arange(1, points + 1)
    audible = (expected < rate / 2).astype(float)
    weights = np.linspace(1.0, 1.0 / points, points) * audible / (audible.mean() or 1e-7)
    nll = -kde(oracles.hz_to_midi(expected), amps, freqs, scales[0])
    return sinusoids, np.mean(nll * weights)


def note_paths(pitch, amps, n_pitches, avg_length, midi_std=0.5):
    """Log probability of a curve with every path of hidden notes `{path: log p}`."""
    stay = 1 - 1 / avg_length
    move = np.full((n_pitches, n_pitches), (1 - stay) / (n_pitches - 1))
    np.fill_diagonal(move, stay)

    def heard(state, t):
        if state == 0:
            centre, spread, level, width = n_pitches / 2, n_pitches, 0.0, 0.1
        else:
            centre, spread, level, width = state, midi_std, 1.5, 0.5
        return stats.norm.logpdf(pitch[t], centre, spread) + stats.norm.logpdf(
            amps[t], level, width
        )

    told = {}
    for path in itertools.product(range(n_pitches), repeat=len(pitch)):
        log_p = -np.log(n_pitches) + sum(heard(s, t) for t, s in enumerate(path))
        told[path] = log_p + sum(np.log(move[a, b]) for a, b in itertools.pairwise(path))
    return told
