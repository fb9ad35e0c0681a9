"""Names of cache entries: what was measured, how, and by which code.

The code's own text is part of the name, so an entry made by other code is never taken for ours,
and nobody has to remember to count a version up.
"""

import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Iterable
from pathlib import Path

_DDSP = Path(__file__).resolve().parents[2]
_HERE = "training/data_preparation/"
CODE = {
    "audio": ("audio_io", "audit", _HERE + "_decode.py"),
    "features": ("pitch", "spectral_ops", _HERE + "_analysis.py"),
    "page": ("pages", "notes.py", _HERE + "_pictures.py", _HERE + "_page.py"),
    "papers": ("training/postprocessing", _HERE + "_dataset_files.py"),
}
_PACKAGES = {
    "audio": ("soundfile", "soxr", "av", "numpy"),
    "features": ("tensorflow", "tensorflow-cpu", "numpy"),
    "page": ("matplotlib", "soundfile", "soxr"),
    "papers": ("tensorflow", "tensorflow-cpu", "numpy"),
}


def key(kind: str, **made_from) -> str:
    """The name of an entry; ``made_from`` are plain values that decide what is in it."""
    words = [kind, code_print(kind), packages(kind), made_from]
    return _sha256(json.dumps(words, sort_keys=True).encode())


@functools.cache
def code_print(kind: str) -> str:
    """A fingerprint of the source files that make entries of this kind."""
    digest = hashlib.sha256()
    for path in _sources(CODE[kind]):
        digest.update(path.relative_to(_DDSP).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def packages(kind: str) -> tuple[str, ...]:
    """The versions of the libraries that take part."""
    return tuple(f"{name} {version(name)}" for name in _PACKAGES[kind] if version(name))


def version(name: str) -> str:
    """The version of an installed package, '' where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _sources(names: Iterable[str]) -> list[Path]:
    found: list[Path] = []
    for name in names:
        path = _DDSP / name
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.is_file()
    return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
