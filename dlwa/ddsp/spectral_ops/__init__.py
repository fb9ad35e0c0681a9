"""What can be measured in a sound: spectrum, mel bands, loudness, power, pitch.

The pitch trackers live in dlwa.ddsp.pitch and are loaded when first asked for.
"""

import importlib

from dlwa.ddsp.core import DB_RANGE, hz_to_midi

from ._framing import frame_at_rate, get_framed_lengths, pad, pad_or_trim_to_expected_length
from ._level import (
    LD_RANGE,
    a_weighting_db,
    compute_loudness,
    compute_power,
    compute_rms_energy,
    loudness_of_frames,
)
from ._spectrum import (
    compute_logmag,
    compute_logmel,
    compute_mag,
    compute_mel,
    compute_mfcc,
    stft,
    stft_np,
)

CREPE_SAMPLE_RATE = 16000
CREPE_FRAME_SIZE = 1024
F0_RANGE = 127.0

_PITCH = ("PretrainedCREPE", "compute_f0", "reset_crepe")

__all__ = [
    "CREPE_FRAME_SIZE",
    "CREPE_SAMPLE_RATE",
    "DB_RANGE",
    "F0_RANGE",
    "LD_RANGE",
    "PretrainedCREPE",
    "a_weighting_db",
    "compute_f0",
    "compute_logmag",
    "compute_logmel",
    "compute_loudness",
    "compute_mag",
    "compute_mel",
    "compute_mfcc",
    "compute_power",
    "compute_rms_energy",
    "frame_at_rate",
    "get_framed_lengths",
    "hz_to_midi",
    "loudness_of_frames",
    "pad",
    "pad_or_trim_to_expected_length",
    "reset_crepe",
    "stft",
    "stft_np",
]


def __getattr__(name):
    if name in _PITCH:
        return getattr(importlib.import_module("dlwa.ddsp.pitch"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
