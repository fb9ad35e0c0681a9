"""One recording, measured: its samples on disk, its pitch, confidence and loudness in memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlwa.ddsp.audit import FileAudit, file_audit
from dlwa.ddsp.training.data_preparation._sources import Source

_SAMPLE_BYTES = 4


@dataclass(frozen=True)
class StoredSamples:
    """Float32 samples in a file; slices of them are read when asked for."""

    file: Path

    def __len__(self) -> int:
        return self.file.stat().st_size // _SAMPLE_BYTES

    def __getitem__(self, part: slice) -> np.ndarray:
        start, stop, _ = part.indices(len(self))
        count = max(0, stop - start)
        return np.fromfile(self.file, "<f4", count, offset=start * _SAMPLE_BYTES)


@dataclass(frozen=True)
class Recording:
    """A measured recording; features are `[n_frames]`, audio is `[n_samples]` on disk.

    Feature frames are centred on the samples they describe: frame j lies around sample j*hop, as
    the synthesiser later uses it. ``audit`` holds what a FileAuditor found while reading it.
    """

    source: Source
    hash: str
    audio: StoredSamples
    audio_16k: StoredSamples
    f0_hz: np.ndarray
    f0_confidence: np.ndarray
    loudness_db: np.ndarray
    peak: float
    audit: dict

    @property
    def n_frames(self) -> int:
        """Whole frames of audio, the last centre beyond the end not counted."""
        return len(self.f0_hz) - 1

    def file_audit(self) -> FileAudit:
        """What the audit says of it."""
        return file_audit(self.source.info, self.source.name, self.hash, self.audit)
