"""The one error of audio files."""

from pathlib import Path


class AudioFileError(ValueError):
    """An audio file that cannot be used; ``reason`` says why, ``path`` which one."""

    def __init__(self, path, reason: str):
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason
