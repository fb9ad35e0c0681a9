"""The learned room as a sound file, for hosts that convolve themselves."""

import numpy as np
import soundfile

from dlwa.ddsp import core
from dlwa.ddsp.audio_io import resample
from dlwa.ddsp.training.export._parts import parts_of
from dlwa.ddsp.training.export._truth import SEED

__all__ = ["write_rooms"]


def write_rooms(played, folder, also_at=None):
    """Write `reverb_ir_<rate>_hz.wav` for the model's reverb, 32 bit float, without the dry sound.

    Args:
        played: a PlayableModel.
        folder: where to.
        also_at: a second copy at this sample rate, or None.

    Returns:
        Paths written; none if the model has no room.
    """
    written = []
    for name, module in parts_of(played).rooms.items():
        with core.noise_seed(SEED):
            response = np.array(module.get_controls(np.zeros([1, 1], np.float32))["ir"][0])
        response[0] = 0.0
        stem = "reverb" if name == "reverb" else name
        rates = [
            played.sample_rate,
            *([also_at] if also_at not in (None, played.sample_rate) else []),
        ]
        for rate in rates:
            sound = response if rate == played.sample_rate else _at(response, played, rate)
            path = folder / f"{stem}_ir_{rate}_hz.wav"
            soundfile.write(path, sound, rate, "FLOAT")
            written.append(path)
    return written


def _at(response, played, rate):
    """Resampled; a sample stands for less time, so it weighs less in a convolution."""
    return resample(response, played.sample_rate, rate) * (played.sample_rate / rate)
