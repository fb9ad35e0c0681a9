"""Each example in a docstring of the synthesizers, effects, losses and groups runs."""

import doctest
import importlib
import inspect

import pytest

pytestmark = pytest.mark.ddsp

MODULES = (
    "dags",
    "effects._filters",
    "effects._reverb",
    "losses._base",
    "losses._consistency",
    "losses._embedding",
    "losses._spectral",
    "losses._transcriber",
    "losses._twm",
    "processors",
    "synths._harmonic",
    "synths._noise",
    "synths._samples",
    "synths._sinusoidal",
    "synths._wavetable",
)
# They need a network that takes long to load; tested in test_losses_embedding.py.
WITHOUT = {"PretrainedCREPE", "PretrainedCREPEEmbeddingLoss"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    import numpy as np

    module = importlib.import_module(f"dlwa.ddsp.{name}")
    told = doctest.testmod(module, extraglobs={"np": np}, optionflags=doctest.ELLIPSIS)
    assert told.attempted
    assert not told.failed


@pytest.mark.parametrize("name", ["effects", "losses", "processors", "synths"])
def test_every_public_class_and_function_has_an_example(name):
    module = importlib.import_module(f"dlwa.ddsp.{name}")
    public = {
        key: thing
        for key, thing in vars(module).items()
        if (inspect.isclass(thing) or inspect.isfunction(thing))
        and thing.__module__.startswith(module.__name__)
        and not key.startswith("_")
    }
    assert len(public) >= 4
    assert {key for key, thing in public.items() if ">>>" not in thing.__doc__} == WITHOUT & set(
        public
    )
