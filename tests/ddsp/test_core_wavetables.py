"""Reading tables and moving delays, sample by sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ddsp import oracles

pytestmark = pytest.mark.ddsp
often = settings(max_examples=30, deadline=None)


@often
@given(st.integers(1, 40), st.booleans(), st.integers(0, 1000))
def test_lookup_in_one_table_or_one_a_sample(width, changing, seed):
    from dlwa.ddsp import core

    random = np.random.default_rng(seed)
    phase = random.uniform(0, 1, (2, 25)).astype(np.float32)
    phase[0, :3] = 0.0, 1.0, 0.5
    tables = random.normal(size=(2, 25, width) if changing else (2, width)).astype(np.float32)
    each = tables if changing else np.repeat(tables[:, np.newaxis], 25, axis=1)
    expected = [oracles.lookup(phase[i], each[i]) for i in range(2)]
    np.testing.assert_allclose(core.linear_lookup(phase, tables), expected, atol=2e-5)
    np.testing.assert_allclose(
        core.linear_lookup(phase[..., np.newaxis], tables), expected, atol=2e-5
    )


def test_a_table_of_harmonics_is_their_sum_of_cosines():
    from dlwa.ddsp import core

    shares = np.random.default_rng(0).uniform(0, 1, (2, 3, 7)).astype(np.float32)
    angle = 2 * np.pi * np.arange(64) / 64
    waves = np.cos(np.outer(np.arange(1, 8), angle))
    got = core.harmonic_distribution_to_wavetable(shares, 64)
    np.testing.assert_allclose(got, shares @ waves, atol=1e-5)


def _played(f0_hz, amplitudes, tables, n, rate):
    hz = oracles.resample(f0_hz, n)[..., 0]
    cycles = np.cumsum(hz / rate, axis=1) - hz / rate
    changing = oracles.resample(tables, n) if tables.ndim == 3 else np.repeat(tables[:, None], n, 1)
    sound = [oracles.lookup(p % 1.0, t) for p, t in zip(cycles, changing, strict=True)]
    return np.array(sound) * oracles.windows(amplitudes, n)[..., 0]


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("frames", [None, 1, 8, 5])
def test_playing_tables_that_stand_or_change(rate, frames):
    from dlwa.ddsp import core

    random = np.random.default_rng(0)
    f0_hz = random.uniform(50, 3000, (2, 8, 1)).astype(np.float32)
    amplitudes = random.uniform(0, 1, (2, 8, 1)).astype(np.float32)
    angle = 2 * np.pi * np.arange(256) / 256
    shares = random.uniform(0, 1, (2, frames or 1, 4))
    tables = (shares @ np.sin(np.outer(np.arange(1, 5), angle))).astype(np.float32)
    tables = tables[:, 0] if frames is None else tables
    got = core.wavetable_synthesis(f0_hz, amplitudes, tables, 800, rate)
    np.testing.assert_allclose(got, _played(f0_hz, amplitudes, tables, 800, rate), atol=1e-4)


@often
@given(st.integers(2, 30), st.integers(0, 1000))
def test_a_delay_that_moves(max_length, seed):
    from dlwa.ddsp import core

    random = np.random.default_rng(seed)
    audio = random.normal(size=(2, 50)).astype(np.float32)
    phase = random.uniform(0, 1, (2, 50)).astype(np.float32)
    expected = np.zeros((2, 50))
    for b in range(2):
        for i in range(50):
            past = [audio[b, i - d] if i >= d else 0.0 for d in range(max_length)]
            expected[b, i] = oracles.lookup(phase[b, i : i + 1], np.array([past]))[0]
    for given_phase in (phase, phase[..., np.newaxis]):
        got = core.variable_length_delay(given_phase, audio, max_length)
        np.testing.assert_allclose(got, expected, atol=1e-4)


def test_a_standing_delay_shifts_the_sound():
    from dlwa.ddsp import core

    audio = np.random.default_rng(0).normal(size=(1, 100)).astype(np.float32)
    later = core.variable_length_delay(np.full((1, 100), 12 / 64, np.float32), audio, 64)
    np.testing.assert_allclose(later[0, 12:], audio[0, :-12], atol=1e-5)
    assert not np.any(later[0, :12])
