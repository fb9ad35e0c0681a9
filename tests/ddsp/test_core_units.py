"""Decibels, pitch and perceptual scales against their formulas in float64."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ddsp import oracles

pytestmark = pytest.mark.ddsp
often = settings(max_examples=40, deadline=None)
HZ = st.floats(1.0, 24000.0, width=32)
MIDI = st.floats(1.0, 127.0, width=32)


def test_levels_in_decibels():
    from dlwa.ddsp import core

    power = np.array([1.0, 0.5, 1e-3, 1e-8, 1e-12, 0.0, 4.0], np.float32)
    expected = [0.0, -3.0103, -30.0, -80.0, -80.0, -80.0, 6.0206]
    np.testing.assert_allclose(core.power_to_db(power), expected, atol=1e-4)
    np.testing.assert_allclose(core.power_to_db(power, use_tf=False), expected, atol=1e-4)
    np.testing.assert_allclose(core.amplitude_to_db(np.sqrt(power)), expected, atol=1e-4)
    np.testing.assert_allclose(
        core.power_to_db(power, ref_db=20.0, range_db=40.0),
        np.maximum(10 * np.log10(np.maximum(power.astype(float), 1e-4)) - 20, -40),
        atol=1e-4,
    )


@often
@given(st.floats(-79.0, 40.0, width=32))
def test_decibels_and_back(db):
    from dlwa.ddsp import core

    assert float(core.power_to_db(core.db_to_power(db))) == pytest.approx(db, abs=1e-4)
    assert float(core.amplitude_to_db(core.db_to_amplitude(db))) == pytest.approx(db, abs=1e-4)


@often
@given(MIDI)
def test_pitch_and_back_to_a_thousandth_of_a_cent(midi):
    from dlwa.ddsp import core

    assert float(core.midi_to_hz(midi)) == pytest.approx(float(oracles.midi_to_hz(midi)), rel=1e-5)
    assert float(core.hz_to_midi(core.midi_to_hz(midi))) == pytest.approx(midi, abs=1e-4)


def test_silence_has_pitch_zero():
    from dlwa.ddsp import core

    assert core.hz_to_midi([0.0, -5.0, 440.0]).numpy().tolist() == pytest.approx([0, 0, 69])
    assert core.midi_to_hz([0.0, 69.0], midi_zero_silence=True).numpy().tolist() == [0.0, 440.0]
    assert float(core.midi_to_hz(0.0)) == pytest.approx(8.1758, rel=1e-4)


@often
@given(st.floats(0.0, 1.0, width=32), st.floats(30.0, 200.0), st.floats(300.0, 16000.0))
def test_unit_interval_spans_equal_steps_of_pitch(unit, low, high):
    from dlwa.ddsp import core

    hz = float(core.unit_to_hz(unit, low, high))
    assert hz == pytest.approx(low * (high / low) ** unit, rel=2e-5)
    assert float(core.hz_to_unit(hz, low, high)) == pytest.approx(unit, abs=2e-5)
    midi = float(core.unit_to_midi(unit, low, high))
    assert midi == pytest.approx(low + (high - low) * unit, rel=1e-5)
    assert float(core.midi_to_unit(midi, low, high)) == pytest.approx(unit, abs=1e-5)


def test_clipping_is_on_the_unit_side():
    from dlwa.ddsp import core

    assert core.unit_to_midi(np.float32([-1, 2]), 20.0, 90.0, clip=True).numpy().tolist() == [
        20,
        90,
    ]
    assert core.midi_to_unit(np.float32([10, 95]), 20.0, 90.0, clip=True).numpy().tolist() == [0, 1]
    assert core.unit_to_hz(2.0, 20.0, 90.0, clip=True).numpy() == pytest.approx(90.0, rel=1e-5)
    assert core.hz_to_unit(2.0, 20.0, 90.0, clip=True).numpy() == 0.0


@often
@given(HZ)
def test_perceptual_scales_and_back(hz):
    from dlwa.ddsp import core

    hz = np.float64(hz)
    assert core.hz_to_bark(hz) == pytest.approx(26.81 / (1 + 1960 / hz) - 0.53, abs=1e-9)
    assert core.bark_to_hz(core.hz_to_bark(hz)) == pytest.approx(hz, rel=1e-6)
    assert float(core.hz_to_mel(np.float32(hz))) == pytest.approx(
        2595 * math.log10(1 + hz / 700), rel=1e-4, abs=1e-3
    )
    assert core.mel_to_hz(2595 * math.log10(1 + hz / 700)) == pytest.approx(hz, rel=1e-6)
    assert core.hz_to_erb(hz) == pytest.approx(0.108 * hz + 24.7)


def test_bark_of_silence_is_finite():
    from dlwa.ddsp import core

    assert core.hz_to_bark(np.array([0.0])) == pytest.approx([-0.53])


@pytest.mark.parametrize("base", [2.0, 10.0, math.e])
def test_logarithms_replace_only_what_is_not_positive(base):
    from dlwa.ddsp import core

    x = np.float32([-1.0, 0.0, 1e-9, 1e-5, 0.3, 1.0, 7e8])
    guarded = np.where(x <= 0, 1e-5, x.astype(float))
    np.testing.assert_allclose(core.safe_log(x), np.log(guarded), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(core.logb(x, base), np.log(guarded) / np.log(base), rtol=2e-6)
    np.testing.assert_allclose(core.log10(x), np.log10(guarded), rtol=2e-6)


def test_division_by_exact_zero_alone_is_guarded():
    from dlwa.ddsp import core

    quotient = core.safe_divide(np.float32([1.0, 1.0, 0.0]), np.float32([0.0, 1e-20, 0.0]))
    np.testing.assert_allclose(quotient, [1e7, 1e20, 0.0], rtol=1e-6)
    assert float(core.safe_divide(1, 4)) == 0.25  # plain numbers too


def test_small_maps():
    from dlwa.ddsp import core

    x = np.linspace(-1, 1, 9).astype(np.float32)
    expected = np.exp(np.interp(x, [-1, 1], np.log([20.0, 8000.0])))
    np.testing.assert_allclose(core.log_scale(x, 20.0, 8000.0), expected, rtol=1e-5)
    z = np.linspace(-40, 60, 11).astype(np.float32)
    softplus = lambda v: np.logaddexp(0, v.astype(float))  # noqa: E731
    np.testing.assert_allclose(
        core.soft_limit(z, -2.0, 5.0), softplus(z) - 2 - softplus(z - 7), rtol=1e-5, atol=1e-5
    )
    assert core.nan_to_num(np.float32([np.nan, 2.0]), 7.0).numpy().tolist() == [7.0, 2.0]


def test_reversed_gradient():
    import tensorflow as tf

    from dlwa.ddsp import core

    x = tf.constant([1.0, -2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = core.gradient_reversal(x)
        total = tf.reduce_sum(y**2)
    assert y.numpy().tolist() == [1.0, -2.0]
    assert tape.gradient(total, x).numpy().tolist() == [-2.0, 4.0]
