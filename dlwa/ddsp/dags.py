"""Modules wired by the names of their outputs.

A DAG is a list of nodes `[module, [input keys], [output keys]]`. Nodes run in the order of the
list; every result is kept under its module's name, so that later nodes can ask for
'harmonic/signal'.
"""

import gin
import keras
import tensorflow as tf

from dlwa.ddsp import core

TensorDict = dict[str, tf.Tensor]
Node = list
DAG = list[Node]

_KERAS_KWARGS = ("training", "mask", "name")


def filter_by_value(d, cond):
    """Keep the entries of a dictionary whose value meets a condition.

    Example:
        >>> filter_by_value({"a": 1, "b": None}, lambda v: v is not None)
        {'a': 1}
    """
    return {k: v for k, v in d.items() if cond(v)}


def is_module(v):
    """Whether this is a layer or module."""
    return isinstance(v, tf.Module | keras.layers.Layer)


def is_loss(v):
    """Whether this can be asked for named losses."""
    return hasattr(v, "get_losses_dict")


def is_processor(v):
    """Whether this makes a signal from controls."""
    return hasattr(v, "get_signal") and hasattr(v, "get_controls")


def split_keras_kwargs(kwargs):
    """Separate the keyword arguments meant for Keras from the rest; None values are dropped.

    Returns:
        (keras kwargs, other kwargs).

    Example:
        >>> split_keras_kwargs({"name": "voice", "harmonic": 1, "mask": None})
        ({'name': 'voice'}, {'harmonic': 1})
    """
    given = {k: v for k, v in kwargs.items() if v is not None}
    keras_kwargs = {k: v for k, v in given.items() if k in _KERAS_KWARGS}
    return keras_kwargs, {k: v for k, v in given.items() if k not in _KERAS_KWARGS}


def _name_of(module):
    return module if isinstance(module, str) else module.name


@gin.register(module="dlwa.ddsp.dags")
class DAGLayer(keras.layers.Layer):
    """A layer made of modules that pass each other their outputs by name.

    Args:
        dag: list of nodes `[module or its name, [input keys], [output keys]]`, the last optional.
            Keys are paths: 'f0_hz', 'inputs/f0_hz', 'harmonic/signal'.
        **kwarg_modules: modules that nodes refer to by keyword.

    Raises:
        ValueError: if a node names a module that is not there or has the wrong form.

    Example:
        >>> double = keras.layers.Rescaling(2.0, name="double")
        >>> layer = DAGLayer([[double, ["x"], ["y"]]])
        >>> layer({"x": tf.constant([1.0, 2.0])})["double"]["y"].numpy().tolist()
        [2.0, 4.0]
    """

    def __init__(self, dag, **kwarg_modules):
        keras_kwargs, modules = split_keras_kwargs(kwarg_modules)
        super().__init__(autocast=False, **keras_kwargs)
        modules = filter_by_value(modules, is_module)
        self.dag, dag_modules = self.format_dag(dag)
        for name, module in dag_modules.items():
            if modules.setdefault(name, module) is not module:
                raise ValueError(f"dag and a keyword must not both have a module named {name!r}")
        self.module_names = list(modules)
        self._check()
        for name, module in modules.items():
            setattr(self, name, module)

    @staticmethod
    def format_dag(dag):
        """Replace the modules of a DAG by their names.

        Returns:
            (DAG of names, dictionary name -> module).
        """
        modules, named = {}, []
        for node in dag:
            if not isinstance(node, list | tuple) or len(node) not in (2, 3):
                raise ValueError(
                    f"node={node!r} must be [module, [input keys]] or "
                    "[module, [input keys], [output keys]]"
                )
            module = node[0]
            if is_module(module) and modules.setdefault(module.name, module) is not module:
                raise ValueError(
                    f"dag must not have two modules named {module.name!r}; give one another name"
                )
            named.append([_name_of(module), *(list(core.make_iterable(k)) for k in node[1:])])
        return named, modules

    def _check(self):
        for name in self.module_names:
            if hasattr(keras.layers.Layer, name):
                raise ValueError(f"module name={name!r} must not be what every Keras layer has")
        for name, *_ in self.dag:
            if name not in self.module_names:
                raise ValueError(
                    f"dag node {name!r} must be one of the modules {self.module_names}"
                )

    @property
    def modules(self):
        """The modules, in the order of module_names."""
        return [getattr(self, name) for name in self.module_names]

    def build(self, input_shape=None):
        """Nothing to make: each module makes its own weights when it first runs."""
        self.built = True

    def __call__(self, inputs, **kwargs):
        """Run the DAG on a dictionary of inputs; see run_dag."""
        # Not by way of keras.layers.Layer, which would bury the message of an error in its own.
        self.built = True
        return self.call(inputs, **kwargs)

    def call(self, inputs, **kwargs):
        """Run the DAG on a dictionary of inputs; see run_dag."""
        return self.run_dag(inputs, **kwargs)

    @gin.configurable(module="dlwa.ddsp.dags.DAGLayer")
    def run_dag(self, inputs, verbose=False, **kwargs):
        """Run every node in order.

        Args:
            inputs: dictionary of tensors.
            verbose: print what each node gets and gives.
            **kwargs: passed to the modules (training, mask).

        Returns:
            Dictionary of everything: the inputs, also under 'inputs'; each module's outputs under
            its name; the last one's also under 'out'.

        Raises:
            KeyError: if an input is missing; the message lists what is there.
            TypeError: if inputs is no dictionary.
            ValueError: if a node's output keys do not name each of its outputs.
        """
        if not isinstance(inputs, dict):
            raise TypeError(f"inputs={type(inputs).__name__} must be a dictionary of tensors")
        outputs = {"inputs": inputs, **inputs}
        module_outputs = None
        for node in self.dag:
            name, input_keys = node[0], node[1]
            module = getattr(self, name)
            values = [self._input(key, outputs, name) for key in input_keys]
            if verbose:
                shapes = [core.map_shape(v) if hasattr(v, "shape") else type(v) for v in values]
                tf.print(f"{name}: {dict(zip(input_keys, map(str, shapes), strict=True))}")
            module_outputs = _run(module, values, kwargs)
            if not isinstance(module_outputs, dict):
                module_outputs = _named(module_outputs, node[2] if len(node) > 2 else [], name)
            outputs[name] = module_outputs
        outputs["out"] = module_outputs
        return outputs

    def _input(self, key, outputs, name):
        try:
            return core.nested_lookup(key, outputs)
        except KeyError as error:
            raise KeyError(f"input {key!r} of {name!r} in {self.name!r}: {error.args[0]}") from None


def _named(module_outputs, keys, name):
    try:
        return core.to_dict(module_outputs, keys)
    except ValueError as error:
        raise ValueError(f"output keys of {name!r}: {error}") from None


def _run(module, values, kwargs):
    if is_processor(module):
        return module(*values, return_outputs_dict=True, **kwargs)
    if is_loss(module):
        return module.get_losses_dict(*values, **kwargs)
    return module(*values, **kwargs)
