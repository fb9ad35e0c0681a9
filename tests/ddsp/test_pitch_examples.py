"""The examples in the documentation of the pitch trackers run and tell the truth."""

import doctest
import importlib

import pytest

pytestmark = pytest.mark.ddsp


@pytest.mark.parametrize("module", ["choice", "estimate", "fourier", "tracking"])
def test_examples_of_the_docstrings(module):
    failed, tried = doctest.testmod(importlib.import_module(f"dlwa.ddsp.pitch.{module}"))
    assert tried and not failed
