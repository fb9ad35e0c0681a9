"""Banks of oscillators against sums of sines in float64."""

import numpy as np
import pytest

from tests.ddsp import oracles

pytestmark = pytest.mark.ddsp
RATE = 16000


def _envelopes(n=4000, k=3, seed=0):
    random = np.random.default_rng(seed)
    hz = random.uniform(50, 2000, (2, 1, k)) * np.exp(np.linspace(0, 1, n))[:, np.newaxis]
    return hz.astype(np.float32), random.uniform(0, 1, (2, n, k)).astype(np.float32)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_a_bank_of_sweeps(wrapped, rate):
    from dlwa.ddsp import core

    hz, amplitudes = _envelopes()
    got = core.oscillator_bank(hz, amplitudes, rate, use_angular_cumsum=wrapped)
    np.testing.assert_allclose(got, oracles.oscillators(hz, amplitudes, rate), atol=5e-6)


def test_a_bank_unmixed_adds_up_to_the_mix():
    from dlwa.ddsp import core

    hz, amplitudes = _envelopes()
    alone = core.oscillator_bank(hz, amplitudes, sum_sinusoids=False).numpy()
    assert alone.shape == hz.shape
    one = oracles.oscillators(hz[..., 1:2], amplitudes[..., 1:2], RATE)
    np.testing.assert_allclose(alone[..., 1], one, atol=5e-6)
    np.testing.assert_allclose(alone.sum(-1), core.oscillator_bank(hz, amplitudes), atol=1e-5)


def test_negative_frequencies_turn_backwards():
    from dlwa.ddsp import core

    hz = np.full((1, 100, 1), 440, np.float32)
    forwards, backwards = (core.oscillator_bank(sign * hz, hz) for sign in (1, -1))
    np.testing.assert_allclose(forwards, -backwards, atol=1e-3)  # amplitudes of 440


def test_one_phase_for_all_harmonics_and_for_the_next_block():
    from dlwa.ddsp import core

    hz, _ = _envelopes(k=1)
    amplitudes = np.random.default_rng(1).uniform(0, 1, (2, 4000, 5)).astype(np.float32)
    phase = 2 * np.pi * np.cumsum(hz.astype(float), axis=1) / RATE
    expected = np.sum(np.sin(phase * np.arange(1, 6)) * amplitudes, -1)
    audio, last = core.harmonic_oscillator_bank(hz, amplitudes)
    np.testing.assert_allclose(audio, expected, atol=2e-5)
    np.testing.assert_allclose(np.cos(last), np.cos(phase[:, -1:]), atol=1e-5)
    plain = core.harmonic_oscillator_bank(hz, amplitudes, use_angular_cumsum=False)
    np.testing.assert_allclose(plain[0], audio, atol=1e-6)
    np.testing.assert_allclose(plain[1], phase[:, -1:], rtol=1e-5)
    blocks, at = [], None
    for start in range(0, 4000, 800):
        part = slice(start, start + 800)
        sound, at = core.harmonic_oscillator_bank(hz[:, part], amplitudes[:, part], at)
        blocks.append(sound)
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), audio, atol=3e-5)


@pytest.mark.parametrize("shape", [(2, 2500), (2, 2500, 3), (1, 2500, 2, 2)])
@pytest.mark.parametrize("chunk_size", [1, 64, 1000, 4000])
def test_angular_cumsum_wraps(shape, chunk_size):
    from dlwa.ddsp import core

    steps = np.random.default_rng(0).uniform(0, 3, shape).astype(np.float32)
    got = core.angular_cumsum(steps, chunk_size=chunk_size).numpy()
    assert got.shape == shape
    assert got.min() >= 0.0
    assert got.max() <= 2 * np.pi + 1e-6
    exact = np.cumsum(steps.astype(float), axis=1)
    apart = np.abs(np.angle(np.exp(1j * (got - exact))))
    # float32 inside a chunk, as in the reference; whatever the number of chunks.
    assert apart.max() < max(5e-4, 4e-6 * chunk_size)


def test_nothing_at_or_above_half_the_sample_rate():
    from dlwa.ddsp import core

    hz = np.float32([[[7999.9, 8000.0, 8000.1, 100.0]]])
    ones = np.ones_like(hz)
    assert core.remove_above_nyquist(hz, ones).numpy().tolist() == [[[1.0, 0.0, 0.0, 1.0]]]
    assert core.remove_above_nyquist(hz, ones, 16002).numpy().tolist() == [[[1.0, 1.0, 1.0, 1.0]]]
    assert not np.any(core.oscillator_bank(np.full((1, 9, 1), 8000.0), np.ones((1, 9, 1))))


def test_shares_of_harmonics_add_up_to_one():
    from dlwa.ddsp import core

    shares = np.random.default_rng(0).uniform(0, 1, (2, 4, 30)).astype(np.float32)
    f0_hz = np.full((2, 4, 1), 500, np.float32)
    np.testing.assert_allclose(
        core.normalize_harmonics(shares), shares / shares.sum(-1, keepdims=True), rtol=1e-5
    )
    masked = shares * (np.arange(1, 31) * 500 < 8000)
    np.testing.assert_allclose(
        core.normalize_harmonics(shares, f0_hz, 16000),
        masked / masked.sum(-1, keepdims=True),
        rtol=1e-5,
    )
    assert not np.any(core.normalize_harmonics(np.zeros((1, 2, 3), np.float32)))


def test_harmonic_frequencies():
    from dlwa.ddsp import core

    f0_hz = np.float32([[[100.0], [0.0]]])
    assert core.get_harmonic_frequencies(f0_hz, 3).numpy().tolist() == [
        [[100.0, 200.0, 300.0], [0.0, 0.0, 0.0]]
    ]
