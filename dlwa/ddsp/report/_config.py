"""With what settings a model was trained."""

import functools
import shlex
from pathlib import Path

from dlwa.ddsp import pages
from dlwa.ddsp.pages import Section

_NAMES = {
    "sample_rate": ("Harmonic.sample_rate", "TFRecordProvider.sample_rate"),
    "batch_size": ("train.batch_size", "train_util.train.batch_size"),
    "example_secs": ("TFRecordProvider.example_secs",),
    "file_pattern": ("TFRecordProvider.file_pattern",),
}


def setting(folder, name):
    """A setting of the training as text, None if its configuration does not tell."""
    bindings = _bindings(Path(folder))
    return next((bindings[key] for key in _NAMES[name] if key in bindings), None)


@functools.cache
def _bindings(folder):
    from dlwa.ddsp.training import gin_util

    path = newest(folder)
    try:
        found = gin_util.bindings_of(path.read_text(encoding="utf-8")) if path else {}
    except (gin_util.GinError, OSError, UnicodeDecodeError):
        return {}
    # Full names and short ones mean the same parameter.
    return {**{".".join(key.split(".")[-2:]): value for key, value in found.items()}, **found}


def newest(folder):
    """The configuration last in force, or None."""
    paths = [p for p in folder.glob("operative_config-*.gin") if _step(p) is not None]
    return max(paths, key=_step, default=None)


def _step(path):
    number = path.stem.rpartition("-")[2]
    return int(number) if number.isdigit() else None


def configuration(training):
    """The section of settings: the command, the machine and the configuration in force."""
    record, path = training.record, newest(training.folder)
    parts = []
    if record.get("command"):
        parts.append(pages.code(shlex.join(str(word) for word in record["command"])))
    about = [(key, record[key]) for key in ("host", "id") if record.get(key)]
    versions = record.get("versions")
    if isinstance(versions, dict):
        about += sorted(versions.items())
    parts.append(pages.definitions(about))
    if path is not None:
        text = path.read_text(encoding="utf-8", errors="replace")
        parts.append(pages.details(f"All settings ({path.name})", pages.code(text)))
    else:
        parts.append(pages.paragraph("The model folder holds no operative_config-*.gin."))
    return Section("Configuration", *parts)
