"""Noise: its distribution, and draws that can be repeated anywhere."""

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp


def test_uniform_white_and_new_every_time():
    from dlwa.ddsp import core

    noise = core.uniform_noise([4, 50_000], -0.5, 2.0).numpy()
    assert -0.5 <= noise.min() < -0.499
    assert 1.999 < noise.max() < 2.0
    counts = np.histogram(noise, 10, (-0.5, 2.0))[0] / noise.size
    np.testing.assert_allclose(counts, 0.1, atol=0.004)
    centred = noise[0] - 0.75
    following = np.mean(centred[1:] * centred[:-1]) / np.mean(centred**2)
    assert abs(following) < 0.02
    assert not np.array_equal(noise, core.uniform_noise([4, 50_000], -0.5, 2.0))


@pytest.mark.parametrize("compiled", [None, False, True])
def test_a_seed_repeats_every_draw_in_graphs_and_under_xla(compiled):
    import tensorflow as tf

    from dlwa.ddsp import core

    def draws(step):
        with core.noise_seed(tf.stack([7, step])):
            return core.uniform_noise([2, 100]), core.uniform_noise([2, 100])

    function = draws if compiled is None else tf.function(draws, jit_compile=compiled)
    first, second = function(tf.constant(3))
    again = draws(tf.constant(3))
    np.testing.assert_array_equal(first, again[0])
    np.testing.assert_array_equal(second, again[1])
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, function(tf.constant(4))[0])


def test_seeds_nest_and_end_with_their_block():
    from dlwa.ddsp import core

    def inside(seed):
        with core.noise_seed(seed):
            return core.uniform_noise([5]).numpy().tolist()

    with core.noise_seed(1):
        first = core.uniform_noise([5]).numpy().tolist()
        assert inside(2) != first
        second = core.uniform_noise([5]).numpy().tolist()
    with core.noise_seed(1):
        assert core.uniform_noise([5]).numpy().tolist() == first
        assert core.uniform_noise([5]).numpy().tolist() == second
    assert inside(1) == first
    assert core.uniform_noise([5]).numpy().tolist() != core.uniform_noise([5]).numpy().tolist()


@pytest.mark.parametrize("seed", [1.5, [1, 2, 3], [[1, 2]]])
def test_a_seed_that_is_none(seed):
    from dlwa.ddsp import core

    with pytest.raises(ValueError, match="must be an integer"), core.noise_seed(seed):
        pass
