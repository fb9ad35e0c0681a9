"""Losses on controls: consistency, moved mass, smoothed pictures, two-way mismatch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.ddsp import gradients, oracles, oracles_losses

pytestmark = pytest.mark.ddsp
RANDOM = np.random.default_rng
often = settings(max_examples=25, deadline=None)


def _bank(frames=2, k=3, batch=1, seed=0):
    random = RANDOM(seed)
    amps = random.uniform(0.1, 1.0, (batch, frames, k))
    return amps, random.uniform(100.0, 3000.0, (batch, frames, k))


def _pair(names=("amps_a", "freqs_a", "amps_b", "freqs_b"), **shape):
    return dict(zip(names, [*_bank(seed=0, **shape), *_bank(seed=1, **shape)], strict=True))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("kind", ["L1", "L2"])
def test_amplitudes_and_their_logarithms(kind, log):
    from dlwa.ddsp import losses

    def oracle(amp, amp_target):
        if log:
            amp, amp_target = (np.log10(np.maximum(x, 1e-3)) for x in (amp, amp_target))
        return oracles_losses.difference(amp, amp_target, kind)

    inputs = {"amp": RANDOM(0).uniform(0.01, 1, (2, 4)), "amp_target": np.full((2, 4), 0.5)}
    inputs["amp"][0, 0] = 1e-5  # below amin: no slope
    gradients.agrees(
        lambda amp, amp_target: losses.amp_loss(amp, amp_target, kind, log=log, amin=1e-3),
        oracle,
        inputs,
    )


def test_frequencies_differ_in_semitones():
    from dlwa.ddsp import losses

    assert float(losses.freq_loss([440.0], [880.0])) == pytest.approx(12.0, abs=1e-4)
    gradients.agrees(
        lambda f_hz, f_hz_target: losses.freq_loss(f_hz, f_hz_target, "L2"),
        lambda f_hz, f_hz_target: oracles_losses.difference(
            oracles.hz_to_midi(f_hz), oracles.hz_to_midi(f_hz_target), "L2"
        ),
        {"f_hz": _bank()[1], "f_hz_target": _bank(seed=1)[1]},
    )


@pytest.mark.parametrize("kind", ["L1", "L2", "COSINE"])
def test_parameters(kind):
    from dlwa.ddsp import losses

    gradients.agrees(
        losses.ParamLoss(0.3, kind),
        lambda pred, target: 0.3 * oracles_losses.difference(pred, target, kind),
        {"pred": RANDOM(0).normal(size=(2, 3, 4)), "target": RANDOM(1).normal(size=(2, 3, 4))},
    )
    gradients.agrees(
        losses.FilteredNoiseConsistencyLoss(weight=0.3),
        lambda noise_magnitudes, noise_magnitudes_target: (
            0.3 * oracles_losses.difference(noise_magnitudes, noise_magnitudes_target)
        ),
        {"noise_magnitudes": _bank()[0], "noise_magnitudes_target": _bank(seed=1)[0]},
    )


def test_harmonic_controls_count_where_the_target_sounds():
    from dlwa.ddsp import losses

    random = RANDOM(0)
    inputs = {
        "harm_amp": random.uniform(0.1, 1, (2, 4, 1)),
        "harm_amp_target": random.uniform(0.1, 1, (2, 4, 1)),
        "harm_dist": random.uniform(0, 1, (2, 4, 3)),
        "harm_dist_target": random.uniform(0, 1, (2, 4, 3)),
        "f0_hz": random.uniform(100, 900, (2, 4, 1)),
        "f0_hz_target": random.uniform(100, 900, (2, 4, 1)),
    }
    inputs["harm_amp_target"][0, 1] = 0.0
    loss = losses.HarmonicConsistencyLoss(0.5, 2.0, 0.1, amp_threshold=0.05)

    def oracle(harm_amp, harm_amp_target, harm_dist, harm_dist_target, f0_hz, f0_hz_target):
        on = harm_amp_target >= 0.05
        midi = oracles.hz_to_midi(f0_hz), oracles.hz_to_midi(f0_hz_target)
        return np.array(
            [
                0.5 * oracles_losses.difference(harm_amp, harm_amp_target),
                2.0 * oracles_losses.difference(harm_dist, harm_dist_target, weights=on),
                0.1 * oracles_losses.difference(*midi, weights=on),
            ]
        )

    def ours(**inputs):
        import tensorflow as tf

        return tf.stack(list(loss(**inputs).values()))

    gradients.agrees(ours, oracle, inputs)
    assert list(loss.get_losses_dict(*inputs.values())) == [
        "harm_amp_loss",
        "harm_dist_loss",
        "f0_hz_loss",
    ]


@pytest.mark.parametrize("p", [1.0, 2.0, 1.5])
def test_moved_mass(p):
    from dlwa.ddsp import losses

    def oracle(u_values, v_values, u_weights, v_weights):
        rows = zip(u_values, v_values, u_weights, v_weights, strict=True)
        return np.array([oracles_losses.moved_mass(*row, p) for row in rows])

    random = RANDOM(0)
    inputs = {
        "u_values": random.normal(size=(2, 3)),
        "v_values": random.normal(size=(2, 4)),
        "u_weights": random.uniform(0.1, 1, (2, 3)),
        "v_weights": random.uniform(0.1, 1, (2, 4)),
    }
    gradients.agrees(lambda **x: losses.wasserstein_distance(**x, p=p), oracle, inputs)


@often
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000))
def test_scipy_moves_the_same_mass_when_the_weights_add_up_to_one(n, m, seed):
    from dlwa.ddsp import losses

    random = RANDOM(seed)
    u, v = random.normal(size=n).astype("f"), random.normal(size=m).astype("f")
    weights = [random.uniform(0.1, 1, size).astype("f") for size in (n, m)]
    weights = [w / w.sum() for w in weights]
    expected = stats.wasserstein_distance(u, v, *weights)
    assert float(losses.wasserstein_distance(u, v, *weights)) == pytest.approx(expected, abs=1e-4)
    assert float(losses.wasserstein_distance(u, u, weights[0], weights[0])) == 0.0


def test_banks_of_sinusoids_moved_in_pitch():
    from dlwa.ddsp import losses

    def oracle(amps_a, freqs_a, amps_b, freqs_b):
        midi = oracles.hz_to_midi(freqs_a), oracles.hz_to_midi(freqs_b)
        rows = zip(midi[0][0], midi[1][0], amps_a[0], amps_b[0], strict=True)
        return 0.5 * np.mean([oracles_losses.moved_mass(*row) for row in rows])

    gradients.agrees(losses.WassersteinConsistencyLoss(weight=0.5), oracle, _pair())
    assert float(losses.WassersteinConsistencyLoss(midi=False)(*_pair().values())) == 0.0


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (0.0, 2.0, 0.0), (0.5, 0.0, 0.3)])
def test_smoothed_pictures_of_two_banks(weights):
    from dlwa.ddsp import losses

    one, two, mean = weights
    loss = losses.KDEConsistencyLoss(*weights, scale_a=2.0, scale_b=3.0)

    def oracle(amps_a, freqs_a, amps_b, freqs_b):
        a, b = (amps_a[0], freqs_a[0]), (amps_b[0], freqs_b[0])
        apart = np.mean(np.abs(amps_a.mean(-1) - amps_b.mean(-1)))
        return (
            one * oracles_losses.kde_nll(*a, *b, 3.0)
            + two * oracles_losses.kde_nll(*b, *a, 2.0)
            + mean * apart
        )

    gradients.agrees(loss, oracle, _pair())


def _mismatches(f0_candidates, freqs, amps, **settings_):
    rows = zip(f0_candidates[0], freqs[0], amps[0], strict=True)
    both = [
        [oracles_losses.mismatch(f0, f, a, **settings_) for f0 in candidates]
        for candidates, f, a in rows
    ]
    return np.moveaxis(np.array(both), -1, 0)[:, np.newaxis]


def test_two_way_mismatch():
    from dlwa.ddsp import losses

    loss = losses.TWMLoss(0.5, 2.0, 1.0, 0.3, 4, 6, softmin_temperature=2.0, sample_rate=8000)
    settings_ = dict(scales=(1.0, 0.3), points=4, gaussians=6, rate=8000)
    amps, freqs = _bank()
    inputs = {"f0_candidates": np.array([[[300.0, 700.0], [450.0, 1500.0]]])}
    inputs |= {"freqs": freqs, "amps": amps}

    def weighed(**inputs):
        sinusoids, harmonics = _mismatches(**inputs, **settings_)
        return 0.5 * sinusoids + 2.0 * harmonics

    def oracle(**inputs):
        total = weighed(**inputs)
        softmin = np.exp(-total / 2.0) / np.exp(-total / 2.0).sum(-1, keepdims=True)
        return np.mean(total * softmin)

    gradients.agrees(lambda **x: loss(**x), oracle, inputs, rtol=1e-2)
    np.testing.assert_allclose(
        loss.get_loss_tensors(**inputs), _mismatches(**inputs, **settings_), rtol=1e-3
    )
    best = np.argmin(weighed(**inputs), axis=-1)[..., np.newaxis]
    expected = np.take_along_axis(inputs["f0_candidates"], best, axis=-1)
    np.testing.assert_allclose(loss.predict_f0(**inputs), expected)


@often
@given(st.floats(80.0, 800.0), st.integers(0, 1000))
def test_the_pitch_of_a_harmonic_sound_is_found(hz, seed):
    from dlwa.ddsp import losses

    numbers = np.arange(1, 11)
    amps = RANDOM(seed).uniform(0.2, 1.0, 10) / numbers
    candidates = np.float32([[[hz * 1.26, hz, hz * 0.7]]])
    found = losses.TWMLoss().predict_f0(
        candidates, np.float32([[hz * numbers]]), np.float32([[amps]])
    )
    assert found.shape == (1, 1, 1)
    assert found[0, 0, 0] == pytest.approx(hz, rel=1e-6)


@pytest.mark.parametrize("freq", [0.0, 1e-6, 440.0, 8000.0, 1e6])
@pytest.mark.parametrize("amp", [0.0, 1e-20, 0.5])
def test_gradients_are_finite_at_every_edge(amp, freq):
    from dlwa.ddsp import losses

    amps, freqs = np.full((1, 2, 3), amp), np.full((1, 2, 3), freq)
    other = _bank()
    for pair in ((amps, freqs, amps, freqs), (amps, freqs, *other), (*other, amps, freqs)):
        gradients.finite(losses.KDEConsistencyLoss(), *pair)
        gradients.finite(losses.WassersteinConsistencyLoss(), *pair)
        midi_distance = (pair[1], pair[3], pair[0], pair[2])
        for p in (1.0, 2.0, 0.5):
            gradients.finite(lambda *x, p=p: losses.wasserstein_distance(*x, p=p), *midi_distance)
        gradients.finite(losses.TWMLoss(), pair[1], *pair[2:])
        gradients.finite(losses.TWMLoss(), pair[3], *pair[:2][::-1])
    one = amps[..., :1], freqs[..., :1]
    gradients.finite(losses.HarmonicConsistencyLoss(), one[0], one[0], amps, amps, one[1], one[1])
    gradients.finite(lambda a, b: losses.amp_loss(a, b, log=True), amps, 2 * amps)
    gradients.finite(losses.freq_loss, freqs, other[1])


AMPS, FREQS = _bank(batch=2)
BAD = {
    "KDE rank": ("KDEConsistencyLoss", [AMPS[0], FREQS[0]] * 2, r"amps_a\.shape=\(2, 3\) must be"),
    "KDE frames": (
        "KDEConsistencyLoss",
        [AMPS, FREQS, np.ones((2, 5, 3)), np.ones((2, 5, 3))],
        r"amps_b\.shape=\(2, 5, 3\) .*must agree in axis 1, n_frames",
    ),
    "KDE bank": (
        "KDEConsistencyLoss",
        [AMPS, FREQS[..., :2]] * 2,
        r"amps_a\.shape=\(2, 2, 3\) and freqs_a\.shape=\(2, 2, 2\) must agree in axis 2, k",
    ),
    "moved batch": (
        "WassersteinConsistencyLoss",
        [AMPS, FREQS, np.ones((3, 2, 3)), np.ones((3, 2, 3))],
        r"must agree in axis 0, batch",
    ),
    "TWM rank": ("TWMLoss", [FREQS[0], FREQS, AMPS], r"f0_candidates\.shape=\(2, 3\) must be"),
    "TWM frames": (
        "TWMLoss",
        [np.ones((2, 7, 1)), FREQS, AMPS],
        r"f0_candidates\.shape=\(2, 7, 1\) and freqs\.shape=\(2, 2, 3\) .* n_frames",
    ),
    "empty": ("TWMLoss", [FREQS[:, :0], FREQS[:, :0], AMPS[:, :0]], r"\(2, 0, 3\) must be"),
    "parameters": (
        "ParamLoss",
        [AMPS, AMPS[:1]],
        r"target\.shape=\(2, 2, 3\) and value\.shape=\(1, 2, 3\) must be the same",
    ),
    "noise": ("FilteredNoiseConsistencyLoss", [AMPS, AMPS[..., :1]], "must be the same"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_input_is_named_with_its_shape(case):
    import tensorflow as tf

    from dlwa.ddsp import losses

    name, inputs, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        getattr(losses, name)()(*[x.astype(np.float32) for x in inputs])
    specs = [tf.TensorSpec(x.shape) for x in inputs]
    loss = getattr(losses, name)()
    with pytest.raises(ValueError, match=message):
        tf.function(lambda *x: loss(*x)).get_concrete_function(*specs)


@pytest.mark.parametrize("f0_hz", [-440.0, np.nan, np.inf])
def test_a_pitch_no_sound_has_is_refused(f0_hz):
    from dlwa.ddsp import losses

    one, bad = np.ones((1, 2, 1), np.float32), np.full((1, 2, 1), f0_hz, np.float32)
    with pytest.raises(ValueError, match=r"f0_hz=.* must be (finite|0 Hz or above)"):
        losses.HarmonicConsistencyLoss()(one, one, one, one, bad, one)
    with pytest.raises(ValueError, match=r"f0_candidates=.* must be (finite|0 Hz or above)"):
        losses.TWMLoss()(bad, one, one)
    with pytest.raises(ValueError, match=r"f0_hz_target=.* must be (finite|0 Hz or above)"):
        losses.HarmonicConsistencyLoss()(one, one, one, one, one, bad)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("KDEConsistencyLoss", {"scale_a": 0.0}, "scale_a=0.0 must be positive"),
        ("TWMLoss", {"n_harmonic_points": 0}, "n_harmonic_points=0 must be a whole number"),
        ("TWMLoss", {"softmin_temperature": -1.0}, "softmin_temperature=-1.0 must be positive"),
        ("TWMLoss", {"sinusoids_scale": 0}, "sinusoids_scale=0 must be positive"),
    ],
)
def test_a_wrong_setting_is_refused_when_the_loss_is_made(name, settings, message):
    from dlwa.ddsp import losses

    with pytest.raises(ValueError, match=message):
        getattr(losses, name)(**settings)
