"""How loud a stream of samples is, in whichever pieces it arrives."""

import numpy as np

from dlwa.ddsp import core, spectral_ops

_LOUDNESS_FRAME = 512
_AT_ONCE = 1024  # frames, which bounds the memory


class LevelMeter:
    """Loudness in dB of frames centred on multiples of the hop, or their plain power.

    Args:
        sample_rate: of the samples, in Hz.
        frame_rate: frames a second.
        power_frame: samples of the frames whose power is told; 0 for loudness.

    Example:
        >>> meter = LevelMeter(16000, 250)
        >>> [len(meter.push(np.zeros(800))) for _ in range(2)], len(meter.finish())
        ([9, 13], 4)
    """

    def __init__(self, sample_rate, frame_rate, power_frame=0):
        self._rate, self._hop = sample_rate, sample_rate // frame_rate
        self._frame = power_frame or _LOUDNESS_FRAME
        self._level = self._power_db if power_frame else self._loudness_db
        self._kept = np.zeros(self._frame // 2, np.float32)

    def push(self, samples):
        """Take the next samples `[n]`; return the level of the frames now whole, `[frames]`."""
        self._kept = np.concatenate([self._kept, np.asarray(samples, np.float32)])
        parts = [np.zeros(0, np.float32)]
        while (whole := (len(self._kept) - self._frame) // self._hop + 1) > 0:
            count = min(whole, _AT_ONCE)
            windows = np.lib.stride_tricks.sliding_window_view(self._kept, self._frame)
            parts.append(self._level(windows[:: self._hop][:count]).astype(np.float32))
            self._kept = self._kept[count * self._hop :]
        return np.concatenate(parts)

    def finish(self):
        """Level of the last frames, which reach beyond the end."""
        return self.push(np.zeros(self._frame // 2, np.float32))

    def _loudness_db(self, frames):
        return spectral_ops.loudness_of_frames(frames, self._rate, use_tf=False)

    @staticmethod
    def _power_db(frames):
        return core.power_to_db(np.mean(frames**2.0, axis=-1), use_tf=False)
