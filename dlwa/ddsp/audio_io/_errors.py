"""The one error of audio files, and what every decoder says alike."""

from pathlib import Path

LOCKED = "is copy-protected: only its shop's player can read it"
NO_SOUND = "holds no sound"
BREAKS_OFF = "cannot be decoded to its end (it is damaged or protected)"


class AudioFileError(ValueError):
    """An audio file that cannot be used; ``reason`` says why, ``path`` which one."""

    def __init__(self, path, reason: str):
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason


def lacks_decoder(codec: str, program: str) -> str:
    """The reason for a codec that nobody here decodes, with what to do."""
    return (
        f"holds sound of the codec {codec!r}, for which this {program} has no decoder: save the "
        "recording as wav or flac with the program that made it"
    )
