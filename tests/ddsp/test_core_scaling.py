"""Nonlinearities of network outputs: formulas in float64, limits, order."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ddsp import oracles

pytestmark = pytest.mark.ddsp
often = settings(max_examples=40, deadline=None)


@often
@given(st.floats(-200.0, 200.0, width=32), st.floats(1.5, 50.0), st.floats(0.1, 4.0))
def test_exp_sigmoid(x, exponent, max_value):
    from dlwa.ddsp import core

    expected = oracles.exp_sigmoid(x, exponent, max_value)
    got = float(core.exp_sigmoid(x, exponent, max_value))
    assert got == pytest.approx(float(expected), rel=2e-5, abs=1e-12)
    assert 0.0 < got <= max_value * (1 + 1e-6) + 1e-7


@often
@given(st.lists(st.floats(-30, 10, width=32), min_size=2, max_size=20))
def test_louder_outputs_are_never_softer(x):
    from dlwa.ddsp import core

    amplitudes = core.exp_sigmoid(sorted(x)).numpy()
    assert np.all(np.diff(amplitudes) >= 0)


def test_sym_exp_sigmoid_is_even_and_small_at_zero():
    from dlwa.ddsp import core

    x = np.linspace(-4, 4, 33).astype(np.float32)
    np.testing.assert_allclose(
        core.sym_exp_sigmoid(x), oracles.exp_sigmoid(8 * (np.abs(x) / 2 - 1)), rtol=1e-5
    )
    np.testing.assert_array_equal(core.sym_exp_sigmoid(x), core.sym_exp_sigmoid(-x))


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _unit_to_hz(unit, low, high):
    low, high = oracles.hz_to_midi(low), oracles.hz_to_midi(high)
    return oracles.midi_to_hz(low + (high - low) * unit)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_frequencies_softmax(depth):
    from dlwa.ddsp import core

    x = np.random.default_rng(depth).normal(size=(2, 3, 4, depth)).astype(np.float32) * 3
    unit = np.sum(_softmax(x.astype(float)) * np.linspace(0, 1, depth), -1)
    expected = _unit_to_hz(unit, 30.0, 5000.0)
    for shaped in (x, x.reshape(2, 3, 4 * depth)):
        got = core.frequencies_softmax(shaped, depth, 30.0, 5000.0)
        np.testing.assert_allclose(got, expected, rtol=1e-4)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_frequencies_sigmoid(depth):
    from dlwa.ddsp import core

    x = np.random.default_rng(depth).normal(size=(2, 3, 4, depth)).astype(np.float32) * 3
    scale, rest, expected = 8000.0 ** (1 / depth), 8000.0, 0.0
    for i in range(depth - 1):
        top = rest * (1 - 1 / scale)
        expected = expected + _unit_to_hz(oracles.sigmoid(x[..., i]), 0.0, top)
        rest -= top
    expected = expected + _unit_to_hz(oracles.sigmoid(x[..., -1]), 0.0, rest)
    for shaped in (x, x.reshape(2, 3, 4 * depth)):
        np.testing.assert_allclose(core.frequencies_sigmoid(shaped, depth), expected, rtol=1e-4)


@pytest.mark.parametrize("scale", ["bark", "mel"])
@pytest.mark.parametrize("depth", [1, 3])
def test_frequencies_critical_bands(scale, depth):
    from dlwa.ddsp import core

    x = np.random.default_rng(depth).normal(size=(2, 3, 6, depth)).astype(np.float32)
    if scale == "bark":
        bark = np.linspace(*[26.81 / (1 + 1960 / hz) - 0.53 for hz in (20.0, 8000.0)], 6)
        centers = 1960 / (26.81 / (bark + 0.53) - 1)
    else:
        mel = np.linspace(*[2595 * math.log10(1 + hz / 700) for hz in (20.0, 8000.0)], 6)
        centers = 700 * (10 ** (mel / 2595) - 1)
    steps = 10.0 ** -np.arange(depth)
    bent = centers + 1.5 * (0.108 * centers + 24.7) * np.sum(np.tanh(x) * steps, -1)
    expected = np.logaddexp(0, bent) + 20 - np.logaddexp(0, bent - 7980)
    got = core.frequencies_critical_bands(x, depth, bandwidth_scale=1.5, scale=scale)
    np.testing.assert_allclose(got, expected, rtol=2e-4)


@often
@given(st.sampled_from(["softmax", "sigmoid", "critical_bands"]), st.integers(0, 2**31 - 1))
def test_frequencies_stay_in_their_range(name, seed):
    from dlwa.ddsp import core

    x = np.random.default_rng(seed).normal(size=(1, 2, 3, 2)).astype(np.float32) * 50
    hz = getattr(core, f"frequencies_{name}")(x, depth=2, hz_min=20.0, hz_max=8000.0).numpy()
    low = 8.0 if name == "sigmoid" else 20.0
    assert np.all((hz >= low * 0.999) & (hz <= 8010.0))
