"""The names by which the variables of a model stand in a checkpoint."""

from collections import deque

import keras

from dlwa.ddsp.training import nn

__all__ = ["variable_paths"]

# What Keras itself keeps in every layer or model; everything else is ours or a leaf's weight.
_KERAS_OWN = set(vars(keras.layers.Layer())) | set(vars(keras.Model()))


def variable_paths(layer):
    """Every variable below a layer or model, by the name the field's checkpoints give it.

    A name is the way from the layer through attributes, list indices and, in chains of layers,
    `layer_with_weights-<i>`: `decoder/input_stacks/0/layer_with_weights-0/.../kernel`. A variable
    reached by several ways has the shortest, first one. Only variables that exist are listed: call
    the model once before.

    Returns:
        Dictionary path -> Keras variable, in the order of the layer's attributes.
    """
    shortest = {}
    queue = deque([((), layer)])
    seen = set()
    while queue:
        path, thing = queue.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, keras.Variable):
            shortest[id(thing)] = "/".join(path)
            continue
        queue.extend(((*path, name), child) for name, child in _children(thing))
    variables = [v for v in layer.variables if id(v) in shortest]
    return {shortest[id(v)]: v for v in variables}


def _children(thing):
    if isinstance(thing, nn.Chain | keras.Sequential):
        with_weights = [layer for layer in thing.layers if layer.weights]
        return [(f"layer_with_weights-{i}", layer) for i, layer in enumerate(with_weights)]
    if isinstance(thing, keras.layers.Layer):
        named = [(name.lstrip("_"), value) for name, value in vars(thing).items()]
        own = {name.lstrip("_") for name in _KERAS_OWN}
        return [(n, v) for n, v in named if n not in own and _can_hold(v)]
    if isinstance(thing, dict):
        return [(str(name), value) for name, value in thing.items() if _can_hold(value)]
    if isinstance(thing, list | tuple):
        return [(str(i), value) for i, value in enumerate(thing) if _can_hold(value)]
    return []


def _can_hold(value):
    return isinstance(value, keras.Variable | keras.layers.Layer | list | tuple | dict)
