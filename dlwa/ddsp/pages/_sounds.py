"""Sounds packed into a page."""

import base64
import io

import numpy as np
import soundfile

from dlwa.ddsp.audio_io import resample

_RATE = 44100
_LOUDEST = 0.95


def sound_uri(audio, rate):
    """A sound as MP3 inside a data URI, small enough for a page.

    Args:
        audio: `[n_samples]`; what is louder than full scale is made softer as a whole.
        rate: its sample rate in Hz.
    """
    stream = io.BytesIO()
    audio = resample(np.asarray(audio, np.float32), rate, _RATE)
    peak = float(np.abs(audio).max(initial=0.0))
    audio = audio * (_LOUDEST / peak) if peak > _LOUDEST else audio
    soundfile.write(
        stream, audio, _RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.6
    )
    return "data:audio/mpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
