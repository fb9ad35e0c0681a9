"""Synthesizers against their formulas: sound and gradients, at the edges, with wrong arguments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ddsp import gradients, oracles, oracles_sounds

pytestmark = pytest.mark.ddsp
RANDOM = np.random.default_rng


def _controls(frames, harmonics=3, batch=1, seed=0, hz=(100.0, 1500.0)):
    random = RANDOM(seed)
    return {
        "amplitudes": random.normal(size=(batch, frames, 1)),
        "harmonic_distribution": random.normal(size=(batch, frames, harmonics)),
        "f0_hz": random.uniform(*hz, size=(batch, frames, 1)),
    }


@pytest.mark.parametrize(
    ("frames", "n", "rate", "harmonics", "batch", "method"),
    [
        (4, 64, 16000, 3, 1, "window"),
        (4, 64, 16000, 1, 3, "linear"),
        (1, 40, 8000, 2, 1, "window"),
        (5, 35, 22050, 1, 1, "window"),
        (7, 50, 44100, 3, 1, "linear"),  # 50 / 7 samples a frame
        (4, 32, 48000, 2, 1, "cubic"),  # steps the kernel has a table entry for
        (3, 32, 16000, 2, 2, "nearest"),
    ],
)
def test_harmonic(frames, n, rate, harmonics, batch, method):
    from dlwa.ddsp import synths

    synth = synths.Harmonic(n, rate, amp_resample_method=method)
    gradients.agrees(
        synth,
        lambda amplitudes, harmonic_distribution, f0_hz: oracles_sounds.harmonic(
            amplitudes, harmonic_distribution, f0_hz, n, rate, method
        ),
        _controls(frames, harmonics, batch),
    )


@pytest.mark.parametrize("angular", [False, True])
def test_harmonic_without_scaling_or_masking(angular):
    from dlwa.ddsp import synths

    synth = synths.Harmonic(
        60, scale_fn=None, normalize_below_nyquist=False, use_angular_cumsum=angular
    )
    amplitudes, shares, f0_hz = np.float32([[[0.5]]]), np.float32([[[3.0, 1.0]]]), [[[5000.0]]]
    controls = synth.get_controls(amplitudes, shares, f0_hz)
    assert controls["harmonic_distribution"].numpy().tolist() == [[[0.75, 0.25]]]
    assert controls["amplitudes"].numpy().tolist() == [[[0.5]]]
    # The second harmonic cannot be played, but keeps its share.
    expected = 0.375 * np.sin(2 * np.pi * 5000.0 / 16000 * np.arange(1, 61))
    np.testing.assert_allclose(synth(amplitudes, shares, f0_hz)[0], expected, atol=1e-5)


def test_a_pitch_between_two_harmonics_and_nyquist():
    from dlwa.ddsp import synths

    controls = synths.Harmonic(640).get_controls(
        np.zeros((1, 3, 1), np.float32),
        np.zeros((1, 3, 4), np.float32),
        np.float32([[[1999.0], [2000.0], [9000.0]]]),
    )
    shares = controls["harmonic_distribution"].numpy()[0]
    np.testing.assert_allclose(shares[0], 0.25)
    np.testing.assert_allclose(shares[1], [1 / 3, 1 / 3, 1 / 3, 0.0], rtol=1e-6)
    assert shares[2].tolist() == [0.0, 0.0, 0.0, 0.0]  # nothing can be played


@pytest.mark.parametrize(
    ("frames", "bands", "n", "window_size", "batch"),
    [
        (1, 5, 40, 0, 1),
        (4, 9, 64, 257, 3),
        (4, 9, 64, 7, 1),
        (4, 9, 64, 8, 1),
        (3, 4, 50, 5, 1),  # 17 + 17 + 16 samples
        (5, 2, 41, 0, 1),
    ],
)
def test_filtered_noise(frames, bands, n, window_size, batch):
    from dlwa.ddsp import core, synths

    synth = synths.FilteredNoise(n, window_size)
    with core.noise_seed(3):
        noise = core.uniform_noise([batch, n]).numpy().astype(float)
    assert np.abs(noise).max() <= 1.0
    assert noise.min() < -0.5 < 0.5 < noise.max()

    def ours(magnitudes):
        with core.noise_seed(3):
            return synth(magnitudes)

    def oracle(magnitudes):
        return oracles_sounds.filtered(noise, oracles.exp_sigmoid(magnitudes - 5.0), window_size)

    gradients.agrees(
        ours, oracle, {"magnitudes": RANDOM(0).normal(4.0, 1.0, (batch, frames, bands))}
    )


def test_noise_is_fresh_unless_a_seed_is_set():
    from dlwa.ddsp import core, synths

    magnitudes = np.ones((2, 5, 9), np.float32)
    synth = synths.FilteredNoise(100, scale_fn=None)
    assert np.abs(synth(magnitudes) - synth(magnitudes)).max() > 0.01
    with core.noise_seed(1):
        first = synth(magnitudes).numpy()
    with core.noise_seed(1):
        again = synth(magnitudes).numpy()
    assert np.array_equal(first, again)
    assert np.abs(first[0] - first[1]).max() > 0.01  # each sound of a batch has its own
    assert not synth(0.0 * magnitudes).numpy().any()


def test_noise_has_the_spectrum_it_was_given():
    from dlwa.ddsp import core, synths

    bands = np.float32([0.0, 0.0, 1.0, 1.0, 0.1, 0.1, 0.0, 0.0, 0.0])
    magnitudes = np.broadcast_to(np.repeat(bands, 7), (1, 50, 63))
    with core.noise_seed(0):
        audio = synths.FilteredNoise(64000, scale_fn=None)(magnitudes).numpy()[0]
    power = np.abs(np.fft.rfft(audio)).reshape(-1)[:-1] ** 2
    level = [power[int(i / 9 * 32000) + 1200 : int((i + 1) / 9 * 32000) - 1200] for i in range(9)]
    passed = [float(np.sqrt(np.mean(p))) for p in level]
    assert passed[3] == pytest.approx(np.sqrt(64000 / 3), rel=0.05)  # white noise has power 1/3
    assert passed[5] == pytest.approx(0.1 * passed[3], rel=0.15)
    assert max(passed[0], passed[8]) < 0.01 * passed[3]


@pytest.mark.parametrize(
    ("frames", "tables", "n", "rate", "batch"),
    [(4, 4, 64, 16000, 1), (4, None, 64, 44100, 2), (3, 1, 33, 8000, 1), (5, 2, 40, 22050, 1)],
)
def test_wavetable(frames, tables, n, rate, batch):
    from dlwa.ddsp import synths

    random = RANDOM(frames)
    inputs = {
        "amplitudes": random.normal(size=(batch, frames, 1)),
        "wavetables": random.normal(size=(batch, tables, 16) if tables else (batch, 16)),
        # Between two entries of the table the sound has a slope; a pitch may not lie on one.
        "f0_hz": random.uniform(100, 900, (batch, frames, 1)),
    }
    gradients.agrees(
        synths.Wavetable(n, rate, scale_fn=None),
        lambda amplitudes, wavetables, f0_hz: oracles_sounds.wavetable(
            amplitudes, wavetables, f0_hz, n, rate
        ),
        inputs,
    )
    scaled = synths.Wavetable(n, rate).get_controls(**inputs)
    np.testing.assert_allclose(
        scaled["wavetables"], oracles.exp_sigmoid(inputs["wavetables"]), rtol=1e-4
    )


@pytest.mark.parametrize(
    ("frames", "n", "rate", "method"),
    [(4, 64, 16000, "window"), (3, 50, 44100, "linear"), (1, 20, 8000, "cubic")],
)
def test_sinusoidal(frames, n, rate, method):
    from dlwa.ddsp import synths

    random = RANDOM(0)
    inputs = {
        "amplitudes": random.normal(size=(1, frames, 2)),
        "frequencies": random.uniform(50, 3000, (1, frames, 2)),
    }
    gradients.agrees(
        synths.Sinusoidal(n, rate, amp_resample_method=method, freq_scale_fn=None),
        lambda amplitudes, frequencies: oracles.oscillators(
            oracles.resample(frequencies, n),
            oracles.resample(oracles.exp_sigmoid(amplitudes), n, method),
            rate,
        ),
        inputs,
    )


def test_sinusoidal_maps_outputs_to_frequencies_and_mutes_what_cannot_be_played():
    from dlwa.ddsp import synths

    outputs = np.float32([[[-3.0, 0.0, 8.0]]])
    controls = synths.Sinusoidal(640, 8000).get_controls(np.zeros_like(outputs), outputs)
    low, high = oracles.hz_to_midi(0.0), oracles.hz_to_midi(8000.0)
    expected = oracles.midi_to_hz(low + (high - low) * oracles.sigmoid(outputs))
    np.testing.assert_allclose(controls["frequencies"], expected, rtol=1e-4)
    audible = controls["amplitudes"].numpy()[0, 0] > 0
    assert audible.tolist() == (expected[0, 0] < 4000).tolist() == [True, True, False]


def test_samples_are_sound():
    from dlwa.ddsp import synths

    samples = RANDOM(0).normal(size=(2, 5, 1)).astype(np.float32)
    assert np.array_equal(synths.TensorToAudio()(samples), samples[..., 0])
    gradients.agrees(synths.TensorToAudio(), lambda samples: samples[..., 0], {"samples": samples})


@settings(max_examples=15, deadline=None)
@given(st.floats(30.0, 3500.0, width=32), st.sampled_from([8000, 16000, 44100]))
def test_a_tone_peaks_at_its_pitch(hz, rate):
    from dlwa.ddsp import synths

    audio = synths.Harmonic(4000, rate, scale_fn=None)(
        np.ones((1, 50, 1)), np.ones((1, 50, 1)), np.full((1, 50, 1), hz, np.float32)
    ).numpy()[0]
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(4000), 32768))
    assert np.argmax(spectrum) * rate / 32768 == pytest.approx(hz, abs=rate / 4000)
    assert 0.9 < np.abs(audio).max() <= 1.0001


@pytest.mark.parametrize("hz", [0.0, 1e-30, 8000.0, 7999.9995, 20000.0])
@pytest.mark.parametrize("amplitude", [-1e4, 0.0, 1e4])
def test_gradients_are_finite_at_every_edge(hz, amplitude):
    from dlwa.ddsp import synths

    f0_hz, one = np.full((1, 4, 1), hz), np.full((1, 4, 1), amplitude)
    three = np.full((1, 4, 3), amplitude)
    gradients.finite(synths.Harmonic(64), one, three, f0_hz)
    gradients.finite(synths.Harmonic(65, amp_resample_method="linear"), one, three, f0_hz)
    gradients.finite(synths.Wavetable(64), one, np.full((1, 4, 8), amplitude), f0_hz)
    gradients.finite(synths.Sinusoidal(64, freq_scale_fn=None), three, np.full((1, 4, 3), hz))
    gradients.finite(synths.Sinusoidal(64), three, three)
    gradients.finite(synths.FilteredNoise(64), three)


def test_unscaled_silence_has_finite_gradients():
    from dlwa.ddsp import synths

    f0_hz, nothing = np.full((1, 4, 1), 440.0), np.zeros((1, 4, 3))
    synth = synths.Harmonic(64, scale_fn=None)
    assert not np.any(synth(nothing[..., :1], nothing, f0_hz))
    gradients.finite(synth, nothing[..., :1], nothing, f0_hz)


NAN = np.full((1, 4, 1), np.nan)
ONE, THREE, HZ = np.zeros((1, 4, 1)), np.zeros((1, 4, 3)), np.full((1, 4, 1), 440.0)
BAD = {
    "rank": ("Harmonic", [ONE[0], THREE, HZ], r"amplitudes\.shape=\(4, 1\) must be \[batch, n_fr"),
    "batch": (
        "Harmonic",
        [np.zeros((2, 4, 1)), np.zeros((3, 4, 3)), HZ],
        r"amplitudes\.shape=\(2, 4, 1\) and harmonic_distribution\.shape=\(3, 4, 3\)",
    ),
    "frames": ("Harmonic", [ONE, np.zeros((1, 5, 3)), HZ], r"must agree in axis 1, n_frames"),
    "NaN": ("Harmonic", [ONE, THREE, NAN], r"f0_hz=nan .*must be finite"),
    "negative": ("Harmonic", [ONE, THREE, -HZ], r"f0_hz=-440 .*must be 0 Hz or above"),
    "empty": ("Harmonic", [ONE[:, :0], THREE[:, :0], HZ[:, :0]], r"\(1, 0, 1\) must be"),
    "wide f0": ("Harmonic", [ONE, THREE, THREE], r"f0_hz\.shape=\(1, 4, 3\) must be"),
    "noise rank": ("FilteredNoise", [ONE[0]], r"magnitudes\.shape=\(4, 1\) must be \[batch"),
    "one band": ("FilteredNoise", [ONE], r"magnitudes\.shape=\(1, 4, 1\) must have two freq"),
    "noise frames": ("FilteredNoise", [np.zeros((1, 65, 3))], r"65, .*must have n_frames=64"),
    "tables": ("Wavetable", [ONE, ONE[..., np.newaxis], HZ], r"wavetables\.shape=.* must be"),
    "table batch": (
        "Wavetable",
        [np.zeros((2, 4, 1)), np.zeros((3, 8)), np.full((2, 4, 1), 99.0)],
        r"wavetables\.shape=\(3, 8\) must agree in axis 0, batch",
    ),
    "table pitch": ("Wavetable", [ONE, THREE, -HZ], r"f0_hz=-440 .*must be 0 Hz or above"),
    "banks": ("Sinusoidal", [THREE, np.zeros((1, 5, 3))], r"must agree in axis 1, n_frames"),
    "samples": ("TensorToAudio", [ONE[0]], r"samples\.shape=\(4, 1\) must be \[batch, n_samples"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_input_is_named_with_its_shape(case):
    from dlwa.ddsp import synths

    name, inputs, message = BAD[case]
    synth = getattr(synths, name)() if name == "TensorToAudio" else getattr(synths, name)(64)
    with pytest.raises(ValueError, match=message):
        synth(*[x.astype(np.float32) for x in inputs])


@pytest.mark.parametrize("case", [c for c in BAD if c not in ("NaN", "negative", "table pitch")])
def test_shapes_are_checked_while_the_graph_is_built(case):
    import tensorflow as tf

    from dlwa.ddsp import synths

    name, inputs, message = BAD[case]
    synth = getattr(synths, name)() if name == "TensorToAudio" else getattr(synths, name)(64)
    specs = [tf.TensorSpec(x.shape) for x in inputs]
    with pytest.raises(ValueError, match=message):
        tf.function(synth).get_concrete_function(*specs)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("Harmonic", {"n_samples": 0}, "n_samples=0 must be a whole number of at least 1"),
        ("Harmonic", {"n_samples": 64.5}, "n_samples=64.5 must be a whole number"),
        ("Harmonic", {"sample_rate": -1}, "sample_rate=-1 must be positive"),
        ("FilteredNoise", {"n_samples": -3}, "n_samples=-3 must be"),
        ("Wavetable", {"sample_rate": 0}, "sample_rate=0 must be positive"),
        ("Sinusoidal", {"sample_rate": float("nan")}, "sample_rate=nan must be positive"),
        ("Harmonic", {"amp_resample_method": "spline"}, "amp_resample_method='spline' must be"),
        ("Sinusoidal", {"amp_resample_method": "spline"}, "amp_resample_method='spline' must be"),
    ],
)
def test_a_wrong_setting_is_refused_when_the_synth_is_made(name, settings, message):
    from dlwa.ddsp import synths

    with pytest.raises(ValueError, match=message):
        getattr(synths, name)(**settings)


def test_frames_that_do_not_divide_need_another_method():
    from dlwa.ddsp import synths

    f0_hz, shares = np.full((1, 7, 1), 440.0), np.ones((1, 7, 2))
    with pytest.raises(ValueError, match=r"n_samples=50 must be a multiple.*of n_frames=7,"):
        synths.Harmonic(50)(f0_hz, shares, f0_hz)
    assert synths.Harmonic(50, amp_resample_method="linear")(f0_hz, shares, f0_hz).shape == (1, 50)
