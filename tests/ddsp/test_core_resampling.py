"""Frames to samples and back: every method against reading one place after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ddsp import oracles

pytestmark = pytest.mark.ddsp
often = settings(max_examples=40, deadline=None)
METHODS = ["nearest", "linear", "cubic", "window"]


def _control(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@often
@given(st.sampled_from(METHODS), st.booleans(), st.integers(2, 12), st.integers(2, 9), st.data())
def test_every_method_at_any_length(method, add_endpoint, n_frames, hop, data):
    from dlwa.ddsp import core

    intervals = n_frames if add_endpoint else n_frames - 1
    n = intervals * hop if method == "window" else data.draw(st.integers(1, 60))
    if method == "window" and n <= intervals + 1:
        return
    x = _control(2, n_frames, 3, seed=hop)
    got = core.resample(x, n, method, add_endpoint)
    expected = oracles.resample(x, n, method, add_endpoint)
    # TensorFlow tabulates the cubic kernel in 1024 steps, and so do we.
    np.testing.assert_allclose(got, expected, atol=8e-3 if method == "cubic" else 2e-6)


SHAPES = [(5,), (2, 5), (2, 5, 3), (2, 5, 4, 3)]


@pytest.mark.parametrize(
    ("method", "shape"),
    [(m, s) for m in METHODS for s in SHAPES if m != "window" or len(s) < 4],
)
def test_every_rank(method, shape):
    from dlwa.ddsp import core

    x = _control(*shape)
    got = core.resample(x, 20, method).numpy()
    batched = x[np.newaxis] if x.ndim == 1 else x
    expected = oracles.resample(batched, 20, method)
    expected = expected[0] if x.ndim == 1 else expected
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, atol=8e-3 if method == "cubic" else 2e-6)


@often
@given(st.sampled_from(METHODS), st.integers(2, 9), st.floats(-100, 100, width=32))
def test_a_constant_stays_constant(method, hop, value):
    from dlwa.ddsp import core

    got = core.resample(np.full((1, 7, 1), value, np.float32), 7 * hop, method)
    np.testing.assert_allclose(got, value, rtol=1e-5, atol=1e-30)


@often
@given(st.integers(2, 50), st.integers(2, 9))
def test_a_straight_line_stays_straight(n_frames, hop):
    from dlwa.ddsp import core

    line = np.arange(n_frames, dtype=np.float32)[np.newaxis]
    for n in (n_frames * hop, n_frames * hop + 1):
        got = core.resample(line, n).numpy()[0]
        expected = np.minimum(np.arange(n) * n_frames / n, n_frames - 1)
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_linear_by_whole_hops_equals_the_general_way():
    import tensorflow as tf

    from dlwa.ddsp import core

    x = _control(2, 10, 3)
    general = tf.function(
        core.resample, input_signature=[tf.TensorSpec([None, None, 3]), tf.TensorSpec([], tf.int32)]
    )
    np.testing.assert_allclose(core.resample(x, 640), general(x, 640), atol=1e-6)


def test_crossfades_are_smooth_and_never_overshoot():
    from dlwa.ddsp import core

    x = _control(1, 9, 1)
    y = core.upsample_with_windows(x, 9 * 64).numpy()[0, :, 0]
    np.testing.assert_allclose(y[::64], x[0, :, 0], atol=1e-6)  # through every frame
    assert y.min() >= x.min() - 1e-6
    assert y.max() <= x.max() + 1e-6
    steps = np.abs(np.diff(y)).reshape(-1)
    assert steps[63::64].max() < 0.01  # flat at the frames


def test_ten_million_samples_and_more_do_not_read_beyond_the_last_frame():
    import tensorflow as tf

    from dlwa.ddsp import core

    # tf.image.resize reads uninitialised memory here: its positions are float32.
    n_frames, n = 150_000, 28_800_001
    line = tf.range(n_frames, dtype=tf.float32)[tf.newaxis, :, tf.newaxis]
    end = core.resample(line, n)[0, -400:, 0].numpy()
    expected = np.minimum((n - 400 + np.arange(400)) * (n_frames / n), n_frames - 1)
    np.testing.assert_allclose(end, expected, atol=0.02)  # float32 around 150000


def test_cropping_what_centred_frames_stood_out_by():
    from dlwa.ddsp import core

    audio = np.arange(20, dtype=np.float32)[np.newaxis]
    assert core.center_crop(audio, 6).tolist() == [list(range(3, 17))]
