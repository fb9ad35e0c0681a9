"""Writing checkpoints that can be trusted, under the names the field's checkpoints have.

A checkpoint is written aside, read back, and only then given its name, index last; so whatever
interrupts the writing, the folder never shows a part of one. Pruning never touches the newest, the
best and the milestone checkpoints.
"""

import os
import re
import shutil
from pathlib import Path

import tensorflow as tf
from absl import logging

from dlwa import runfiles
from dlwa.ddsp.training import checkpoint_util

MILESTONE_STEPS = 5000
STATE_FILE = "checkpoints.json"
_NUMBER = re.compile(r"ckpt-(\d+)\.index\Z")


def saved_steps(folder):
    """Steps of all checkpoints in a folder, in order."""
    matches = (_NUMBER.match(path.name) for path in Path(folder).glob("ckpt-*.index"))
    return sorted(int(match[1]) for match in matches if match)


def prefix_of(folder, step):
    """Path of a checkpoint without its endings."""
    return str(Path(folder) / f"ckpt-{step}")


def is_readable(prefix):
    """Whether every tensor of a checkpoint can be read; a file cut short cannot."""
    try:
        reader = tf.train.load_checkpoint(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (ValueError, RuntimeError, IndexError, tf.errors.OpError):
        return False
    return True


def newest_readable(folder):
    """Path of the newest checkpoint that can be read, or None; damaged ones are told."""
    for step in reversed(saved_steps(folder)):
        prefix = prefix_of(folder, step)
        if is_readable(prefix):
            return prefix
        text = f"Checkpoint ckpt-{step} is damaged, trying the one before."
        logging.warning("%s", text)
        runfiles.report_event(Path(folder), "damaged_checkpoint", text=text, step=step)
    return None


def best_step(folder):
    """Step of the checkpoint with the lowest loss so far, or None; step 0 has learnt nothing."""
    state = runfiles.read_json(Path(folder) / STATE_FILE) or {}
    step = state.get("best_step")
    there = isinstance(step, int) and Path(f"{prefix_of(folder, step)}.index").exists()
    return step if step and there else None


def best_loss(folder):
    """The lowest loss so far, or None; that of step 0 does not count."""
    state = runfiles.read_json(Path(folder) / STATE_FILE) or {}
    return state.get("best_loss") if state.get("best_step") != 0 else None


def note_best(folder, step, loss):
    """Record a checkpoint as the best if it is; return whether it is.

    Step 0 never is: a loss may rise before it falls, and nobody wants to hear random weights.
    """
    if step == 0:
        return False
    lowest = best_loss(folder)
    if lowest is not None and loss >= lowest:
        return False
    runfiles.write_json(Path(folder) / STATE_FILE, {"best_step": step, "best_loss": loss})
    return True


def write(folder, step, objects):
    """Save named variables as `ckpt-<step>` in a folder.

    Args:
        folder: where; made if absent.
        step: number of the checkpoint.
        objects: dictionary saved path -> variable, e.g. 'model/decoder/dense_out/kernel'.

    Raises:
        OSError: if it could not be written whole (disk full); what was there is untouched.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".saving-{os.getpid()}"
    for left in folder.glob(".saving-*"):  # by a training that was killed while saving
        shutil.rmtree(left, ignore_errors=True)
    try:
        aside.mkdir()
        prefix = str(aside / f"ckpt-{step}")
        try:
            tree = _tree(objects)
            tree.save_counter.assign(step)
            tree.write(prefix)
        except tf.errors.OpError as error:
            raise OSError(
                f"checkpoint ckpt-{step} could not be written: {error.message}"
            ) from error
        if not is_readable(prefix):
            raise OSError(f"checkpoint ckpt-{step} could not be read back after writing")
        # The index makes a checkpoint visible, so it comes last.
        files = sorted(aside.glob(f"ckpt-{step}.*"), key=lambda path: path.suffix == ".index")
        for path in files:
            _flush(path)
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _write_pointer(folder)


def _flush(path):
    """Have a file on the disk before it gets its name: also a power cut leaves it whole."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _tree(objects):
    """Nested tf.train.Checkpoint objects that give every variable its path as name."""
    root = {}
    for path, variable in objects.items():
        node = root
        *way, leaf = path.split("/")
        for part in way:
            node = node.setdefault(part, {})
        # A Keras variable wraps the one TensorFlow can save.
        node[leaf] = variable if isinstance(variable, tf.Variable) else variable.value

    def build(node):
        if not isinstance(node, dict):
            return node
        return tf.train.Checkpoint(**{name: build(child) for name, child in node.items()})

    return build(root)


def _write_pointer(folder):
    """The text file `checkpoint`, which names the newest one for other tools."""
    steps = saved_steps(folder)
    lines = [f'model_checkpoint_path: "ckpt-{steps[-1]}"']
    lines += [f'all_model_checkpoint_paths: "ckpt-{step}"' for step in steps]
    with runfiles.written_aside(folder / "checkpoint") as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def prune(folder, keep):
    """Delete old checkpoints but for the newest `keep`, the best and the milestones.

    Args:
        folder: where they lie.
        keep: how many of the newest stay, at least one.

    Returns:
        Steps of the deleted ones.
    """
    folder = Path(folder)
    steps = saved_steps(folder)
    spared = {*steps[-max(keep, 1) :], best_step(folder), *_milestones(steps)}
    doomed = [step for step in steps if step not in spared]
    for step in doomed:
        # The index goes first: a checkpoint without one does not exist.
        (folder / f"ckpt-{step}.index").unlink(missing_ok=True)
        for path in folder.glob(f"ckpt-{step}.data-*"):
            path.unlink(missing_ok=True)
    if doomed:
        _write_pointer(folder)
    return doomed


def _milestones(steps):
    """The first checkpoint of every MILESTONE_STEPS, whatever the steps between checkpoints."""
    first = {}
    for step in sorted(steps):
        first.setdefault(step // MILESTONE_STEPS, step)
    return {step for block, step in first.items() if block > 0}


def load_values(prefix, objects):
    """Give named variables their saved values; all of them must be there.

    Raises:
        ValueError: if one is missing or has another shape.
    """
    reader = tf.train.load_checkpoint(prefix)
    shapes = reader.get_variable_to_shape_map()
    for path, variable in objects.items():
        name = f"{path}/.ATTRIBUTES/VARIABLE_VALUE"
        if name not in shapes:
            raise ValueError(f"checkpoint {prefix} has no variable {path}")
        if tuple(shapes[name]) != tuple(variable.shape):
            raise ValueError(
                f"checkpoint {prefix}: {path} has shape {tuple(shapes[name])}, "
                f"expected {tuple(variable.shape)}"
            )
    for path, variable in objects.items():
        variable.assign(reader.get_tensor(f"{path}/.ATTRIBUTES/VARIABLE_VALUE"))


def read_values(prefix, start):
    """The saved scalars whose names begin so: {name: value}."""
    reader = tf.train.load_checkpoint(prefix)
    ending = "/.ATTRIBUTES/VARIABLE_VALUE"
    names = [n for n in reader.get_variable_to_shape_map() if n.startswith(start)]
    return {n.removesuffix(ending): reader.get_tensor(n).item() for n in names}


def has_optimizer(prefix):
    """Whether a checkpoint holds an optimizer in the layout written since TensorFlow 2.11."""
    names = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    return "optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE" in names


def newest(path):
    """The checkpoint to resume from: a file as given, or the newest readable of a folder.

    Returns:
        Its path, or None if there is none.
    """
    if Path(f"{path}.index").is_file():
        return str(path)
    if not Path(path).is_dir():
        return None
    try:
        pointed = checkpoint_util.get_latest_checkpoint(path)
    except FileNotFoundError:
        return None
    return pointed if is_readable(pointed) else newest_readable(path)
