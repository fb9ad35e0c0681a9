"""Writing a bundle; the caller puts it in place when it has been verified."""

import hashlib
import io
import json
import time
import zipfile
from pathlib import Path

import numpy as np

from dlwa.ddsp.training import postprocessing
from dlwa.version import __version__

from ._files import CONFIG, FORMAT, MANIFEST, STATISTICS, WEIGHTS

__all__ = ["write"]

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the same model makes the same file


def write(path, bindings, weights, statistics=None, facts=None):
    """Write a bundle to a path that does not exist yet: a zip if it ends in .zip, else a folder.

    Args:
        path: where to.
        bindings: as `bindings_to_keep` gives them.
        weights: dictionary checkpoint name -> array.
        statistics: of the data set, as `postprocessing` has them, or None.
        facts: more entries of bundle.json, e.g. sample_rate; plain values.

    Returns:
        bundle.json as a dictionary.
    """
    files = {CONFIG: _json({"format": FORMAT, "bindings": bindings}), WEIGHTS: _arrays(weights)}
    if statistics is not None:
        files[STATISTICS] = _json(postprocessing.statistics_to_json(statistics))
    manifest = {
        "format": FORMAT,
        "made_with": f"dlwa {__version__}",
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **(facts or {}),
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
    }
    _save(Path(path), {MANIFEST: _json(manifest), **files})
    return manifest


def _save(path, files):
    if path.suffix != ".zip":
        path.mkdir(parents=True)
        for name, content in files.items():
            (path / name).write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "x") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            # Weights are noise to a compressor.
            entry.compress_type = zipfile.ZIP_STORED if name == WEIGHTS else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)


def _json(document):
    return (json.dumps(document, indent=1) + "\n").encode()


def _arrays(weights):
    stream = io.BytesIO()
    np.savez(stream, **{name: np.asarray(array, np.float32) for name, array in weights.items()})
    return stream.getvalue()
