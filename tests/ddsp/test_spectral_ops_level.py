"""Loudness, power and RMS against float64, at every rate of the product."""

import numpy as np
import pytest

from tests.ddsp import spectral_oracles

pytestmark = pytest.mark.ddsp
RATES = [(r, f) for r in (16000, 24000, 32000, 44100, 48000) for f in (250, 100, 50)]


def _sound(n=6000, seed=0):
    random = np.random.default_rng(seed)
    return (random.normal(size=(2, n)) * np.geomspace(1e-4, 0.5, n)).astype(np.float32)


@pytest.mark.parametrize(("rate", "frame_rate"), RATES)
def test_loudness_at_every_rate(rate, frame_rate):
    from dlwa.ddsp import spectral_ops

    audio, size = _sound(), 1024
    got = spectral_ops.compute_loudness(audio, rate, frame_rate, size)
    expected = spectral_oracles.loudness(audio, rate, frame_rate, size)
    assert got.shape == expected.shape == (2, 6000 * frame_rate // rate + 1)
    np.testing.assert_allclose(got, expected, atol=2e-3)


@pytest.mark.parametrize("size", [512, 600, 2048])
def test_loudness_in_numpy_and_with_other_settings(size):
    from dlwa.ddsp import spectral_ops

    audio = _sound()
    options = {"range_db": 60.0, "ref_db": 20.0}
    expected = spectral_oracles.loudness(audio, 16000, 250, size, **options)
    for use_tf in (True, False):
        got = spectral_ops.compute_loudness(audio, n_fft=size, use_tf=use_tf, **options)
        np.testing.assert_allclose(got, expected, atol=2e-3)
    one = spectral_ops.compute_loudness(audio[0], n_fft=size, **options)
    np.testing.assert_allclose(one, expected[0], atol=2e-3)


def test_the_ear_at_low_high_and_middle_frequencies():
    from dlwa.ddsp import spectral_ops

    hz = [31.5, 100.0, 1000.0, 4000.0, 16000.0]
    table = [-39.4, -19.1, 0.0, 1.0, -6.6]  # IEC 61672-1, table 2
    np.testing.assert_allclose(spectral_ops.a_weighting_db(hz), table, atol=0.15)
    np.testing.assert_allclose(
        spectral_ops.a_weighting_db(hz), spectral_oracles.a_weighting(hz), atol=1e-6
    )
    assert spectral_ops.a_weighting_db([0.0]).tolist() == [-80.0]


@pytest.mark.parametrize(("rate", "frame_rate"), RATES)
def test_power_and_rms_at_every_rate(rate, frame_rate):
    from dlwa.ddsp import spectral_ops

    audio, size = _sound(), 1024
    rms = np.sqrt(np.mean(spectral_oracles.frames_at_rate(audio, rate, frame_rate, size) ** 2, -1))
    got = spectral_ops.compute_rms_energy(audio, rate, frame_rate, size)
    np.testing.assert_allclose(got, rms, rtol=1e-4, atol=1e-7)
    db = np.maximum(20 * np.log10(np.maximum(rms, 1e-4)) - 3.0, -80)
    got = spectral_ops.compute_power(audio, rate, frame_rate, size, ref_db=3.0)
    np.testing.assert_allclose(got, db, atol=2e-3)


def test_silence_and_a_sine():
    from dlwa.ddsp import spectral_ops

    silence = np.zeros((1, 4000), np.float32)
    for measure in (spectral_ops.compute_loudness, spectral_ops.compute_power):
        np.testing.assert_allclose(measure(silence), -80.0, atol=1e-4)
    sine = np.sin(2 * np.pi * 1000 * np.arange(4000) / 16000).astype(np.float32)
    power = spectral_ops.compute_power(sine)[20:-20]
    np.testing.assert_allclose(power, -3.0103, atol=0.01)


def test_ten_decibels_more_of_sound_are_ten_more_of_loudness():
    from dlwa.ddsp import spectral_ops

    audio = _sound() + np.float32(0.01)
    quiet, loud = (spectral_ops.compute_loudness(gain * audio).numpy() for gain in (1.0, 10**0.5))
    heard = quiet > -70
    np.testing.assert_allclose((loud - quiet)[heard], 10.0, atol=1e-3)


def test_curves_at_44100_hz_do_not_drift():
    from dlwa.ddsp import spectral_ops

    rate, seconds = 44100, 20
    audio = np.zeros((1, rate * seconds), np.float32)
    clicks = [1.0, 10.0, 19.0]
    for at in clicks:
        audio[0, int(at * rate)] = 1.0
    power = spectral_ops.compute_power(audio, rate, 250, 512)[0].numpy()
    assert len(power) == seconds * 250 + 1
    for at in clicks:
        near = slice(int(at * 250) - 20, int(at * 250) + 21)
        centre = np.mean(np.flatnonzero(power[near] > -79)) - 20
        assert abs(centre) <= 1.0
