"""Hearing pitch and loudness of a sound that is still going on."""

from dataclasses import dataclass

import numpy as np

from dlwa.ddsp.pitch.live import open_live_tracker
from dlwa.ddsp.timbre_transfer import LevelMeter

RATE = 16000
_SILENCE_DB = -80.0


@dataclass(frozen=True)
class Heard:
    """What sounded, `[n_frames]` each."""

    f0_hz: np.ndarray
    confidence: np.ndarray
    loudness_db: np.ndarray


class Ear:
    """Takes blocks of sound, tells of each as many frames as it is long.

    What it tells lies a little behind the sound, because pitch needs to be heard for a while;
    `behind_s` says how much.

    Args:
        frame_rate: frames a second; must divide 16000.
        block_frames: frames of a block.
        pitch_model: of open_live_tracker.
        precision: of the CREPE networks.
    """

    def __init__(self, frame_rate, block_frames, pitch_model="tiny", precision="float32"):
        if RATE % frame_rate:
            raise ValueError(f"frame_rate={frame_rate} must divide {RATE}")
        self._hop, self._block = RATE // frame_rate, block_frames
        self.block_samples = self._hop * block_frames
        self._tracker = open_live_tracker(pitch_model, frame_rate, precision)
        self._meter = LevelMeter(RATE, frame_rate)
        self._waiting = [np.zeros(0, np.float32) for _ in range(3)]
        self._frame_rate = frame_rate
        self._silent_frames = 0

    @property
    def behind_s(self):
        """How far what is told lies behind the sound."""
        return self._silent_frames / self._frame_rate

    def push(self, samples):
        """Hear a block `[block_samples]` at 16 kHz.

        Returns:
            Heard of block_frames frames.
        """
        if len(samples) != self.block_samples:
            raise ValueError(f"samples={len(samples)} must be a block of {self.block_samples}")
        samples = np.asarray(samples, np.float32)
        f0_hz, confidence = self._tracker.push(samples)
        new = f0_hz, confidence, self._meter.push(samples)
        self._waiting = [np.concatenate(both) for both in zip(self._waiting, new, strict=True)]
        lacking = self._block - min(map(len, self._waiting))
        if lacking > 0:  # at the start; from then on a block brings a block
            self._silent_frames += lacking
            for place, value in enumerate((0.0, 0.0, _SILENCE_DB)):
                silence = np.full(lacking, value, np.float32)
                self._waiting[place] = np.concatenate([silence, self._waiting[place]])
        told = [series[: self._block] for series in self._waiting]
        self._waiting = [series[self._block :] for series in self._waiting]
        return Heard(*told)
