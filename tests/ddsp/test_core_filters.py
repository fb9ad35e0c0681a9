"""Filters against convolution and spectra in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, signal

from tests.ddsp import oracles

pytestmark = pytest.mark.ddsp
often = settings(max_examples=30, deadline=None)


def _noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_the_fft_is_long_enough_and_no_longer(frame, ir):
    from dlwa.ddsp import core

    size = core.get_fft_size(frame, ir)
    assert size // 2 < max(1, frame + ir - 1) <= size
    assert size & (size - 1) == 0
    assert core.get_fft_size(frame, ir, power_of_2=False) == fft.next_fast_len(
        frame + ir - 1, real=True
    )


@often
@given(
    st.integers(1, 300),
    st.integers(1, 40),
    st.integers(1, 8),
    st.sampled_from(["same", "valid"]),
    st.integers(-1, 20),
)
def test_convolution_block_by_block(n, ir, frames, padding, delay):
    from dlwa.ddsp import core

    frames = min(frames, n)
    block = -(-n // frames)
    if -(-n // block) != frames:
        return
    audio, responses = _noise(2, n, seed=n), _noise(2, frames, ir, seed=ir)
    got = core.fft_convolve(audio, responses, padding, delay)
    full = oracles.convolve(audio, responses)
    start = max(0, (ir - 1) // 2 - 1) if delay < 0 else delay
    size = n if padding == "same" else n + ir - 1
    expected = np.pad(full, [[0, 0], [0, start + size]])[:, start : start + size]
    assert got.shape == (2, size)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_one_response_for_all_and_scipy_agrees():
    from dlwa.ddsp import core

    audio, response = _noise(3, 500), _noise(1, 64)
    got = core.fft_convolve(audio, response, padding="valid", delay_compensation=0)
    expected = [signal.fftconvolve(row, response[0].astype(float)) for row in audio]
    np.testing.assert_allclose(got, expected, atol=1e-4)


@often
@given(st.integers(1, 4), st.integers(0, 1000))
def test_filtering_is_linear(frames, seed):
    from dlwa.ddsp import core

    one, two, h = _noise(1, 64, seed=seed), _noise(1, 64, seed=seed + 1), _noise(1, frames, 9)
    if -(-64 // -(-64 // frames)) != frames:
        return
    both = core.fft_convolve(2 * one + two, h)
    alone = 2 * core.fft_convolve(one, h) + core.fft_convolve(two, h)
    np.testing.assert_allclose(both, alone, atol=1e-4)


def test_cropping_keeps_what_was_asked_for_even_at_the_end():
    from dlwa.ddsp import core

    audio = np.arange(10, dtype=np.float32)[np.newaxis]
    crop = core.crop_and_compensate_delay
    assert crop(audio, 10, 1, "same", 0).numpy().tolist() == audio.tolist()  # nothing to cut
    assert crop(audio, 6, 5, "same", -1).numpy().tolist() == [[1, 2, 3, 4, 5, 6]]
    assert crop(audio, 6, 5, "valid", 2).numpy().tolist() == [[*range(2, 10), 0, 0]]
    assert crop(audio, 8, 2, "same", -1).numpy().tolist() == [list(range(8))]


def _windowed(h, window_size):
    """Zero-phase response -> windowed around its centre, centre in the middle."""
    n = len(h)
    if window_size <= 0 or window_size > n:
        window_size = n
    even = window_size % 2 == 0
    window = 0.5 - 0.5 * np.cos(
        2 * np.pi * np.arange(window_size) / (window_size if even else max(window_size - 1, 1))
    )
    if window_size == n:
        return np.fft.fftshift(np.fft.fftshift(window) * h)
    half = (window_size + 1) // 2
    around = np.concatenate([window[half:], np.zeros(n - window_size), window[:half]]) * h
    return np.concatenate([around[n - half + 2 :], around[: half + 1]])


@often
@given(st.integers(3, 60), st.integers(-1, 70))
def test_windowed_responses(n_frequencies, window_size):
    from dlwa.ddsp import core

    if window_size in (1, 2):
        return
    magnitudes = np.random.default_rng(n_frequencies).uniform(0, 1, (2, n_frequencies))
    h = np.fft.irfft(magnitudes)
    got = core.frequency_impulse_response(magnitudes.astype(np.float32), window_size)
    expected = [_windowed(row, window_size) for row in h]
    np.testing.assert_allclose(got, expected, atol=1e-6)
    again = core.apply_window_to_impulse_response(np.fft.fftshift(h, axes=-1), window_size, True)
    if h.shape[-1] % 2 == 0:
        np.testing.assert_allclose(again, expected, atol=1e-6)


def test_a_frequency_filter_has_the_magnitudes_it_was_given():
    from dlwa.ddsp import core

    steps = np.repeat(np.float32([1.0, 0.5, 0.0, 0.25]), 16)[np.newaxis]
    h = core.frequency_impulse_response(steps)[0].numpy()
    response = np.abs(np.fft.rfft(h, 1024))
    for band, wanted in enumerate([1.0, 0.5, 0.0, 0.25]):
        middle = response[int((band + 0.5) * 128) - 8 : int((band + 0.5) * 128) + 8]
        np.testing.assert_allclose(middle, wanted, atol=0.01)
    audio = _noise(1, 640)
    filtered = core.frequency_filter(audio, np.repeat(steps[:, np.newaxis], 10, 1), 33)
    taps = core.frequency_impulse_response(steps, 33).numpy()
    expected = oracles.convolve(audio, np.repeat(taps[:, np.newaxis], 10, 1))
    start = (taps.shape[-1] - 1) // 2 - 1
    np.testing.assert_allclose(filtered, expected[:, start : start + 640], atol=1e-4)


def test_a_constant_magnitude_only_changes_the_level():
    from dlwa.ddsp import core

    audio = _noise(2, 800)
    for magnitudes in (np.full((2, 65), 0.25), np.full((2, 8, 65), 0.25)):
        filtered = core.frequency_filter(audio, magnitudes.astype(np.float32)).numpy()
        # A linear phase filter of even length, compensated to within one sample.
        shift = int(np.argmax(np.correlate(filtered[0], audio[0], "full"))) - 799
        assert abs(shift) <= 2
        aligned = np.roll(filtered, -shift, axis=1)[:, 5:-5]
        np.testing.assert_allclose(aligned, 0.25 * audio[:, 5:-5], atol=1e-4)


def test_sinc_and_its_filters():
    from dlwa.ddsp import core

    x = np.linspace(-5, 5, 101).astype(np.float32)
    np.testing.assert_allclose(core.sinc(x), np.sinc(x.astype(float)), atol=1e-6)
    assert float(core.sinc(0.0)) == 1.0
    for window_size, rate, high_pass in [
        (128, 16000, False),
        (127, None, False),
        (64, 16000, True),
    ]:
        cutoff = 0.3 if rate is None else 0.15 * rate
        half = window_size // 2
        taps = np.sinc(0.3 * np.arange(-half, half + 1)) * np.hamming(2 * half + 1)
        taps = taps / abs(taps.sum())
        expected = (np.arange(2 * half + 1) == half) - taps if high_pass else taps
        got = core.sinc_impulse_response([[cutoff]], window_size, rate, high_pass)
        np.testing.assert_allclose(got, [expected], atol=1e-6)


@pytest.mark.parametrize("high_pass", [False, True])
def test_a_steep_filter_keeps_one_side(high_pass):
    from dlwa.ddsp import core

    time = np.arange(4000) / 16000
    low, high = (np.sin(2 * np.pi * hz * time).astype(np.float32) for hz in (500, 4000))
    cutoff = np.full((1, 1), 2000.0, np.float32)
    kept = core.sinc_filter([low + high], cutoff, 256, 16000, high_pass=high_pass)[0].numpy()
    spectrum = np.abs(np.fft.rfft(kept[500:3700] * np.hanning(3200))) / 800
    assert spectrum[100] == pytest.approx(0.0 if high_pass else 1.0, abs=0.01)
    assert spectrum[800] == pytest.approx(1.0 if high_pass else 0.0, abs=0.01)
