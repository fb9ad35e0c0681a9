"""Which file is the newest: pure file names, nothing is opened but the `checkpoint` note."""

import os
from pathlib import Path

import tensorflow as tf

__all__ = ["get_latest_checkpoint", "get_latest_file", "get_latest_operative_config"]


def get_latest_file(dir_path, prefix="operative_config-", suffix=".gin"):
    """The file with the highest number between prefix and suffix.

    Raises:
        FileNotFoundError: if no file matches, or one that matches has no number.
    """
    folder = _expand(dir_path)
    names = [p.name for p in folder.glob("*") if _matches(p.name, prefix, suffix)]
    if not names:
        raise FileNotFoundError(f"no file {prefix}<number>{suffix} in {folder}")
    numbers = {}
    for name in names:
        middle = name[len(prefix) : len(name) - len(suffix)]
        try:
            numbers[abs(int(middle))] = name
        except ValueError:
            raise FileNotFoundError(
                f"{folder / name} has no number between {prefix!r} and {suffix!r}"
            ) from None
    return str(folder / numbers[max(numbers)])


def get_latest_checkpoint(checkpoint_path):
    """The checkpoint meant by a path, without its file endings (`.../ckpt-300`).

    The path itself if it is a checkpoint; else the one the folder's `checkpoint` file names, if
    its files are there; else the `ckpt-<number>` with the highest number.

    Raises:
        FileNotFoundError: if there is none.
    """
    path = _expand(checkpoint_path)
    if Path(f"{path}.index").is_file():
        return str(path)
    noted = tf.train.latest_checkpoint(str(path)) if path.is_dir() else None
    if noted:
        return noted
    try:
        return get_latest_file(path, "ckpt-", ".index").removesuffix(".index")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"no checkpoint at checkpoint_path={str(checkpoint_path)!r}: expected {path}.index, "
            f"or ckpt-<number>.index in that folder"
        ) from None


def get_latest_operative_config(restore_dir):
    """The newest `operative_config-<number>.gin` in a folder, or beside a checkpoint's path.

    Raises:
        FileNotFoundError: if there is none.
    """
    path = _expand(restore_dir)
    try:
        return get_latest_file(path)
    except FileNotFoundError:
        return get_latest_file(path.parent)


def _expand(path):
    return Path(os.path.expandvars(str(path))).expanduser()


def _matches(name, prefix, suffix):
    fits = len(name) >= len(prefix) + len(suffix)
    return fits and name.startswith(prefix) and name.endswith(suffix)
