"""Short-time spectra against NumPy's FFT in float64, and the recorded ones of the reference."""

import numpy as np
import pytest
from scipy import fft

from tests.ddsp import golden, spectral_oracles

pytestmark = pytest.mark.ddsp


def _sound(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("size", [64, 100, 255])
@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.75])
@pytest.mark.parametrize("pad_end", [True, False])
def test_stft_of_any_size(size, overlap, pad_end):
    from dlwa.ddsp import spectral_ops

    audio = _sound(2, 700)
    hop = int(size * (1 - overlap))
    expected = np.fft.rfft(
        spectral_oracles.frames(audio, size, hop, pad_end) * spectral_oracles.hann(size),
        1 << (size - 1).bit_length(),
    )
    got = spectral_ops.stft(audio, size, overlap, pad_end)
    np.testing.assert_allclose(got, expected, atol=2e-4)
    channel = spectral_ops.stft(audio[..., np.newaxis], size, overlap, pad_end)
    np.testing.assert_array_equal(channel, got)
    one = spectral_ops.stft(audio[0], size, overlap, pad_end)
    np.testing.assert_allclose(one, got[0], atol=1e-5)


def test_recorded_spectra_of_the_reference():
    from dlwa.ddsp import spectral_ops

    with np.load(golden.FOLDER / "spectral_ops.stft.npz") as recorded:
        audio = recorded["in_audio"]
        ours = {
            "out": spectral_ops.stft(audio, frame_size=128, overlap=0.75, pad_end=True),
            "out_np": spectral_ops.stft_np(audio, 128, 0.5, True),
        }
        for name, value in ours.items():
            expected = recorded[f"{name}_real"] + 1j * recorded[f"{name}_imag"]
            assert value.shape == expected.shape, name
            np.testing.assert_allclose(value, expected, atol=3e-5, rtol=1e-4, err_msg=name)


def test_numpy_and_tensorflow_agree():
    from dlwa.ddsp import spectral_ops

    audio = _sound(2, 1000)
    theirs = spectral_ops.stft(audio, 256, 0.75, pad_end=False)
    ours = spectral_ops.stft_np(audio, 256, 0.75, pad_end=False)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    np.testing.assert_allclose(spectral_ops.stft_np(audio[0], 256, 0.75, False), ours[0], atol=1e-6)


def test_magnitudes_and_their_logarithm():
    from dlwa.ddsp import spectral_ops

    audio = _sound(2, 3000)
    expected = spectral_oracles.magnitudes(audio, 512, 0.75)
    np.testing.assert_allclose(spectral_ops.compute_mag(audio, 512), expected, atol=2e-4)
    log = spectral_ops.compute_logmag(audio, 512).numpy()
    loud = expected > 0.1
    np.testing.assert_allclose(log[loud], np.log(expected[loud]), atol=2e-3)
    silent = spectral_ops.compute_logmag(np.zeros((1, 600), np.float32), 512)
    np.testing.assert_allclose(silent, np.log(1e-5), rtol=1e-6)


@pytest.mark.parametrize(("rate", "high"), [(16000, 7600.0), (44100, 20000.0)])
def test_mel_bands_and_cepstrum(rate, high):
    from dlwa.ddsp import spectral_ops

    audio = _sound(2, 6000)
    mag = spectral_oracles.magnitudes(audio, 1024, 0.75)
    matrix = spectral_oracles.mel_triangles(40, mag.shape[-1], rate, 80.0, high)
    options = {"lo_hz": 80.0, "hi_hz": high, "fft_size": 1024, "sample_rate": rate}
    bands = spectral_ops.compute_mel(audio, bins=40, **options)
    np.testing.assert_allclose(bands, mag @ matrix, rtol=2e-3, atol=2e-3)
    log = np.log(np.where(mag @ matrix > 0, mag @ matrix, 1e-5))
    np.testing.assert_allclose(
        spectral_ops.compute_logmel(audio, bins=40, **options), log, atol=5e-3
    )
    cepstrum = fft.dct(log, type=2, axis=-1)[..., :13] / np.sqrt(2 * 40)
    got = spectral_ops.compute_mfcc(audio, mel_bins=40, mfcc_bins=13, **options)
    np.testing.assert_allclose(got, cepstrum, atol=2e-2)


def test_a_tone_stands_in_its_bin():
    from dlwa.ddsp import spectral_ops

    time = np.arange(8000) / 16000
    tone = np.sin(2 * np.pi * 1000.0 * time).astype(np.float32)
    mag = spectral_ops.compute_mag(tone, 512, pad_end=False)[5].numpy()
    assert np.argmax(mag) == 32
    assert mag[32] == pytest.approx(512 / 4, rel=1e-3)  # half the window's sum
