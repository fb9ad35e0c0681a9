"""DictLayer finds its inputs, and says what is missing."""

import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp.training import nn

pytestmark = pytest.mark.ddsp

SUM = ["total"]


class Sum(nn.DictLayer):
    def call(self, a, b, scale=2.0) -> SUM:
        return (a + b) * scale


ONE = tf.ones([1, 2])
DICT = {"a": ONE, "b": 2 * ONE, "other": ONE}


def test_keys_come_from_the_signature():
    layer = Sum()
    assert layer.input_keys == ["a", "b"]
    assert layer.default_input_keys == ["scale"]
    assert layer.all_input_keys == ["a", "b", "scale"]
    assert layer.n_inputs == 3
    assert layer.output_keys == ["total"]


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        ([DICT], {}, 6.0),
        ([{**DICT, "scale": ONE}], {}, 3.0),
        ([ONE, ONE], {}, 4.0),
        ([ONE, ONE, ONE], {}, 2.0),
        ([DICT, {"b": 5 * ONE}], {}, 12.0),
        ([], {"a": ONE, "b": ONE}, 4.0),
        ([{"a": ONE}], {"b": 4 * ONE, "scale": ONE}, 5.0),
    ],
)
def test_inputs_by_name_by_position_and_by_keyword(args, kwargs, expected):
    out = Sum()(*args, **kwargs)
    np.testing.assert_allclose(out["total"], np.full([1, 2], expected))


def test_given_keys_reach_into_nested_dictionaries():
    layer = Sum(input_keys=["x/deep", "b", "k"], output_keys=["out"])
    out = layer({"x": {"deep": ONE}, "b": ONE, "k": 3 * ONE})
    np.testing.assert_allclose(out["out"], 6 * np.ones([1, 2]))


def test_a_missing_key_is_named_with_those_present():
    with pytest.raises(TypeError, match=r"missing keys: \['b'\]") as caught:
        Sum()({"a": ONE, "loudness": ONE})
    assert "loudness" in str(caught.value)


def test_too_many_inputs_are_refused():
    with pytest.raises(TypeError, match="takes 3 inputs"):
        Sum()(ONE, ONE, ONE, ONE)


def test_results_must_match_the_output_keys():
    with pytest.raises(ValueError):
        Sum(output_keys=["one", "two"])({"a": ONE, "b": ONE})


def test_output_splits_layer_reads_compute_output():
    class Layer(nn.OutputSplitsLayer):
        def compute_output(self, ld_scaled, f0_scaled):
            return tf.concat([ld_scaled, f0_scaled], axis=-1)

    layer = Layer(output_splits=(("amps", 1), ("noise", 3)))
    x = tf.ones([2, 4, 1])
    out = layer({"f0_scaled": x, "ld_scaled": x})
    assert {k: tuple(v.shape) for k, v in out.items()} == {"amps": (2, 4, 1), "noise": (2, 4, 3)}
    assert layer.input_keys == ["ld_scaled", "f0_scaled"]


def test_splits_must_add_up():
    with pytest.raises(ValueError, match="must add up to the last axis: 3 != 4"):
        nn.split_to_dict(tf.zeros([1, 4]), (("a", 1), ("b", 2)))
