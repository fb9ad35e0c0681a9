"""Reading checkpoints of the field's reference package (and our own: they carry the same names)."""

import re

import numpy as np
import tensorflow as tf
from absl import logging
from tensorflow.core.protobuf import trackable_object_graph_pb2

from dlwa.words import some

from ._paths import variable_paths

__all__ = ["load_reference_checkpoint", "saved_variables"]

_END = "/.ATTRIBUTES/VARIABLE_VALUE"
_SLOT = "/.OPTIMIZER_SLOT/"
# Decoders before 0.2 had one attribute for each input, pitch first.
_OLD_STACKS = {
    "f_stack": "input_stacks/0",
    "l_stack": "input_stacks/1",
    "z_stack": "input_stacks/2",
}
_OLD_STACK = re.compile(r"(?<=/)(f_stack|l_stack|z_stack)(?=/)")
_SHOWN = 8


def saved_variables(prefix):
    """What a checkpoint holds of the model: path below `model/` -> (saved name, shape).

    Optimizer slots stored under the model (TensorFlow before 2.11) are left out, and the stacks of
    very old decoders appear under their present names.

    Raises:
        ValueError: if the files cannot be read.
    """
    saved = {}
    for name, shape in _reader(prefix).get_variable_to_shape_map().items():
        if name.startswith("model/") and name.endswith(_END) and _SLOT not in name:
            path = name[len("model/") : -len(_END)]
            path = _OLD_STACK.sub(lambda match: _OLD_STACKS[match.group()], path)
            saved[path] = (name, tuple(shape))
    return saved


def load_reference_checkpoint(model, prefix, restore_keys=None):
    """Give a model's variables the values saved in a checkpoint.

    Everything is compared before anything is changed.

    Args:
        model: built model, i.e. one that has been called once.
        prefix: checkpoint path without `.index`.
        restore_keys: names of submodules (attributes of the model) to load alone.

    Returns:
        List of saved paths that the model has no use for (parts it lacks entirely, e.g. a reverb).

    Raises:
        ValueError: if a variable is missing, has another shape, or if the checkpoint holds more
            variables for a part that the model has too; all differences are listed.
    """
    wanted = _wanted(model, restore_keys)
    reader, saved = _reader(prefix), saved_variables(prefix)
    _refuse_reordered_inputs(model, reader)
    for path in wanted:
        if path not in saved:
            found = _follow_graph(reader, path)
            if found:
                saved[path] = found
    unused = _compare(wanted, saved, prefix, restore_keys)
    for path, variable in wanted.items():
        variable.assign(np.asarray(reader.get_tensor(saved[path][0])))
    if unused and not restore_keys:
        logging.info("Not used from %s: %s", prefix, ", ".join(unused))
    return unused


def _reader(prefix):
    try:
        return tf.train.load_checkpoint(str(prefix))
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        raise ValueError(
            f"checkpoint {prefix} cannot be read; its .index or .data file is missing or damaged: "
            f"{error}"
        ) from error


def _wanted(model, restore_keys):
    paths = variable_paths(model)
    if not paths:
        raise ValueError(f"model={model.name!r} has no variables yet; call it once on features")
    if not restore_keys:
        return paths
    keys = [restore_keys] if isinstance(restore_keys, str) else list(restore_keys)
    for key in keys:
        if not any(_below(path, key) for path in paths):
            parts = sorted({path.split("/")[0] for path in paths})
            raise ValueError(
                f"restore_keys={keys} must name submodules with variables: {key!r} is none of "
                f"{parts}"
            )
    return {p: v for p, v in paths.items() if any(_below(p, key) for key in keys)}


def _compare(wanted, saved, prefix, restore_keys):
    """Raise on differences; return the saved paths that belong to parts the model lacks."""
    missing, shapes = [], []
    for path, variable in wanted.items():
        if path not in saved:
            missing.append(f"{path} {tuple(variable.shape)}")
        elif saved[path][1] != tuple(variable.shape):
            shapes.append(f"{path}: saved {saved[path][1]}, model {tuple(variable.shape)}")
    parts = {_part(path) for path in wanted}
    left = [path for path in saved if path not in wanted]
    surplus = [f"{path} {saved[path][1]}" for path in left if _part(path) in parts]
    lists = {
        "not in the checkpoint": missing,
        "of another shape": shapes,
        "only in the checkpoint": surplus,
    }
    if any(lists.values()):
        told = "; ".join(f"{name}: {some(items, _SHOWN)}" for name, items in lists.items() if items)
        raise ValueError(
            f"checkpoint {prefix} does not fit the model"
            + (f" (restore_keys={restore_keys})" if restore_keys else "")
            + f": {told}. Build the model from the operative_config-*.gin beside the checkpoint."
        )
    return [] if restore_keys else left


def _part(path):
    """The part of a model a path belongs to; each processor is a part of its own."""
    pieces = path.split("/")
    return "/".join(pieces[:2]) if pieces[0] == "processor_group" else pieces[0]


def _below(path, key):
    return path == key or path.startswith(key + "/")


def _follow_graph(reader, path):
    """The saved name of a variable reached by another way of the saved object graph, or None."""
    shapes = reader.get_variable_to_shape_map()
    if "_CHECKPOINTABLE_OBJECT_GRAPH" not in shapes:
        return None
    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    node = graph.nodes[0]
    for part in ("model", *path.split("/")):
        children = {child.local_name: child.node_id for child in node.children}
        if part not in children:
            return None
        node = graph.nodes[children[part]]
    names = [a.checkpoint_key for a in node.attributes if a.name == "VARIABLE_VALUE"]
    return (names[0], tuple(shapes[names[0]])) if names else None


def _refuse_reordered_inputs(model, reader):
    """Old decoders always read pitch first; other orders would mix up the recurrent weights."""
    if not any(_OLD_STACK.search(name) for name in reader.get_variable_to_shape_map()):
        return
    keys = list(getattr(getattr(model, "decoder", None), "input_keys", []))
    expected = ["f0_scaled", "ld_scaled", "z"][: len(keys)]
    if keys != expected:
        raise ValueError(
            f"RnnFcDecoder.input_keys={tuple(keys)} must be {tuple(expected)}: this checkpoint was "
            "written by a version that always put the pitch first"
        )
