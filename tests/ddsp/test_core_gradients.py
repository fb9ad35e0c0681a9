"""Gradients of core and spectral_ops: finite differences of the float64 oracles, and the edges.

The slope along a random direction, of a random mix of the outputs, must be the same.
"""

import numpy as np
import pytest

from tests.ddsp import oracles, spectral_oracles

pytestmark = pytest.mark.ddsp


def _random(seed=0):
    return np.random.default_rng(seed)


def _uniform(low, high, *shape, seed=0):
    return _random(seed).uniform(low, high, shape)


def _lookups(phase, tables):
    each = np.repeat(tables[:, None], phase.shape[1], 1) if tables.ndim == 2 else tables
    return np.array([oracles.lookup(p, t) for p, t in zip(phase, each, strict=True)])


def _delayed(phase, audio):
    past = np.pad(audio, [[0, 0], [8, 0]])
    stacks = np.stack([past[:, 8 - d : past.shape[1] - d] for d in range(8)], -1)
    return _lookups(phase, stacks)


def _wavetable(f0_hz, amplitudes, tables):
    hz = oracles.resample(f0_hz, 64)[..., 0] / 16000
    cycles = np.cumsum(hz, axis=1) - hz
    return (
        _lookups(cycles % 1.0, oracles.resample(tables, 64))
        * oracles.windows(amplitudes, 64)[..., 0]
    )


