"""Differentiable signal processing: synthesizers, effects and losses a network can learn with.

    from dlwa import ddsp
    audio = ddsp.synths.Harmonic(n_samples=16000)(amplitudes, harmonic_distribution, f0_hz)

The parts are imported when first used.
"""

import importlib

_PARTS = (
    "colab",
    "core",
    "dags",
    "effects",
    "losses",
    "pitch",
    "processors",
    "spectral_ops",
    "synths",
    "test_util",
    "training",
)
_SHORTCUTS = {
    "DAGLayer": "dags",
    "Processor": "processors",
    "ProcessorGroup": "processors",
}


def __getattr__(name):
    if name in _PARTS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _SHORTCUTS:
        return getattr(importlib.import_module(f"{__name__}.{_SHORTCUTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_PARTS, *_SHORTCUTS])
