"""Sinusoids and harmonics into each other; small helpers."""

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp


def _sinusoids(seed=0):
    random = np.random.default_rng(seed)
    amplitudes = random.uniform(0, 1, (2, 4, 6)).astype(np.float32)
    hz = random.uniform(50, 3000, (2, 4, 6)).astype(np.float32)
    return amplitudes, hz, random.uniform(100, 500, (2, 4, 1)).astype(np.float32)


@pytest.mark.parametrize("normalize", [False, True])
def test_collecting_sinusoids_into_harmonics(normalize):
    from dlwa.ddsp import core

    amplitudes, hz, f0_hz = _sinusoids()
    numbers = np.arange(1, 21)[:, np.newaxis]
    offset = (hz[:, :, np.newaxis] - numbers * f0_hz[..., np.newaxis]) / f0_hz[..., np.newaxis]
    weights = np.exp(-((offset.astype(float) / 0.3) ** 2))
    if normalize:
        total = weights.sum(-1, keepdims=True)
        weights = weights / np.maximum(total, 1)
    parts = np.sum(weights * amplitudes[:, :, np.newaxis], -1)
    parts *= numbers[:, 0] * f0_hz < 4000
    amplitude, shares = core.sinusoidal_to_harmonic(
        amplitudes, hz, f0_hz, 0.3, 20, sample_rate=8000, normalize=normalize
    )
    np.testing.assert_allclose(amplitude[..., 0], parts.sum(-1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(shares, parts / parts.sum(-1, keepdims=True), rtol=1e-3, atol=1e-5)


def test_harmonics_spelt_out_and_collected_again():
    from dlwa.ddsp import core

    random = np.random.default_rng(0)
    amplitude = random.uniform(0.1, 1, (2, 4, 1)).astype(np.float32)
    shares = random.uniform(0, 1, (2, 4, 30)).astype(np.float32)
    f0_hz = random.uniform(400, 500, (2, 4, 1)).astype(np.float32)
    amplitudes, hz = core.harmonic_to_sinusoidal(amplitude, shares, f0_hz)
    np.testing.assert_allclose(hz, f0_hz * np.arange(1, 31), rtol=1e-6)
    audible = shares * (f0_hz * np.arange(1, 31) < 8000)
    audible = audible / audible.sum(-1, keepdims=True)
    np.testing.assert_allclose(amplitudes, amplitude * audible, rtol=1e-5)
    back, collected = core.sinusoidal_to_harmonic(amplitudes, hz, f0_hz, n_harmonics=30)
    np.testing.assert_allclose(back, amplitude, rtol=1e-4)
    np.testing.assert_allclose(collected, audible, atol=1e-5)


def test_silence_stays_finite():
    from dlwa.ddsp import core

    zeros = np.zeros((1, 2, 3), np.float32)
    for result in core.sinusoidal_to_harmonic(zeros, zeros, zeros[..., :1], n_harmonics=4):
        assert np.all(np.isfinite(result))


def test_shapes_of_small_helpers():
    import tensorflow as tf

    from dlwa.ddsp import core

    assert core.tf_float32([1, 2]).dtype == tf.float32
    assert core.tf_float32(tf.Variable([1.0], dtype=tf.float16)).dtype == tf.float32
    assert core.make_iterable(None) == []
    assert core.make_iterable(3) == [3]
    assert core.make_iterable({"a": 1}) == {"a": 1}
    assert len(core.make_iterable(np.zeros(3))) == 1
    assert core.to_dict([1, 2], ["a", "b"]) == {"a": 1, "b": 2}
    assert core.leaf_key("a/b/c") == "c"
    assert core.nested_lookup("a/b", {"a": {"b": 5}}) == 5
    assert core.nested_keys({"a": {"b": 5}, "c": 1}) == ["a/b", "c"]
    assert core.map_shape({"a": np.zeros((2, 3))}) == {"a": [2, 3]}
    assert core.pad_axis(np.ones((2, 3)), (1, 2), axis=1).shape == (2, 6)
    np.testing.assert_array_equal(core.diff(np.array([[1, 4, 9]])), [[3, 5]])
    np.testing.assert_array_equal(
        core.diff(np.array([[1, 4, 9], [0, 0, 1]]), axis=0), [[-1, -4, -8]]
    )
    features = {"a": 1}
    assert core.copy_if_tf_function(features) is features
    seen = []
    tf.function(lambda: seen.append(core.copy_if_tf_function(features) is features))()
    assert seen == [False]


def test_a_missing_step_of_a_path_names_what_is_there():
    from dlwa.ddsp import core

    with pytest.raises(KeyError, match=r"'x' of the path 'a/x' is missing; present: \['b', 'c'\]"):
        core.nested_lookup("a/x", {"a": {"b": 1, "c": 2}})
