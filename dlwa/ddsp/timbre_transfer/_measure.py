"""Pitch, certainty and loudness of a recording, measured block by block in little memory."""

from dataclasses import dataclass

import numpy as np

from dlwa.ddsp import pitch
from dlwa.ddsp.audio_io import stream_audio
from dlwa.ddsp.timbre_transfer._errors import TransferError
from dlwa.ddsp.timbre_transfer._level import LevelMeter

_SILENT_PEAK = 1e-3
_SHORTEST_S = 0.1


@dataclass(frozen=True)
class Features:
    """What a recording plays, `[n_frames]` each; frame i lies around second i / frame_rate.

    `model_loudness_db` is the loudness as the model measured it in its training, which differs
    from `loudness_db` (always taken at 16 kHz) for models of other rates.
    """

    f0_hz: np.ndarray
    f0_confidence: np.ndarray
    loudness_db: np.ndarray
    model_loudness_db: np.ndarray
    frame_rate: int
    seconds: float
    peak: float


class _Pitch:
    def __init__(self, frame_rate, pitch_model, precision):
        self._tracker = pitch.open_tracker(pitch_model, frame_rate, precision=precision)
        self._parts = []

    def push(self, samples):
        self._parts.append(self._tracker.push(samples))

    def finish(self):
        self._parts.append(self._tracker.finish())
        return [np.concatenate(series) for series in zip(*self._parts, strict=True)]


def measure(
    path,
    frame_rate=250,
    pitch_model="tiny",
    precision="auto",
    loudness_rate=16000,
    tick=lambda seconds: None,
    power_frame=0,
):
    """Measure a recording of any format, rate and length.

    Args:
        path: the file.
        frame_rate: frames a second; must divide 16000.
        pitch_model: size of the CREPE network, or "swift".
        precision: see dlwa.ddsp.pitch.
        loudness_rate: sample rate at which the model measured its loudness.
        tick: called with the seconds done so far.
        power_frame: samples of the frames in which the model measured power instead of loudness;
            0 for the models of loudness.

    Raises:
        AudioFileError: if the file cannot be read as sound.
        TransferError: if it is silent or too short.
    """
    rate = pitch.CREPE_SAMPLE_RATE
    tracker = _Pitch(frame_rate, pitch_model, precision)
    meter, levels = LevelMeter(rate, frame_rate), []
    n_samples, peak = 0, 0.0
    for block in stream_audio(path, rate):
        if not len(block):
            continue
        peak = max(peak, float(np.abs(block).max()))
        n_samples += len(block)
        for start in range(0, len(block), rate):  # a second at a time, so that progress moves
            tracker.push(block[start : start + rate])
            levels.append(meter.push(block[start : start + rate]))
            tick((n_samples - len(block) + min(start + rate, len(block))) / rate)
    _check(path, n_samples / rate, peak)
    f0_hz, confidence = tracker.finish()
    level = np.concatenate([*levels, meter.finish()])
    n_frames = min(len(f0_hz), len(level))
    own = level
    if loudness_rate != rate or power_frame:
        own = _level_at(path, loudness_rate, frame_rate, power_frame)
    own = np.pad(own[:n_frames], (0, max(0, n_frames - len(own))), mode="edge")
    return Features(
        f0_hz[:n_frames],
        confidence[:n_frames],
        level[:n_frames],
        own,
        frame_rate,
        n_samples / rate,
        peak,
    )


def _level_at(path, sample_rate, frame_rate, power_frame):
    meter = LevelMeter(sample_rate, frame_rate, power_frame)
    levels = [meter.push(block) for block in stream_audio(path, sample_rate)]
    return np.concatenate([*levels, meter.finish()])


def _check(path, seconds, peak):
    if seconds < _SHORTEST_S:
        raise TransferError(
            f"{path} is {seconds * 1000:.0f} ms long, at least {_SHORTEST_S * 1000:.0f} ms are "
            "needed",
            "record a longer phrase",
        )
    if peak < _SILENT_PEAK:
        how = "every sample is zero" if peak == 0 else f"its peak is {20 * np.log10(peak):.0f} dB"
        raise TransferError(
            f"{path} is silent ({how}); there is nothing to play",
            "check the microphone, or raise the volume of the recording",
        )