def _filtered(audio, magnitudes):
    h = np.fft.fftshift(np.fft.irfft(magnitudes), axes=-1)
    n = h.shape[-1]
    h = h * np.fft.fftshift(np.fft.fftshift(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)))
    return oracles.convolve(audio, h)[:, (n - 1) // 2 - 1 :][:, : audio.shape[1]]


def _sinc_filtered(audio, cutoff):
    taps = np.arange(-8, 9)
    h = np.sinc(cutoff[..., :] * taps) * np.hamming(17)
    h = h / np.abs(h.sum(-1, keepdims=True))
    return oracles.convolve(audio, h[:, None])[:, 7:][:, : audio.shape[1]]


def _mfcc_log(audio):
    mag = spectral_oracles.magnitudes(audio, 256, 0.75)
    return np.log(mag @ spectral_oracles.mel_triangles(20, 129, 16000, 80.0, 7600.0))


def _rms(audio):
    return np.sqrt(np.mean(spectral_oracles.frames_at_rate(audio, 44100, 250, 512) ** 2, -1))


SMOOTH_HZ = 300 + 100 * np.sin(np.linspace(0, 3, 8)).reshape(1, 8, 1)
SHARES = _uniform(0.1, 1, 1, 8, 5)
SOUND = _random().normal(size=(1, 600)) * 0.3
# name, options of ours, oracle, arguments
CASES = {
    **{
        f"resample {m}": ("resample", {"n_timesteps": 64, "method": m}, _o, [SHARES])
        for m, _o in {
            name: (lambda x, name=name: oracles.resample(x, 64, name))
            for name in ("nearest", "linear", "cubic", "window")
        }.items()
    },
    "exp_sigmoid": ("exp_sigmoid", {}, oracles.exp_sigmoid, [_uniform(-6, 6, 40)]),
    "midi_to_hz": ("midi_to_hz", {}, oracles.midi_to_hz, [_uniform(20, 100, 40)]),
    "hz_to_midi": ("hz_to_midi", {}, oracles.hz_to_midi, [_uniform(20, 5000, 40)]),
    "power_to_db": ("power_to_db", {}, lambda p: 10 * np.log10(p), [_uniform(1e-5, 1, 40)]),
    "normalize_harmonics": (
        "normalize_harmonics",
        {},
        lambda x: x / x.sum(-1, keepdims=True),
        [SHARES],
    ),
    "oscillator_bank": (
        "oscillator_bank",
        {},
        lambda f, a: oracles.oscillators(f, a, 16000),
        [_uniform(100, 2000, 1, 50, 4), _uniform(0, 1, 1, 50, 4)],
    ),
    "harmonic_oscillator_bank": (
        "harmonic_oscillator_bank",
        {},
        lambda f, a: oracles.oscillators(f * np.arange(1, 6), a, 16000),
        [_uniform(100, 1000, 1, 50, 1), _uniform(0, 1, 1, 50, 5)],
    ),
    "harmonic_synthesis": (
        "harmonic_synthesis",
        {"n_samples": 64},
        lambda f, a: oracles.harmonics(f, a, 64, 16000),
        [SMOOTH_HZ, SHARES],
    ),
    "harmonic_synthesis at an uneven hop": (
        "harmonic_synthesis",
        {"n_samples": 67, "amp_resample_method": "linear", "sample_rate": 44100},
        lambda f, a: oracles.harmonics(f, a, 67, 44100, "linear"),
        [SMOOTH_HZ, SHARES[..., :1]],
    ),
    "linear_lookup": (
        "linear_lookup",
        {},
        _lookups,
        [_uniform(0, 1, 2, 20), _uniform(-1, 1, 2, 16)],
    ),
    "wavetable_synthesis": (
        "wavetable_synthesis",
        {"n_samples": 64},
        _wavetable,
        [SMOOTH_HZ, SHARES[..., :1], _uniform(-1, 1, 1, 8, 16)],
    ),
    "variable_length_delay": (
        "variable_length_delay",
        {"max_length": 8},
        _delayed,
        [_uniform(0, 1, 2, 30), _uniform(-1, 1, 2, 30)],
    ),
    "fft_convolve": (
        "fft_convolve",
        {"padding": "valid", "delay_compensation": 0},
        lambda x, h: oracles.convolve(x, h)[:, :68],
        [_uniform(-1, 1, 2, 60), _uniform(-1, 1, 2, 3, 9)],
    ),
    "frequency_filter": (
        "frequency_filter",
        {},
        _filtered,
        [_uniform(-1, 1, 2, 60), _uniform(0, 1, 2, 3, 9)],
    ),
    "sinc_filter": (
        "sinc_filter",
        {"window_size": 16},
        _sinc_filtered,
        [_uniform(-1, 1, 2, 60), _uniform(0.2, 0.6, 2, 1)],
    ),
    "compute_mag": (
        "compute_mag",
        {"size": 128},
        lambda x: spectral_oracles.magnitudes(x, 128, 0.75),
        [SOUND],
    ),
    "compute_logmel": (
        "compute_logmel",
        {"bins": 20, "fft_size": 256},
        _mfcc_log,
        [SOUND],
    ),
    "compute_loudness": (
        "compute_loudness",
        {},
        lambda x: spectral_oracles.loudness(x, 16000, 250, 512),
        [SOUND],
    ),
    "compute_rms_energy": ("compute_rms_energy", {"sample_rate": 44100}, _rms, [SOUND]),
}


def _function(name):
    from dlwa.ddsp import core, spectral_ops

    return getattr(core, name, None) or getattr(spectral_ops, name)


def _gradients(name, options, args, mix=None):
    import tensorflow as tf

    tensors = [tf.constant(a, tf.float32) for a in args]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = _function(name)(*tensors, **options)
        value = value[0] if isinstance(value, tuple) else value
        total = tf.reduce_sum(value * (1.0 if mix is None else mix(value.shape)))
    return [g.numpy() for g in tape.gradient(total, tensors)]


@pytest.mark.parametrize("case", CASES)
def test_slopes_are_those_of_finite_differences(case):
    name, options, oracle, args = CASES[case]
    # Exactly what float32 holds, so that no kink lies between the two.
    args = [np.asarray(a, np.float32).astype(float) for a in args]
    weights = _random(1).normal(size=np.shape(oracle(*args)))

    gradients = _gradients(name, options, args, lambda shape: weights.astype(np.float32))
    for i, gradient in enumerate(gradients):
        direction = _random(2).normal(size=args[i].shape)
        step = 1e-6 * max(1.0, np.abs(args[i]).mean())

        def along(t, i=i, direction=direction):
            moved = [a + t * direction if j == i else a for j, a in enumerate(args)]
            return np.sum(weights * oracle(*moved))

        expected = (along(step) - along(-step)) / (2 * step)
        got = np.sum(gradient * direction)
        scale = np.sqrt(np.sum(gradient.astype(float) ** 2))
        assert got == pytest.approx(expected, rel=2e-3, abs=2e-3 * scale), f"argument {i}"


ZEROS = np.zeros((1, 8, 1))
EDGES = {
    "no pitch": ("harmonic_synthesis", {"n_samples": 64}, [ZEROS, SHARES]),
    "no sound": ("harmonic_synthesis", {"n_samples": 64}, [SMOOTH_HZ, ZEROS]),
    "at Nyquist": ("harmonic_synthesis", {"n_samples": 64}, [ZEROS + 8000, SHARES]),
    "above Nyquist": ("harmonic_synthesis", {"n_samples": 67, "amp_resample_method": "linear"},
                      [ZEROS + 9000, SHARES[..., :1]]),
    "bank of nothing": ("oscillator_bank", {}, [ZEROS, ZEROS]),
    "silent table": ("wavetable_synthesis", {"n_samples": 64}, [ZEROS, ZEROS, np.zeros((1, 16))]),
    "no harmonics": ("normalize_harmonics", {}, [ZEROS]),
    "sinusoids of nothing": ("sinusoidal_to_harmonic", {}, [ZEROS, ZEROS, ZEROS]),
    "pitch of 0 Hz": ("hz_to_midi", {}, [np.array([0.0, -1.0, 1e-30])]),
    "unit of 0 Hz": ("hz_to_unit", {"hz_min": 0.0, "hz_max": 8000.0}, [np.array([0.0])]),
    "level of nothing": ("amplitude_to_db", {}, [np.array([0.0, -0.0])]),
    "logarithm of nothing": ("safe_log", {}, [np.array([0.0, -1.0])]),
    "division by nothing": ("safe_divide", {}, [np.array([1.0]), np.array([0.0])]),
    "far outputs": ("exp_sigmoid", {"exponent": 2.0}, [np.array([-1e4, -200.0, 0.0, 1e4])]),
    "far frequencies": ("frequencies_sigmoid", {}, [np.full((1, 1, 2), -1e3)]),
    "far bands": ("frequencies_critical_bands", {}, [np.full((1, 1, 2), 1e3)]),
    "sinc at 0": ("sinc", {}, [np.array([0.0, 1.0])]),
    "closed filter": ("sinc_filter", {"window_size": 16}, [SOUND, np.zeros((1, 1))]),
    "filtered silence": ("frequency_filter", {}, [np.zeros((1, 60)), np.zeros((1, 3, 9))]),
    "spectrum of silence": ("compute_mag", {"size": 128}, [np.zeros((1, 600))]),
    "log spectrum of silence": ("compute_logmag", {"size": 128}, [np.zeros((1, 600))]),
    "cepstrum of silence": ("compute_mfcc", {}, [np.zeros((1, 2000))]),
    "loudness of silence": ("compute_loudness", {}, [np.zeros((1, 600))]),
    "energy of silence": ("compute_rms_energy", {}, [np.zeros((1, 600))]),
    "power of silence": ("compute_power", {}, [np.zeros((1, 600))]),
}  # fmt: skip


@pytest.mark.parametrize("edge", EDGES)
def test_gradients_are_finite_at_the_edges(edge):
    name, options, args = EDGES[edge]
    for gradient in _gradients(name, options, args):
        assert np.all(np.isfinite(gradient))


def test_a_silenced_harmonic_asks_for_nothing():
    amplitudes = np.ones((1, 8, 20))
    f0_hz = np.full((1, 8, 1), 1000.0)
    slope = _gradients("harmonic_synthesis", {"n_samples": 64}, [f0_hz, amplitudes])[1]
    assert np.any(slope[..., :7])
    assert not np.any(slope[..., 7:])  # 8000 Hz and above
