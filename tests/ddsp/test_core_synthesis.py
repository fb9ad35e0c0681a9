"""Harmonic synthesis from frames, at all rates and hops, and in blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ddsp import oracles

pytestmark = pytest.mark.ddsp


def _controls(n_frames, k, seed=0, highest_hz=900.0):
    random = np.random.default_rng(seed)
    f0_hz = random.uniform(80, highest_hz, (2, n_frames, 1)).astype(np.float32)
    amplitudes = random.uniform(0, 1, (2, n_frames, 1)).astype(np.float32)
    shares = random.uniform(0, 1, (2, n_frames, k)).astype(np.float32)
    return f0_hz, amplitudes, shares / shares.sum(-1, keepdims=True)


@pytest.mark.parametrize(
    ("rate", "frame_rate"),
    [(r, f) for r in (16000, 24000, 32000, 44100, 48000) for f in (250, 100, 50)],
)
def test_every_rate_of_the_product(rate, frame_rate):
    from dlwa.ddsp import core

    n_frames = frame_rate // 5
    n = round(n_frames * rate / frame_rate)  # 44100 at 250: 176.4 samples a frame
    method = "window" if n % n_frames == 0 else "linear"
    f0_hz, amplitudes, shares = _controls(n_frames, 20)
    got = core.harmonic_synthesis(
        f0_hz,
        amplitudes,
        harmonic_distribution=shares,
        n_samples=n,
        sample_rate=rate,
        amp_resample_method=method,
    )
    expected = oracles.harmonics(f0_hz, amplitudes * shares, n, rate, method)
    np.testing.assert_allclose(got, expected, atol=3e-5)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(2, 12),
    st.integers(2, 40),
    st.integers(1, 12),
    st.sampled_from(["window", "linear", "nearest", "cubic"]),
    st.integers(0, 3),
)
def test_any_hop_and_method(n_frames, hop, k, method, extra):
    from dlwa.ddsp import core

    n = n_frames * hop + (0 if method == "window" else extra)
    f0_hz, amplitudes, shares = _controls(n_frames, k, seed=hop, highest_hz=7000.0)
    got = core.harmonic_synthesis(
        f0_hz,
        amplitudes,
        harmonic_distribution=shares,
        n_samples=n,
        amp_resample_method=method,
    ).numpy()
    expected = oracles.harmonics(f0_hz, amplitudes * shares, n, 16000, method)
    np.testing.assert_allclose(got, expected, atol=1e-2 if method == "cubic" else 3e-5)


def test_a_frequency_that_crosses_nyquist_falls_silent_sample_by_sample():
    from dlwa.ddsp import core

    f0_hz = np.linspace(3000, 9000, 10, dtype=np.float32).reshape(1, 10, 1)
    got = core.harmonic_synthesis(f0_hz, np.ones((1, 10, 1), np.float32), n_samples=640).numpy()
    sounding = oracles.resample(f0_hz, 640)[0, :, 0] < 8000
    assert 0 < sounding.sum() < 640
    assert not np.any(got[0, ~sounding])
    assert np.abs(got[0, sounding]).max() > 0.9


def test_shifted_harmonics():
    from dlwa.ddsp import core

    f0_hz, amplitudes, shares = _controls(10, 6)
    shifts = np.random.default_rng(5).uniform(-0.02, 0.02, shares.shape).astype(np.float32)
    got = core.harmonic_synthesis(f0_hz, amplitudes, shifts, shares, n_samples=640)
    expected = oracles.harmonics(f0_hz, amplitudes * shares, 640, 16000, shifts=shifts)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    alone = core.harmonic_synthesis(f0_hz, amplitudes, shifts, n_samples=640)
    expected = oracles.harmonics(f0_hz, amplitudes * np.ones(6), 640, 16000, shifts=shifts)
    np.testing.assert_allclose(alone, expected, atol=3e-4)


def test_controls_of_different_rates_and_one_pitch_for_a_batch():
    from dlwa.ddsp import core

    f0_hz, _, _ = _controls(16, 1)
    _, amplitudes, shares = _controls(10, 5)
    got = core.harmonic_synthesis(f0_hz, amplitudes, None, shares, n_samples=640)
    numbers = np.arange(1, 6)
    hz = oracles.resample(f0_hz * numbers, 640)
    expected = oracles.oscillators(hz, oracles.windows(amplitudes * shares, 640), 16000)
    np.testing.assert_allclose(got, expected, atol=3e-5)
    one = core.harmonic_synthesis(f0_hz[:1, :1], amplitudes, None, shares, n_samples=640)
    held = np.broadcast_to(f0_hz[:1, :1], (2, 10, 1))
    expected = oracles.harmonics(held, amplitudes * shares, 640, 16000)
    np.testing.assert_allclose(one, expected, atol=3e-5)


def test_blocks_of_a_stream_join_to_the_whole():
    from dlwa.ddsp import core

    f0_hz = np.full((1, 12, 1), 333.0, np.float32)
    shares = np.random.default_rng(0).uniform(0, 1, (1, 12, 30)).astype(np.float32)
    shares[:] = shares[:, :1]
    amplitudes = np.ones((1, 12, 1), np.float32)
    played = core.streaming_harmonic_synthesis(f0_hz, amplitudes, shares, n_samples=1200)[0]
    blocks, phase = [], None
    for start in range(0, 12, 3):
        part = slice(start, start + 3)
        audio, phase = core.streaming_harmonic_synthesis(
            f0_hz[:, part], amplitudes[:, part], shares[:, part], phase, n_samples=300
        )
        blocks.append(audio)
    np.testing.assert_allclose(np.concatenate(blocks, 1), played, atol=2e-5)
    audible = shares * (np.arange(1, 31) * 333 < 8000)
    audible = audible / audible.sum(-1, keepdims=True)
    np.testing.assert_allclose(
        played, oracles.harmonics(f0_hz, audible, 1200, 16000, "linear"), atol=2e-5
    )


@pytest.mark.parametrize("method", ["window", "linear"])
def test_overlapping_blocks_equal_one_sound(method):
    from dlwa.ddsp import core
    from dlwa.ddsp.core._harmonic_blocks import harmonic_block

    f0_hz, amplitudes, shares = _controls(13, 4)
    whole = core.harmonic_synthesis(
        f0_hz, amplitudes * shares, None, None, n_samples=13 * 64, amp_resample_method=method
    )
    cycles, blocks = 0.0, []
    for start in range(0, 12, 4):
        part = slice(start, start + 5)
        audio, cycles = harmonic_block(
            f0_hz[:, part], (amplitudes * shares)[:, part], 64, 16000, method, cycles
        )
        blocks.append(audio)
    np.testing.assert_allclose(np.concatenate(blocks, 1), whole[:, : 12 * 64], atol=2e-5)
