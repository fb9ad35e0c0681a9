"""Wrong arguments of the measurements end with name, value and what was expected."""

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp
AUDIO = np.ones((2, 3000), np.float32)
EMPTY = np.ones((2, 0), np.float32)
LEVELS = ["compute_loudness", "compute_power", "compute_rms_energy"]
SPECTRA = ["stft", "stft_np", "compute_mag", "compute_logmag", "compute_mel", "compute_mfcc"]

CASES = [
    *((name, EMPTY, {}, "audio.shape=(2, 0) must be") for name in LEVELS + SPECTRA),
    *((name, AUDIO[..., None], {}, "audio.shape=(2, 3000, 1) must be") for name in LEVELS),
    *((name, AUDIO, {"frame_rate": 0}, "frame_rate=0 must be positive") for name in LEVELS),
    *((name, AUDIO, {"sample_rate": -1}, "sample_rate=-1 must be positive") for name in LEVELS),
    *((name, AUDIO, {"frame_rate": 20000}, "must be at most sample_rate=16000") for name in LEVELS),
    *((name, AUDIO, {"frame_rate": 10}, "hop_size=1600 must be at most frame") for name in LEVELS),
    *((name, AUDIO, {"padding": "x"}, "padding='x' must be one of") for name in LEVELS),
    *((name, AUDIO[:, :99], {"padding": "valid"}, "at least frame_size=512") for name in LEVELS),
    *((name, AUDIO[..., None, None], {}, "must be [batch, n_samples] or") for name in SPECTRA),
    *((name, AUDIO, {"overlap": 1.0}, "overlap=1.0 must be at least 0 and be") for name in SPECTRA),
    *((name, AUDIO, {"overlap": -0.5}, "overlap=-0.5 must be at least 0") for name in SPECTRA),
    *((name, AUDIO, {"overlap": float("nan")}, "overlap=nan must be") for name in SPECTRA),
    *((name, AUDIO[:, :99], {"pad_end": False}, "unless pad_end is True") for name in SPECTRA),
    ("compute_loudness", AUDIO, {"n_fft": -4}, "frame_size=-4 must be a whole number"),
    ("compute_loudness", AUDIO, {"range_db": 0.0}, "range_db=0.0 must be positive"),
    ("compute_mel", AUDIO, {"hi_hz": 9000.0}, "lo_hz=0.0 and hi_hz=9000.0 must rise"),
    ("compute_mel", AUDIO, {"lo_hz": 8000.0}, "must rise from 0 to half of sample_rate=16000"),
    ("compute_mel", AUDIO, {"bins": 0}, "bins=0 must be a whole number of at least 1"),
    ("compute_mfcc", AUDIO, {"mfcc_bins": 300}, "mfcc_bins=300 must be at most mel_bins=128"),
]


@pytest.mark.parametrize(
    ("name", "audio", "keywords", "message"),
    CASES,
    ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)],
)
def test_refused_by_name_and_value(name, audio, keywords, message):
    from dlwa.ddsp import spectral_ops

    with pytest.raises(ValueError) as caught:
        getattr(spectral_ops, name)(audio, **keywords)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((100, 0, 1), "frame_size=0 must be a whole number of at least 1"),
        ((100, 5, 0), "hop_size=0 must be a whole number of at least 1"),
        ((-1, 5, 1), "input_length=-1 must be a whole number of at least 0"),
        ((100, 5, 1, "middle"), "padding='middle' must be one of"),
    ],
)
def test_impossible_frames(args, message):
    from dlwa.ddsp import spectral_ops

    with pytest.raises(ValueError, match="must be") as caught:
        spectral_ops.get_framed_lengths(*args)
    assert message in str(caught.value)
