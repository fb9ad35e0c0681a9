"""Which names gin knows, which parameters they have, and which one was probably meant."""

import difflib
import importlib
import inspect
import sys

import gin
import keras

# Importing these registers everything a configuration of this package can name.
_MODULES = (
    "core",
    "dags",
    "spectral_ops",
    "processors",
    "synths",
    "effects",
    "losses",
    "training.nn",
    "training.preprocessing",
    "training.encoders",
    "training.decoders",
    "training.heuristics",
    "training.models",
    "training.data",
    "training.trainers",
    "training.train_util",
    "training.evaluators",
    "training.eval_util",
    "training.data_preparation.synthetic_data",
    "training.data_preparation._generation",
)
_registered = []


def register_all():
    """Import every module whose functions and classes a configuration can name."""
    if _registered:
        return
    for name in _MODULES:
        importlib.import_module(f"dlwa.ddsp.{name}")
    _registered.append(True)


def registry():
    """gin's own table: full name -> configurable."""
    return gin.config._REGISTRY


def matches(selector):
    """The full names that a possibly shortened name stands for."""
    return list(registry().matching_selectors(selector))


def acts_on_every_call(full):
    """Whether bindings reach Python's own calls; else they act only where `@name` is written."""
    known = registry()[full]
    if inspect.isclass(known.wrapped):
        return known.wrapper is known.wrapped
    module = sys.modules.get(known.module)
    return getattr(module, known.name, known.wrapper) is known.wrapper


def nearest_selectors(selector, n=3, parameter=""):
    """Names like this one, in the short form people write; those with the parameter, if any."""
    ours = [full for full, _ in registry().items() if not full.startswith("gin.")]
    last = selector.rsplit(".", 1)[-1]
    by_last = {}
    for full in ours:
        by_last.setdefault(full.rsplit(".", 1)[-1], []).append(full)
    close = difflib.get_close_matches(last, by_last, n=n, cutoff=0.6)
    lowered = {name.lower(): name for name in by_last}
    if last.lower() in lowered and lowered[last.lower()] not in close:
        close.insert(0, lowered[last.lower()])
    fulls = [full for name in close for full in by_last[name]]
    if parameter:
        fulls = [f for f in fulls if parameter in (parameters(f) or [parameter])] or fulls
    ours_first = sorted(fulls, key=lambda full: full.startswith("tf."))
    return [short_form(full) for full in ours_first[:n]]


def short_form(full):
    """`dlwa.ddsp.training.decoders.RnnFcDecoder` -> `decoders.RnnFcDecoder`."""
    return ".".join(full.rsplit(".", 2)[-2:]) if full.startswith("dlwa.") else full


def parameters(full):
    """The parameters a configurable takes, or None where it takes any."""
    thing = registry()[full].wrapped
    if not inspect.isclass(thing):
        return _of_function(_innermost(thing))
    names = set()
    for cls in thing.__mro__:
        if "__init__" not in vars(cls):
            continue
        own, rest = _split_signature(_innermost(vars(cls)["__init__"]))
        names.update(own)
        # `**kwargs` goes on to the class above; another name says that keywords are open.
        if rest is not None and rest != "kwargs":
            return None
        if rest is None or cls is keras.layers.Layer:
            break
    return names - {"self"}


def _of_function(function):
    names, rest = _split_signature(function)
    return None if rest is not None else names


def _innermost(function):
    while True:
        inner = getattr(function, "__wrapped__", None) or getattr(function, "behind", None)
        if inner is None:
            return function
        function = inner


def _split_signature(function):
    """(names of the parameters, name of the ** parameter or None)."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return set(), "anything"
    kinds = inspect.Parameter
    names = {
        p.name
        for p in signature.parameters.values()
        if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    }
    rest = [p.name for p in signature.parameters.values() if p.kind == kinds.VAR_KEYWORD]
    return names, rest[0] if rest else None


def nearest(name, known, n=3):
    """Known names like this one."""
    return difflib.get_close_matches(name, sorted(known), n=n, cutoff=0.55)
