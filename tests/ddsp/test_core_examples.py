"""The examples in the docstrings of core and spectral_ops give what they say."""

import doctest
import importlib
import pkgutil

import pytest

pytestmark = pytest.mark.ddsp


@pytest.mark.parametrize("package", ["core", "spectral_ops"])
def test_examples_of_docstrings(package):
    import tensorflow as tf

    home = importlib.import_module(f"dlwa.ddsp.{package}")
    tried = 0
    for found in pkgutil.iter_modules(home.__path__, f"{home.__name__}."):
        module = importlib.import_module(found.name)
        results = doctest.testmod(
            module, extraglobs={"tf": tf}, optionflags=doctest.NORMALIZE_WHITESPACE
        )
        assert results.failed == 0, found.name
        tried += results.attempted
    assert tried >= {"core": 10, "spectral_ops": 5}[package]
