"""Training models of instruments: data, networks, the training loop, evaluation.

The parts are imported when first used.
"""

import importlib

_PARTS = (
    "checkpoint_util",
    "data",
    "data_preparation",
    "decoders",
    "encoders",
    "eval_util",
    "evaluators",
    "gin_util",
    "heuristics",
    "inference",
    "metrics",
    "models",
    "nn",
    "plotting",
    "postprocessing",
    "preprocessing",
    "summaries",
    "train_util",
    "trainers",
)


def __getattr__(name):
    if name in _PARTS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_PARTS])
