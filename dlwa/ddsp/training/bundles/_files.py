"""The files of a bundle, in a folder or in a zip, read without trust."""

import contextlib
import zipfile
from pathlib import Path

__all__ = ["CONFIG", "FORMAT", "MANIFEST", "STATISTICS", "WEIGHTS", "BundleError", "is_bundle"]

FORMAT = 1
MANIFEST = "bundle.json"
CONFIG = "config.json"
WEIGHTS = "weights.npz"
STATISTICS = "dataset_statistics.json"
_MANIFEST_BYTES = 1 << 20
# The largest model there is has some 40 MB; more than this is no bundle but an attack on memory.
MOST_BYTES = 4 << 30


class BundleError(ValueError):
    """A bundle that is damaged, incomplete or of another kind; names the file."""


def is_bundle(path):
    """Whether a path is a bundle: a folder with bundle.json, or a zip with one."""
    path = Path(path)
    if path.is_dir():
        return (path / MANIFEST).is_file()
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return path.is_file() and path.suffix == ".zip"  # a cut-off copy of one


@contextlib.contextmanager
def opened(path):
    """Give a function `get(name, most_bytes)` that returns the content of one of the files.

    Raises:
        BundleError: from `get`, if the file is missing, too large or unreadable.
    """
    path = Path(path)
    if path.is_dir():
        yield lambda name, most=MOST_BYTES: _from_folder(path, name, most)
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BundleError(f"bundle={path} is damaged: {error}") from None
    with archive:
        yield lambda name, most=MOST_BYTES: _from_zip(archive, path, name, most)


def manifest_bytes(get):
    """The text of bundle.json."""
    return get(MANIFEST, _MANIFEST_BYTES)


def _from_folder(folder, name, most):
    try:
        with (folder / name).open("rb") as stream:
            return _limited(stream, folder, name, most)
    except FileNotFoundError:
        raise BundleError(f"bundle={folder} is incomplete: {name} is missing") from None
    except OSError as error:
        raise BundleError(f"bundle={folder}: {name} cannot be read: {error}") from None


def _from_zip(archive, path, name, most):
    try:
        with archive.open(name) as stream:
            return _limited(stream, path, name, most)
    except KeyError:
        raise BundleError(f"bundle={path} is incomplete: {name} is missing") from None
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise BundleError(f"bundle={path} is damaged: {name}: {error}") from None
    except Exception as error:
        if type(error).__module__ != "zlib":
            raise
        raise BundleError(f"bundle={path} is damaged: {name}: {error}") from None


def _limited(stream, where, name, most):
    content = stream.read(most + 1)
    if len(content) > most:
        raise BundleError(f"bundle={where} is damaged: {name} is longer than {most} bytes")
    return content
