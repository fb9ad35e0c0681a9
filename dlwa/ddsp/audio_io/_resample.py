"""Changing the sample rate with a proper low-pass filter (soxr)."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr


def check_rate(sample_rate) -> int:
    """Return the rate as an integer; ValueError for one that makes no sense."""
    if int(sample_rate) != sample_rate or sample_rate < 1:
        raise ValueError(f"sample_rate={sample_rate} must be a positive integer")
    return int(sample_rate)


def resample(audio: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Mono audio `[n]` at another rate; silent and short inputs keep their length in seconds."""
    if check_rate(from_rate) == check_rate(to_rate):
        return np.asarray(audio, np.float32)
    return soxr.resample(np.asarray(audio, np.float32), from_rate, to_rate, quality="HQ")


def resample_blocks(
    blocks: Iterable[np.ndarray], from_rate: int, to_rate: int
) -> Iterator[np.ndarray]:
    """The same for a stream of blocks: their sum is what ``resample`` gives for the whole."""
    if check_rate(from_rate) == check_rate(to_rate):
        yield from blocks
        return
    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(np.ascontiguousarray(block, np.float32))
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
