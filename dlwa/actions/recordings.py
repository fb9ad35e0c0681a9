"""Finding the recordings somebody named."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dlwa.actions._places import things
from dlwa.actions.unpacking import ARCHIVES, PackedError
from dlwa.errors import NotFoundError
from dlwa.names import Name
from dlwa.settings import nearest
from dlwa.workspace import Workspace

# What the DDSP half reads; a test compares.
_SUFFIXES = """
.wav .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .caf .au .snd .w64 .rf64
.m4a .mp4 .aac .wma .webm .mka .ac3 .alac .mov .mkv .m4v .avi .mpg .mpeg .wmv .flv .3gp .mts .ape
.wv .m4p .aax .aa"""
AUDIO = frozenset(_SUFFIXES.split())
_EXAMPLES = "wav, aiff, flac, ogg, mp3, m4a"


def find(workspace: Workspace, source: Name) -> list[Path]:
    """The recordings in an input folder and its sub-folders, hidden files left out.

    Raises `NotFoundError` when the folder or recordings are missing, `PackedError` when they are
    in an archive.
    """
    folder = workspace.input(source)
    _refuse_archive(source, folder)
    if not folder.is_dir():
        raise _missing(workspace, source, folder)
    return below(folder, f"input_name={source}: {folder}", str(source))


def below(folder: Path, told: str, named: str) -> list[Path]:
    """The recordings below a folder that somebody named; `told` begins the messages.

    Raises `NotFoundError` or `PackedError` when there are none.
    """
    files = list(_visible_files(folder))
    recordings = sorted(path for path in files if is_audio(path))
    if recordings:
        return recordings
    kinds = Counter(path.suffix.lower() or "no suffix" for path in files).most_common(4)
    found = ", ".join(f"{count} {kind}" for kind, count in kinds) or "nothing"
    message = f"{told} holds no recordings (found: {found})"
    archive = next((path for path in sorted(files) if path.suffix.lower() in ARCHIVES), None)
    if archive is not None:
        raise PackedError(message, archive, archive.with_suffix(""), named)
    raise NotFoundError(message, f"expected files such as {_EXAMPLES}")


def is_audio(path: Path) -> bool:
    """Whether a file's name is that of a recording."""
    return path.suffix.lower() in AUDIO and not path.name.startswith(".") and path.is_file()


def _refuse_archive(source: Name, folder: Path) -> None:
    """Raise `PackedError` if there is an archive where a folder of recordings should be."""
    beside = [folder.with_name(folder.name + suffix) for suffix in ARCHIVES]
    found = next((path for path in beside if path.is_file() and not folder.exists()), None)
    if found is None and folder.is_file() and folder.suffix.lower() in ARCHIVES:
        found = folder
    if found is not None:
        target = found.with_suffix("")
        message = f"input_name={source}: {found.name} is an archive, not a folder of recordings"
        raise PackedError(message, found, target, str(source).removesuffix(found.suffix))


def _missing(workspace: Workspace, source: Name, folder: Path) -> NotFoundError:
    if folder.is_file():
        hint = f"put it into a folder of its own and give that: {folder.with_suffix('')}"
        return NotFoundError(f"input_name={source}: {folder} is a file, not a folder", hint)
    inputs = workspace.homes()["inputs"]
    known = things(inputs, lambda path: any(is_audio(file) for file in path.glob("*")))
    hint = nearest(str(source), known) if known else f"put recordings into {folder}"
    return NotFoundError(f"input_name={source}: there is no folder {folder}", hint)


def _visible_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in inside):
            yield path
