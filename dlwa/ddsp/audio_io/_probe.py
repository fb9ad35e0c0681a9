"""What the header of an audio file says."""

from dataclasses import dataclass
from pathlib import Path

import soundfile

from dlwa.ddsp.audio_io import _foreign
from dlwa.ddsp.audio_io._errors import AudioFileError


@dataclass(frozen=True)
class AudioInfo:
    """Length, rate, channels and format of a recording, as its header states them."""

    path: Path
    seconds: float
    sample_rate: int
    channels: int
    format: str


def probe(path) -> AudioInfo:
    """Read the header of an audio file.

    Raises AudioFileError when the file is missing, empty, unreadable or no audio.
    """
    path = Path(path)
    check_readable(path)
    if _foreign.is_foreign(path):
        return AudioInfo(path, *_foreign.describe(path))
    with open_sound(path) as sound:
        return AudioInfo(
            path,
            sound.frames / sound.samplerate,
            sound.samplerate,
            sound.channels,
            f"{sound.format.lower()} {sound.subtype.lower().replace('_', ' ')}",
        )


def check_readable(path: Path) -> None:
    """Raise AudioFileError for a file that is missing, no file, empty or closed to us."""
    try:
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
        return soundfile.SoundFile(str(path))
    except soundfile.LibsndfileError as error:
        text = error.error_string.rstrip(". ")
        raise AudioFileError(path, f"is not readable audio ({text})") from None
