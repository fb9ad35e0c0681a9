"""Writing a sound of any length: aside first, then whole and never too loud."""

import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

from dlwa import runfiles

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
RATES = (16000, 22050, 24000, 32000, 44100, 48000, 96000)
_BLOCK = 1 << 18


def check_output(target, sample_rate=None, source=None):
    """Refuse what cannot be written, before any work is done.

    Raises:
        ValueError: for an unknown ending or rate, a missing folder, or the recording itself.
    """
    target = Path(target)
    if target.suffix.lower() not in FORMATS:
        raise ValueError(f"output={str(target)!r} must end in {', '.join(FORMATS)}")
    if sample_rate is not None and sample_rate not in RATES:
        known = ", ".join(map(str, RATES))
        raise ValueError(f"sample_rate={sample_rate} must be one of {known}")
    if not target.parent.is_dir():
        raise ValueError(f"output={str(target)!r}: there is no folder {target.parent}")
    if source is not None and target.exists() and target.samefile(source):
        raise ValueError(f"output={str(target)!r} is the recording itself; name another file")


class SoundWriter:
    """Collects blocks of sound in a scratch file; on leaving, writes the real file.

    A sound that goes beyond full scale is turned down as a whole instead of being clipped. If the
    block ends in an error, nothing is left behind.

    Args:
        target: .wav, .flac or .ogg.
        rate: sample rate of the blocks.
        target_rate: sample rate of the file; default: the same.
        subtype: libsndfile's, e.g. PCM_16.
    """

    def __init__(self, target, rate, target_rate=None, subtype="PCM_16"):
        self._target = Path(target)
        self._format = FORMATS[self._target.suffix.lower()]
        self._subtype = "VORBIS" if self._format == "OGG" else subtype
        self._rate, self._target_rate = rate, target_rate or rate
        self.length, self.peak = 0, 0.0

    def __enter__(self):
        self._scratch = tempfile.TemporaryFile(dir=self._target.parent)
        return self

    def add(self, block):
        """Append samples `[n]`."""
        if not np.all(np.isfinite(block)):
            raise ValueError("the model's sound holds NaN or infinity: its weights are damaged")
        self.length += len(block)
        self.peak = max(self.peak, float(np.abs(block).max(initial=0.0)))
        self._scratch.write(np.ascontiguousarray(block, "<f4").tobytes())

    def __exit__(self, kind, error, trace):
        try:
            if error is None:
                self._write()
        finally:
            self._scratch.close()

    def _write(self):
        with (
            runfiles.written_aside(self._target) as aside,
            soundfile.SoundFile(
                str(aside), "w", self._target_rate, 1, self._subtype, format=self._format
            ) as file,
        ):
            for block in self._resampled():
                file.write(np.clip(block, -1.0, 1.0))

    def _resampled(self):
        stream = None
        if self._target_rate != self._rate:
            stream = soxr.ResampleStream(self._rate, self._target_rate, 1, "float32", "VHQ")
        gain = np.float32(0.98 / self.peak if self.peak > 1.0 else 1.0)
        self._scratch.seek(0)
        while True:
            data = self._scratch.read(4 * _BLOCK)
            block = np.frombuffer(data, "<f4") * gain
            last = len(data) < 4 * _BLOCK
            yield block if stream is None else stream.resample_chunk(block, last=last)
            if last:
                return
