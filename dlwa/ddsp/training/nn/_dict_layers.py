"""Layers that find their inputs by name in a dictionary and answer with a dictionary."""

import inspect

import gin
import tensorflow as tf

from dlwa.ddsp import core
from dlwa.words import counted

from ._base import Layer
from ._dense import Dense

__all__ = ["DictLayer", "OutputSplitsLayer", "split_to_dict"]

_KERAS_ARGUMENTS = ("self", "training", "mask")


@gin.register(module="dlwa.ddsp.training.nn")
def split_to_dict(tensor, tensor_splits):
    """Cut the last axis of a tensor into named pieces.

    Args:
        tensor: `[..., sum of the sizes]`.
        tensor_splits: (name, size) pairs in the order of the last axis.

    Returns:
        Dictionary name -> `[..., size]`.

    Raises:
        ValueError: if the sizes do not add up to the last axis.
    """
    names = [name for name, _ in tensor_splits]
    sizes = [size for _, size in tensor_splits]
    if tensor.shape[-1] is not None and sum(sizes) != tensor.shape[-1]:
        raise ValueError(
            f"tensor_splits={tensor_splits} must add up to the last axis: "
            f"{sum(sizes)} != {tensor.shape[-1]} (shape {tuple(tensor.shape)})"
        )
    return dict(zip(names, tf.split(tensor, sizes, axis=-1), strict=True))


class DictLayer(Layer):
    """A layer whose inputs are looked up by key, so that layers can be wired by their names alone.

    Args:
        input_keys: names to look up, in the order of call()'s arguments; paths such as
            `harmonic/signal` reach into nested dictionaries. Default: call()'s argument names,
            those with a default value being optional.
        output_keys: names of the results. Default: call()'s return annotation, a list of strings.
    """

    def __init__(self, input_keys=None, output_keys=None, **kwargs):
        super().__init__(**kwargs)
        if input_keys is None:
            self.input_keys = self.get_argument_names("call")
            self.default_input_keys = self.get_default_argument_names("call")
            self.default_input_values = self.get_default_argument_values("call")
        else:
            self.input_keys = list(core.make_iterable(_as_list(input_keys)))
            self.default_input_keys = []
            self.default_input_values = []
        annotated = self.get_return_annotations("call")
        self.output_keys = list(_as_list(output_keys) if output_keys is not None else annotated)

    @property
    def all_input_keys(self):
        """Required keys followed by the optional ones."""
        return list(self.input_keys) + list(self.default_input_keys)

    @property
    def n_inputs(self):
        """How many inputs call() gets."""
        return len(self.all_input_keys)

    def __call__(self, *inputs, **kwargs):
        """Find the inputs in dictionaries, positional tensors and keywords, and run the layer."""
        named, tensors = {}, []
        for value in inputs:
            if isinstance(value, dict):
                named.update(value)
            else:
                tensors.append(value)
        for key in [k for k in kwargs if k in self.all_input_keys]:
            named[key] = kwargs.pop(key)
        tensors = self._complete(tensors, named)
        outputs = super().__call__(*tensors, **kwargs)
        return outputs if isinstance(outputs, dict) else core.to_dict(outputs, self.output_keys)

    def _complete(self, tensors, named):
        given = len(tensors)
        tensors = tensors + [
            core.nested_lookup(k, named) for k in self.input_keys if _has(k, named)
        ]
        for key, default in zip(self.default_input_keys, self.default_input_values, strict=True):
            if _has(key, named):
                tensors.append(core.nested_lookup(key, named))
            elif len(tensors) < self.n_inputs:
                tensors.append(default)
        if len(tensors) != self.n_inputs:
            missing = [k for k in self.input_keys if not _has(k, named)]
            raise TypeError(
                f"{self.name} ({type(self).__name__}) takes {counted(self.n_inputs, 'input')} "
                f"{self.all_input_keys} but got {len(tensors)}: {given} by position and from the "
                f"dictionary keys {sorted(map(str, named))}"
                + (f"; missing keys: {missing}" if missing and not given else "")
            )
        return tensors

    def get_argument_names(self, method):
        """Names of the arguments of `method` that have no default value."""
        return [p.name for p in self._parameters(method) if p.default is p.empty]

    def get_default_argument_names(self, method):
        """Names of the arguments of `method` that have a default value."""
        return [p.name for p in self._parameters(method) if p.default is not p.empty]

    def get_default_argument_values(self, method):
        """Default values of the arguments of `method`, in the same order."""
        return [p.default for p in self._parameters(method) if p.default is not p.empty]

    def get_return_annotations(self, method):
        """The list of strings that annotates what `method` returns; empty without annotation."""
        found = inspect.signature(getattr(self, method)).return_annotation
        return [] if found is inspect.Signature.empty else list(_as_list(found))

    def _parameters(self, method):
        parameters = inspect.signature(getattr(self, method)).parameters.values()
        plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
        return [p for p in parameters if p.kind in plain and p.name not in _KERAS_ARGUMENTS]


class OutputSplitsLayer(DictLayer):
    """A DictLayer that ends in one Dense layer whose outputs are cut into named controls.

    Subclasses define `compute_output(*inputs)` -> `[batch, time, channels]`.

    Args:
        input_keys: see DictLayer; default: the argument names of compute_output().
        output_splits: (name, size) pairs.
    """

    def __init__(
        self, input_keys=None, output_splits=(("amps", 1), ("harmonic_distribution", 40)), **kwargs
    ):
        self.output_splits = output_splits
        if input_keys is None:
            input_keys = self.get_argument_names("compute_output")
        super().__init__(input_keys, [name for name, _ in output_splits], **kwargs)
        self.dense_out = Dense(sum(size for _, size in output_splits))

    def compute_output(self, *inputs):
        """What the last Dense layer gets; defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} must define compute_output().")

    def call(self, *inputs):
        """Controls `[batch, time, size]`, always float32."""
        out = self.dense_out(self.compute_output(*inputs))
        return split_to_dict(tf.cast(out, tf.float32), self.output_splits)


def _as_list(keys):
    return [keys] if isinstance(keys, str) else keys


def _has(path, named):
    for part in path.split("/"):
        if not isinstance(named, dict) or part not in named:
            return False
        named = named[part]
    return True
