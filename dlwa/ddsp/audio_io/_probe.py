"""What the header of an audio file says."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import soundfile

from dlwa.ddsp.audio_io import _foreign
from dlwa.ddsp.audio_io._errors import AudioFileError

# How files begin whose codec may be anything: RIFF, AIFF, Core Audio, Ogg, MP4, Matroska, ID3.
_CONTAINERS = (b"RIFF", b"RF64", b"FORM", b"caff", b"OggS", b"\x1aE\xdf\xa3", b"ID3")
_ODD_CODEC = f"holds a codec that libsndfile does not know: {_foreign.INSTALL}"
CHANGED = "changes while it is read: wait until the recording or copying has ended"


@dataclass(frozen=True)
class AudioInfo:
    """Length, rate, channels and format of a recording, as its header states them."""

    path: Path
    seconds: float
    sample_rate: int
    channels: int
    format: str
    foreign: bool = False


def probe(path) -> AudioInfo:
    """Read the header of an audio file.

    Raises AudioFileError when the file is missing, empty, unreadable or no audio.
    """
    path = Path(path)
    check_readable(path)
    if _foreign.is_foreign(path):
        return AudioInfo(path, *_foreign.describe(path), foreign=True)
    try:
        return _of_libsndfile(path)
    except AudioFileError:
        # A known container with a codec inside that libsndfile does not know?
        if _is_text_or_unknown(path):
            raise
        if not _foreign.is_available():
            raise AudioFileError(path, _ODD_CODEC) from None
        return AudioInfo(path, *_foreign.describe(path), foreign=True)


def _of_libsndfile(path: Path) -> AudioInfo:
    with open_sound(path) as sound:
        return AudioInfo(
            path,
            sound.frames / sound.samplerate,
            sound.samplerate,
            sound.channels,
            f"{sound.format.lower()} {sound.subtype.lower().replace('_', ' ')}",
        )


def _is_text_or_unknown(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            begins = stream.read(12)
    except OSError:
        return True
    return not (begins.startswith(_CONTAINERS) or begins[4:8] == b"ftyp")


def file_state(path) -> tuple[int, int, int] | None:
    """What changes when a file does: identity, size and time of change; None if there is none."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def check_readable(path: Path) -> None:
    """Raise AudioFileError for a file that is missing, no file, empty or closed to us."""
    try:
        if stat.S_ISFIFO(path.stat().st_mode):  # opening it would wait for a writer
            raise AudioFileError(path, "is a pipe, not a recording")
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except FileNotFoundError:
        raise AudioFileError(path, "there is no such file") from None
    except IsADirectoryError:
        raise AudioFileError(path, "is a folder, not a recording") from None
    except PermissionError:
        raise AudioFileError(path, "may not be read (permission denied)") from None
    except OSError as error:
        raise AudioFileError(path, f"cannot be read ({error.strerror})") from None
    if empty:
        raise AudioFileError(path, "is empty (0 bytes)")


def open_sound(path: Path) -> soundfile.SoundFile:
    """Open a file with libsndfile; AudioFileError when it is not audio."""
    try:
        # as bytes, because a name may be none in UTF-8; Windows has only names that are
        return soundfile.SoundFile(os.fsencode(path) if os.name != "nt" else str(path))
    except soundfile.LibsndfileError as error:
        text = error.error_string.rstrip(". ")
        raise AudioFileError(path, f"is not readable audio ({text})") from None
