"""The models in a folder, by name."""

import difflib
import os
from pathlib import Path

from dlwa.ddsp.timbre_transfer._errors import TransferError

_MARKS = ("operative_config-", "bundle.json")


def model_names(folder):
    """Names (paths below a folder) of the models there that can be played, sorted."""
    folder = Path(folder)
    found = []
    for here, below, files in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if _is_model(files):
            found.append(Path(here).relative_to(folder).as_posix())
            below.clear()
    return sorted(found)


def find_model(folder, name):
    """The folder of a model.

    Raises:
        TransferError: if there is none of that name; names what is nearest.
    """
    names = model_names(folder)
    if name in names:
        return Path(folder) / name
    near = difflib.get_close_matches(name, names, 1) or names[:1]
    hint = f"did you mean {near[0]}?" if near else "train one first: ./dlwa.py ddsp train --help"
    raise TransferError(f"model={name!r} is not in {folder}", hint)


def _is_model(files):
    saved = any(name.startswith("ckpt-") and name.endswith(".index") for name in files)
    return "bundle.json" in files or (saved and any(f.startswith(_MARKS[0]) for f in files))
