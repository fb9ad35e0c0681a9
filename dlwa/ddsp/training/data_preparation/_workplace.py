"""Where a dataset is built: a folder beside it, room on the disk, nothing of killed runs."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from absl import logging

from dlwa.ddsp.training.data_preparation._errors import PreparationError
from dlwa.ddsp.training.data_preparation._records import shards_of
from dlwa.ddsp.training.data_preparation._settings import CREPE_RATE, Settings
from dlwa.ddsp.training.data_preparation._sources import Source

_PREFIX = ".preparing-"
_LOCK = ".lock"
_SAMPLE_BYTES = 4
_SPARE = 1.05
_SPARE_BYTES = 30_000_000  # the page and the papers


@contextlib.contextmanager
def work_dir(parent: Path) -> Iterator[Path]:
    """A folder for files in the making; it goes in the end, whatever the end is.

    So do the folders above it that had to be made, where nothing came of it.
    """
    made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    lock = _locked(folder / _LOCK)
    try:
        yield folder
    finally:
        if lock is not None:
            os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # something lies in it: the data set
            for empty in made:
                empty.rmdir()


def clear_unfinished(prefix: Path) -> None:
    """Remove the half-written shards that a killed run left under this prefix."""
    for path in shards_of(prefix, unfinished=True):
        path.unlink(missing_ok=True)


def needed_bytes(sources: Sequence[Source], settings: Settings) -> int:
    """How much disk a dataset of these recordings takes while it is made, at most."""
    seconds = sum(source.info.seconds for source in sources)
    rates = {CREPE_RATE, settings.sample_rate}
    decoded = seconds * sum(rates) * _SAMPLE_BYTES
    per_window = settings.example_secs * (
        CREPE_RATE + settings.sample_rate + 3 * settings.frame_rate
    )
    windows = seconds * settings.frame_rate / settings.frames_per_hop + 1
    return int(_SPARE * (decoded + windows * per_window * _SAMPLE_BYTES)) + _SPARE_BYTES


def require_room(parent: Path, sources: Sequence[Source], settings: Settings) -> None:
    """Raise PreparationError if the dataset would not fit on the disk."""
    needed, free = needed_bytes(sources, settings), shutil.disk_usage(parent).free
    if needed > free:
        raise PreparationError(
            f"the dataset needs up to {_gb(needed)}, {parent} has {_gb(free)} free",
            "free some space, use fewer recordings, or a larger --hop_secs (fewer overlapping "
            "examples)",
        )


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"


def _sweep(parent: Path) -> None:
    """Remove the work folders of runs that were killed: nobody holds their lock any more."""
    for folder in parent.glob(f"{_PREFIX}*"):
        lock = _locked(folder / _LOCK)
        if lock is not None:
            os.close(lock)
            shutil.rmtree(folder, ignore_errors=True)
            logging.info("removed what an interrupted preparation left: %s", folder.name)


def _locked(path: Path) -> int | None:
    """Lock a file for the life of this process; None if another holds it or locks are unknown."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
