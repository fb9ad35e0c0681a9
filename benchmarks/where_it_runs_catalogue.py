"""What is tried by where_it_runs.py: every op, synth, effect and loss, with small inputs."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

BATCH, FRAMES, SAMPLES, HARMONICS = 2, 20, 1280, 5


@dataclass
class Entry:
    """One row of the table."""

    name: str  # below dlwa.ddsp, e.g. synths.Harmonic
    inputs: list[np.ndarray]
    settings: dict[str, Any] = field(default_factory=dict)  # of the constructor or the call
    # Inputs whose second axis is no length (a size fixed when the graph is built).
    fixed: tuple[int, ...] = ()
    graph: bool = True  # NumPy roads have none
    tolerance: float = 1e-3  # relative to the peak

    @property
    def is_class(self) -> bool:
        return self.name.split(".")[-1][0].isupper()


def _noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _amounts(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 1.0, shape).astype(np.float32)


F0 = np.random.default_rng(1).uniform(100, 900, (BATCH, FRAMES, 1)).astype(np.float32)
HZ = np.random.default_rng(2).uniform(100, 9000, (BATCH, FRAMES, HARMONICS)).astype(np.float32)
LEVEL = _noise(BATCH, FRAMES, 1)
SHARES = _amounts(BATCH, FRAMES, HARMONICS)
AUDIO, OTHER = _noise(BATCH, SAMPLES), _noise(BATCH, SAMPLES, seed=1)
# Smooth, since the slope of a table read between its entries jumps from entry to entry: where one
# sample lies on the other side of an entry, gradients differ by a percent.
KINKS = 0.03
TABLES = SHARES[..., :2] @ np.sin(np.outer([1, 2], np.arange(512) * np.pi / 256)).astype("f4")
ONE = _amounts(BATCH, FRAMES, 1)
SWEEP = np.linspace(100, 5000, SAMPLES, dtype=np.float32)[None, :, None] * np.ones((2, 1, 1), "f4")
LONG = {"n_samples": SAMPLES}


def catalogue() -> list[Entry]:
    """All rows, in the order of the table."""
    return [*_core(), *_measures(), *_synths(), *_effects(), *_processors(), *_losses()]


def _core() -> list[Entry]:
    bands = _amounts(BATCH, FRAMES, 33)
    resampled = [
        Entry("core.resample", [SHARES], {"n_timesteps": SAMPLES, "method": method})
        for method in ("nearest", "linear", "cubic", "window")
    ]
    return [
        Entry("core.exp_sigmoid", [AUDIO]),
        Entry("core.frequencies_sigmoid", [LEVEL]),
        Entry("core.frequencies_softmax", [_noise(BATCH, FRAMES, 4)], {"depth": 4}),
        Entry("core.frequencies_critical_bands", [LEVEL]),
        *resampled,
        Entry("core.harmonic_synthesis", [F0, SHARES], LONG),
        Entry(
            "core.harmonic_synthesis",
            [F0, SHARES],
            {"n_samples": SAMPLES + 7, "amp_resample_method": "linear"},
        ),
        Entry("core.oscillator_bank", [SWEEP, _amounts(BATCH, SAMPLES, 1)]),
        Entry("core.harmonic_oscillator_bank", [SWEEP, _amounts(BATCH, SAMPLES, 3)]),
        Entry("core.streaming_harmonic_synthesis", [F0, ONE, SHARES], LONG),
        Entry("core.angular_cumsum", [_amounts(BATCH, SAMPLES, 2)]),
        Entry("core.normalize_harmonics", [SHARES, F0], {"sample_rate": 16000}),
        Entry("core.sinusoidal_to_harmonic", [SHARES, HZ, F0], {"n_harmonics": 10}),
        Entry("core.harmonic_to_sinusoidal", [ONE, SHARES, F0]),
        Entry("core.harmonic_distribution_to_wavetable", [SHARES], {"n_wavetable": 64}),
        Entry("core.wavetable_synthesis", [F0, ONE, TABLES], LONG, tolerance=KINKS),
        Entry("core.linear_lookup", [_amounts(BATCH, SAMPLES), TABLES[:, 0]], fixed=(1,)),
        Entry("core.variable_length_delay", [_amounts(BATCH, SAMPLES), AUDIO], {"max_length": 64}),
        Entry("core.fft_convolve", [AUDIO, _noise(BATCH, FRAMES, 65)]),
        Entry("core.frequency_filter", [AUDIO, bands]),
        Entry("core.sinc_filter", [AUDIO, np.full((BATCH, 1), 0.3, np.float32)], fixed=(1,)),
    ]


def _measures() -> list[Entry]:
    return [
        Entry("spectral_ops.stft", [AUDIO], {"frame_size": 256}),
        Entry("spectral_ops.stft_np", [AUDIO], {"frame_size": 256}, graph=False),
        Entry("spectral_ops.compute_mag", [AUDIO], {"size": 256}),
        Entry("spectral_ops.compute_logmag", [AUDIO], {"size": 256}),
        Entry("spectral_ops.compute_mel", [AUDIO], {"fft_size": 512}),
        Entry("spectral_ops.compute_logmel", [AUDIO], {"fft_size": 512}),
        Entry("spectral_ops.compute_mfcc", [AUDIO]),
        Entry("spectral_ops.compute_loudness", [AUDIO]),
        Entry("spectral_ops.compute_loudness", [AUDIO], {"sample_rate": 44100}),
        Entry("spectral_ops.compute_loudness", [AUDIO], {"use_tf": False}, graph=False),
        Entry("spectral_ops.compute_rms_energy", [AUDIO]),
        Entry("spectral_ops.compute_power", [AUDIO]),
        Entry("spectral_ops.compute_f0", [AUDIO[0]], {"frame_rate": 250}, graph=False),
    ]


def _synths() -> list[Entry]:
    harmonic = [LEVEL, _noise(BATCH, FRAMES, HARMONICS), F0]
    return [
        Entry("synths.TensorToAudio", [AUDIO[..., None]]),
        Entry("synths.Harmonic", harmonic, LONG),
        Entry(
            "synths.Harmonic",
            harmonic,
            {"n_samples": SAMPLES + 7, "amp_resample_method": "linear"},
        ),
        Entry("synths.FilteredNoise", [_noise(BATCH, FRAMES, 65)], LONG),
        Entry("synths.Wavetable", [LEVEL, TABLES, F0], {"scale_fn": None, **LONG}, tolerance=KINKS),
        Entry("synths.Sinusoidal", [SHARES, _noise(BATCH, FRAMES, HARMONICS)], LONG),
    ]


def _effects() -> list[Entry]:
    short = {"reverb_length": 300}
    learnt = {"trainable": True, **short}
    per_sample = [_noise(BATCH, SAMPLES, 1, seed=2), _noise(BATCH, SAMPLES, 1, seed=3)]
    noise = {"n_frames": 10, "n_filter_banks": 16}
    return [
        Entry("effects.Reverb", [AUDIO, _noise(BATCH, 300)], short),
        Entry("effects.Reverb", [AUDIO], learnt),
        Entry(
            "effects.ExpDecayReverb",
            [AUDIO, _noise(BATCH, 1), _noise(BATCH, 1)],
            short,
            fixed=(1, 2),
        ),
        Entry("effects.ExpDecayReverb", [AUDIO], learnt),
        Entry(
            "effects.FilteredNoiseReverb",
            [AUDIO, _noise(BATCH, 10, 16)],
            {**short, **noise},
            fixed=(1,),
        ),
        Entry("effects.FilteredNoiseReverb", [AUDIO], {**learnt, **noise}),
        Entry("effects.FIRFilter", [AUDIO, _noise(BATCH, FRAMES, 65)]),
        Entry("effects.ModDelay", [AUDIO, *per_sample]),
    ]


def _processors() -> list[Entry]:
    return [
        Entry("processors.Add", [AUDIO, OTHER]),
        Entry("processors.Mix", [AUDIO, OTHER, LEVEL]),
        Entry("processors.Crop", [AUDIO], {"frame_size": 64}),
    ]


def _losses() -> list[Entry]:
    everything = {
        f"{name}_weight": 1.0 for name in ("delta_time", "delta_freq", "cumsum_freq", "logmag")
    }
    tones = F0 * np.float32([0.5, 1.0, 2.0])
    return [
        Entry("losses.SpectralLoss", [AUDIO, OTHER], {"fft_sizes": (256, 64), **everything}),
        Entry("losses.SpectralLoss", [AUDIO, OTHER], {"fft_sizes": (256,), "loudness_weight": 1.0}),
        Entry("losses.ParamLoss", [HZ, SHARES]),
        Entry("losses.FilteredNoiseConsistencyLoss", [SHARES, SHARES**2]),
        Entry("losses.HarmonicConsistencyLoss", [ONE, ONE**2, SHARES, SHARES**2, F0, F0 * 1.1]),
        Entry("losses.WassersteinConsistencyLoss", [SHARES, HZ, SHARES**2, HZ * 1.1]),
        Entry("losses.KDEConsistencyLoss", [SHARES, HZ, SHARES**2, HZ * 1.1]),
        Entry("losses.TWMLoss", [tones, HZ, SHARES]),
        Entry("losses.HmmTranscriber", [60 + LEVEL, ONE], {"n_timesteps": FRAMES}, fixed=(0, 1)),
        Entry("losses.PretrainedCREPEEmbeddingLoss", [AUDIO, OTHER]),
    ]
