"""Reading a bundle: checksums first, then what they vouch for."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlwa.ddsp.training import checkpoint_util, postprocessing
from dlwa.words import some

from ._files import (
    CONFIG,
    FORMAT,
    MANIFEST,
    MOST_BYTES,
    STATISTICS,
    WEIGHTS,
    BundleError,
    manifest_bytes,
    opened,
)

__all__ = ["Bundle", "assign", "read"]

_NEEDED, _ALLOWED = {CONFIG, WEIGHTS}, {CONFIG, WEIGHTS, STATISTICS}
_SHOWN = 8


@dataclass(frozen=True)
class Bundle:
    """The content of a bundle.

    `bindings` build the model, `weights` are arrays by checkpoint name, `statistics` may be None,
    `facts` is bundle.json.
    """

    path: Path
    bindings: dict
    weights: dict
    statistics: dict | None
    facts: dict


def read(path):
    """Read a bundle, folder or zip, once all its checksums are right.

    Raises:
        BundleError: for what is damaged, missing or too new; the file is named.
    """
    path = Path(path)
    with opened(path) as get:
        facts = _manifest(manifest_bytes(get), path)
        files = {name: _checked(get, path, name, is_) for name, is_ in facts["files"].items()}
    bindings = _bindings(files[CONFIG], path)
    weights = _weights(files[WEIGHTS], path)
    return Bundle(path, bindings, weights, _statistics(files.get(STATISTICS), path), facts)


def assign(model, weights, where):
    """Give a model's variables the arrays of a bundle; nothing is changed unless all fit.

    Raises:
        BundleError: with the names and shapes that differ.
    """
    variables = checkpoint_util.variable_paths(model)
    has = {name: tuple(array.shape) for name, array in weights.items()}
    wants = {name: tuple(variable.shape) for name, variable in variables.items()}
    if has != wants:
        names = sorted(name for name in {*has, *wants} if has.get(name) != wants.get(name))
        told = [
            f"{name}: bundle {has.get(name, 'nothing')}, model {wants.get(name, 'nothing')}"
            for name in names
        ]
        raise BundleError(f"bundle={where}: {WEIGHTS} does not fit {CONFIG}: {some(told, _SHOWN)}")
    for name, variable in variables.items():
        variable.assign(weights[name])


def _manifest(content, path):
    try:
        facts = json.loads(content)
        number, files = facts["format"], facts["files"]
        listed = {name: (str(is_["sha256"]), int(is_["bytes"])) for name, is_ in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"bundle={path} is damaged: {MANIFEST}: {error!r}") from None
    if number != FORMAT:
        raise BundleError(
            f"bundle={path} has format {number!r}, made with {facts.get('made_with')}; this dlwa "
            f"reads format {FORMAT}"
        )
    if not set(listed) >= _NEEDED or not set(listed) <= _ALLOWED:
        raise BundleError(
            f"bundle={path} is damaged: {MANIFEST} lists {', '.join(sorted(listed)) or 'no files'}"
        )
    return facts


def _checked(get, path, name, expected):
    content = get(name, min(MOST_BYTES, max(0, int(expected["bytes"]))))
    if hashlib.sha256(content).hexdigest() != expected["sha256"]:
        raise BundleError(
            f"bundle={path} is damaged: {name} is not what was written (its checksum differs)"
        )
    return content


def _bindings(content, path):
    try:
        bindings = json.loads(content)["bindings"]
        if not all(isinstance(item, str) for pair in bindings.items() for item in pair):
            raise TypeError("bindings must be texts")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"bundle={path} is damaged: {CONFIG}: {error!r}") from None
    return bindings


def _weights(content, path):
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"bundle={path} is damaged: {WEIGHTS}: {error}") from None
    bad = [
        name
        for name, array in weights.items()
        if array.dtype != np.float32 or not np.all(np.isfinite(array))
    ]
    if bad:
        raise BundleError(f"bundle={path} is damaged: {WEIGHTS}: no finite numbers in {bad[0]}")
    return weights


def _statistics(content, path):
    if content is None:
        return None
    try:
        return postprocessing.statistics_from_json(content.decode("utf-8"))
    except ValueError as error:
        raise BundleError(f"bundle={path} is damaged: {error}") from None
