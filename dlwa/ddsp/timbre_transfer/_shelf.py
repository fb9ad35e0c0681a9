"""The models in a folder, by name."""

import difflib
import os
from pathlib import Path

from dlwa.ddsp.timbre_transfer._errors import TransferError
from dlwa.ddsp.training import bundles, checkpoints


def model_names(folder):
    """Names (paths below a folder) of the models there that can be played, sorted."""
    folder = Path(folder)
    found = []
    for here, below, _ in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if _is_model(Path(here)):
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


def _is_model(folder):
    trained = checkpoints.saved_steps(folder) and any(folder.glob("operative_config-*.gin"))
    return bundles.is_bundle(folder) or bool(trained)
