"""Formats that libsndfile does not know (m4a, videos, odd codecs ...), through ffmpeg or PyAV.

ffmpeg is asked first: it is newer than what comes with PyAV and knows more codecs.
"""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlwa.ddsp.audio_io import _ffmpeg, _pyav
from dlwa.ddsp.audio_io._errors import AudioFileError
from dlwa.ddsp.audio_io._files import FOREIGN_SUFFIXES, PROTECTED_SUFFIXES

INSTALL = "install ffmpeg, or pip install 'dlwa[audio]', or save the recording as wav or flac"


def is_foreign(path: Path) -> bool:
    """Whether the file needs ffmpeg or PyAV by its name."""
    return path.suffix.lower() in FOREIGN_SUFFIXES | PROTECTED_SUFFIXES


def is_available() -> bool:
    """Whether ffmpeg or PyAV is there."""
    return _has_ffmpeg() or importlib.util.find_spec("av") is not None


def describe(path: Path) -> tuple[float, int, int, str]:
    """Seconds, sample rate, channels and codec of the first audio stream.

    Raises AudioFileError for what is locked, holds no sound or needs a decoder that is not here.
    """
    kind = path.suffix.lower()
    if kind in PROTECTED_SUFFIXES:
        raise AudioFileError(
            path, f"is copy-protected ({kind}): only its shop's player can read it"
        )
    if not is_available():
        raise AudioFileError(
            path, f"needs a decoder for {kind} files, which is not installed: {INSTALL}"
        )
    return _decoder().describe(path)


def stream(path: Path, block_frames: int) -> Iterator[np.ndarray]:
    """Blocks of samples `[frames, channels]`, float32, at the file's own rate."""
    return _decoder().stream(path, block_frames)


def _decoder():
    return _ffmpeg if _has_ffmpeg() else _pyav


def _has_ffmpeg() -> bool:
    return bool(shutil.which("ffprobe") and shutil.which("ffmpeg"))
