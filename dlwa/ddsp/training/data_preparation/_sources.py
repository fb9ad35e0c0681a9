"""Which recordings a dataset is made of."""

import glob
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlwa.ddsp.audio_io import (
    AudioFileError,
    AudioInfo,
    NoRecordingsError,
    file_state,
    probe,
    recordings_in,
    told_name,
)
from dlwa.ddsp.training.data_preparation._errors import InputMissingError

SHORTEST_S = 0.05


@dataclass(frozen=True)
class Source:
    """A recording to use: ``name`` is how reports call it, relative to the input folder.

    ``state`` changes when the file does.
    """

    path: Path
    name: str
    info: AudioInfo
    state: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Refusal:
    """A file that is not used, and why."""

    name: str
    reason: str


def files_in_folder(folder) -> list[Path]:
    """Recordings below the input folder; InputMissingError when there are none."""
    try:
        return recordings_in(folder, "input_audio_dir")
    except NoRecordingsError as error:
        raise InputMissingError(str(error), error.hint) from None


def files_matching(patterns: Sequence[str]) -> list[Path]:
    """Files of all glob patterns, each once; InputMissingError when nothing matches."""
    found = dict.fromkeys(
        Path(name)
        for pattern in patterns
        for name in sorted(glob.glob(str(Path(pattern).expanduser()), recursive=True))  # noqa: PTH207 (patterns may be absolute)
    )
    if not found:
        raise InputMissingError(
            f"input_audio_filepatterns={','.join(patterns)!r} match no file",
            "quote the pattern so that the shell leaves it alone, and check the folder",
        )
    return list(found)


def examine(paths: Sequence[Path], folder=None) -> tuple[list[Source], list[Refusal]]:
    """Read every header: the recordings that can be opened, and the others with the reason."""
    sources: list[Source] = []
    refused: list[Refusal] = []
    for path in paths:
        name = told_name(path, folder)
        state = file_state(path)
        try:
            info = probe(path)
        except AudioFileError as error:
            refused.append(Refusal(name, error.reason))
            continue
        if info.seconds < SHORTEST_S:
            refused.append(Refusal(name, f"is too short ({info.seconds:.3f} s)"))
        else:
            sources.append(Source(path, name, info, state))
    return sources, refused


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes: the same recording is recognised under any name.

    Raises AudioFileError when it cannot be read to its end.
    """
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise AudioFileError(path, f"cannot be read ({error.strerror})") from None
