"""Audio files as mono float32 samples, whole or in blocks of bounded size."""

from collections.abc import Callable, Iterator

import numpy as np
import soundfile

from dlwa.ddsp.audio_io import _foreign
from dlwa.ddsp.audio_io._errors import AudioFileError
from dlwa.ddsp.audio_io._probe import (
    CHANGED,
    AudioInfo,
    check_readable,
    file_state,
    open_sound,
    probe,
)
from dlwa.ddsp.audio_io._resample import check_rate, resample_blocks

_BLOCK_FRAMES = 1 << 18
# A header may promise a little more than an encoder's padding leaves; more than this is damage.
_TOLERATED_LOSS_S = 0.1


def read_audio(path, sample_rate: int | None = None) -> tuple[np.ndarray, int]:
    """Read a whole recording: mono float32 samples `[n]` in -1...1, and their rate.

    With ``sample_rate`` the audio is converted to that rate. Raises AudioFileError.
    """
    rate = check_rate(sample_rate) if sample_rate is not None else probe(path).sample_rate
    blocks = list(stream_audio(path, rate))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32), rate


def stream_audio(
    path, sample_rate: int | None = None, watch: Callable[[np.ndarray], None] | None = None
) -> Iterator[np.ndarray]:
    """Read a recording block by block: mono float32 `[n]`, a few seconds at a time.

    Channels are averaged; with ``sample_rate`` the rate is converted by soxr on the way. ``watch``
    is shown each block `[frames, channels]` as the file holds it. Raises AudioFileError for a file
    that is missing, empty, not audio, damaged, not finite or that changes while it is read.
    """
    before = file_state(path)
    info = probe(path)
    rate = info.sample_rate if sample_rate is None else check_rate(sample_rate)
    yield from resample_blocks(_mono_blocks(info, watch), info.sample_rate, rate)
    if file_state(path) != before:
        raise AudioFileError(path, CHANGED)


def _mono_blocks(info: AudioInfo, watch) -> Iterator[np.ndarray]:
    n_frames = 0
    for block in _raw_blocks(info):
        if not np.all(np.isfinite(block)):
            raise AudioFileError(info.path, "holds samples that are not numbers (NaN or infinity)")
        n_frames += len(block)
        if watch:
            watch(block)
        yield block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
    read_s = n_frames / info.sample_rate
    if not n_frames:
        raise AudioFileError(info.path, "holds no samples")
    if read_s < info.seconds - _TOLERATED_LOSS_S and not info.foreign:
        raise AudioFileError(
            info.path, f"is damaged: it breaks off after {read_s:.1f} of {info.seconds:.1f} s"
        )


def _raw_blocks(info: AudioInfo) -> Iterator[np.ndarray]:
    """Blocks `[frames, channels]` at the file's own rate."""
    path = info.path
    check_readable(path)
    if info.foreign:
        yield from _foreign.stream(path, _BLOCK_FRAMES)
        return
    with open_sound(path) as sound:
        while True:
            try:
                block = sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                text = error.error_string.rstrip(". ")
                raise AudioFileError(path, f"is damaged ({text})") from None
            if not len(block):
                return
            yield block
