"""Differences of tensors and of spectra: formulas, gradients, what is equal, what is wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.ddsp import gradients, oracles_losses

pytestmark = pytest.mark.ddsp
often = settings(max_examples=25, deadline=None)
TENSORS = arrays.arrays(np.float32, (2, 3, 4), elements=st.floats(-8, 8, width=16))


def _sound(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("kind", ["L1", "L2", "COSINE", "l1", "cosine"])
def test_mean_difference(kind):
    from dlwa.ddsp import losses

    gradients.agrees(
        lambda target, value: losses.mean_difference(target, value, kind),
        lambda target, value: oracles_losses.difference(target, value, kind.upper()),
        {"target": _sound(2, 3, 4), "value": _sound(2, 3, 4, seed=1)},
    )


@pytest.mark.parametrize("shape", [(), (4,), (2, 1, 1), (2, 3, 1), (2, 3, 4)])
def test_weights_are_broadcast(shape):
    from dlwa.ddsp import losses

    target, value = _sound(2, 3, 4), _sound(2, 3, 4, seed=1)
    weights = np.abs(_sound(*shape, seed=2))
    for kind in ("L1", "L2"):
        got = losses.mean_difference(target, value, kind, weights)
        expected = oracles_losses.difference(target, value, kind, weights)
        assert float(got) == pytest.approx(expected, rel=1e-6)
    wide = np.broadcast_to(weights, target.shape).mean(-1)
    apart = [
        oracles_losses.difference(target[i, j], value[i, j], "COSINE") * wide[i, j]
        for i in range(2)
        for j in range(3)
    ]
    got = losses.mean_difference(target, value, "cosine", weights)
    assert float(got) == pytest.approx(np.mean(apart), rel=1e-5)


@often
@given(TENSORS, TENSORS, st.sampled_from(["L1", "L2", "COSINE"]))
def test_a_difference_is_symmetric_and_none_to_itself(one, two, kind):
    from dlwa.ddsp import losses

    there = float(losses.mean_difference(one, two, kind))
    assert there == pytest.approx(float(losses.mean_difference(two, one, kind)), abs=1e-5)
    assert there >= -1e-6
    if kind != "COSINE":
        assert float(losses.mean_difference(one, one, kind)) == 0.0


def test_types_of_tensors():
    import tensorflow as tf

    from dlwa.ddsp import losses

    half = tf.constant([1.0, 2.0], tf.bfloat16)
    assert losses.mean_difference(half, tf.constant([1.0, 3.0])).dtype == tf.float32
    assert losses.mean_difference(half, half).dtype == tf.float32
    assert losses.mean_difference(np.zeros(2), half).dtype == tf.float64
    assert float(losses.mean_difference([1, 2], [1, 4], "L2")) == 2.0


SIZES = (16, 8)
TERMS = ("mag", "delta_time", "delta_freq", "cumsum_freq", "logmag")


@pytest.mark.parametrize("kind", ["L1", "L2", "COSINE"])
@pytest.mark.parametrize("term", TERMS)
def test_each_term_of_the_spectral_loss(term, kind):
    from dlwa.ddsp import losses

    weights = {name: 0.7 if name == term else 0.0 for name in TERMS}
    loss = losses.SpectralLoss(
        SIZES, kind, **{f"{name}_weight": weight for name, weight in weights.items()}
    )
    gradients.agrees(
        loss,
        lambda target_audio, audio: oracles_losses.spectral(
            target_audio, audio, SIZES, kind, **weights
        ),
        {"target_audio": _sound(1, 20), "audio": _sound(1, 20, seed=1)},
        atol=1e-3,
        rtol=2e-2 if term == "logmag" else 5e-3,
    )


@pytest.mark.parametrize("batch", [1, 3])
def test_loudness_in_the_spectral_loss(batch):
    from dlwa.ddsp import losses

    loss = losses.SpectralLoss((), mag_weight=0.0, loudness_weight=0.3)
    gradients.agrees(
        loss,
        lambda target_audio, audio: oracles_losses.spectral(target_audio, audio, (), loudness=0.3),
        {"target_audio": _sound(batch, 30), "audio": 3.0 * _sound(batch, 30, seed=1)},
        atol=1e-3,
    )


@pytest.mark.parametrize(("n", "sizes"), [(100, (64,)), (37, (12, 5)), (9, (64, 32))])
def test_lengths_and_sizes_that_do_not_fit_each_other(n, sizes):
    from dlwa.ddsp import losses

    one, two = _sound(2, n).astype("f"), _sound(2, n, seed=1).astype("f")
    weights = dict(mag=1.0, delta_time=0.5, delta_freq=0.2, cumsum_freq=0.1, logmag=0.3)
    if n < 16:
        weights["delta_time"] = 0.0  # one frame has no neighbour
    loss = losses.SpectralLoss(sizes, **{f"{k}_weight": w for k, w in weights.items()})
    expected = oracles_losses.spectral(one.astype(float), two, sizes, **weights)
    assert float(loss(one, two)) == pytest.approx(expected, rel=1e-3)
    assert float(loss(one[..., None], two[..., None])) == pytest.approx(expected, rel=1e-3)
    first = oracles_losses.spectral(one[:1].astype(float), two[:1], sizes, **weights)
    assert float(loss(one[0], two[0])) == pytest.approx(first, rel=1e-3)


def test_all_terms_add_up_with_weights_for_each_example():
    from dlwa.ddsp import losses

    one, two = _sound(2, 600).astype("f"), _sound(2, 600, seed=1).astype("f")
    settings_ = {f"{name}_weight": 0.5 for name in (*TERMS, "loudness")}
    weights = np.float32([[[2.0]], [[0.0]]])
    got = losses.SpectralLoss((64, 32), **settings_)(one, two, weights)
    alone = losses.SpectralLoss((64, 32), **settings_)(one[:1], two[:1])
    assert float(got) == pytest.approx(float(alone), rel=1e-5)  # 2 of the one, half a mean each


@often
@given(st.integers(0, 10**6), st.floats(0.0, 4.0))
def test_a_sound_equals_itself_and_phase_plays_no_part(seed, level):
    from dlwa.ddsp import losses

    loss = losses.SpectralLoss((64, 32), logmag_weight=1.0, loudness_weight=1.0)
    sound = (level * _sound(1, 128, seed=seed)).astype("f")
    assert float(loss(sound, sound)) == 0.0
    assert float(loss(sound, -sound)) == pytest.approx(0.0, abs=1e-4)


ALL = {f"{name}_weight": 1.0 for name in (*TERMS, "loudness")}
SOUNDS = {
    "noise": _sound(1, 300),
    "silence": np.zeros((1, 300)),
    "a click": np.eye(1, 300),
    "a constant": np.ones((1, 300)),
    "hardly anything": 1e-30 * _sound(1, 300),
    "less than float32 knows": 1e-40 * _sound(1, 300),
    "loud": 1e6 * _sound(1, 300),
}


@pytest.mark.parametrize("kind", ["L1", "L2", "COSINE"])
@pytest.mark.parametrize("target", SOUNDS)
def test_gradients_are_finite_at_every_edge(target, kind):
    from dlwa.ddsp import losses

    loss = losses.SpectralLoss((64, 32), kind, **ALL)
    for audio in SOUNDS.values():
        gradients.finite(loss, SOUNDS[target], audio)


def test_equal_tensors_have_no_slope():
    from dlwa.ddsp import losses

    same = _sound(2, 3, 4)
    for kind in ("L1", "L2", "COSINE"):
        for gradient in gradients.finite(
            lambda a, b, kind=kind: losses.mean_difference(a, b, kind), same, same
        ):
            np.testing.assert_allclose(gradient, 0.0, atol=1e-6)
    gradients.finite(lambda a, b: losses.mean_difference(a, b, "COSINE"), 0 * same, 0 * same)


AUDIO = np.zeros((2, 64), np.float32)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((AUDIO, AUDIO[:, :32]), r"target_audio\.shape=\(2, 64\) and audio\.shape=\(2, 32\) must"),
        ((AUDIO[:1], AUDIO), r"target_audio\.shape=\(1, 64\) and audio\.shape=\(2, 64\) must"),
        ((AUDIO[:, :0], AUDIO[:, :0]), r"target_audio\.shape=\(2, 0\) must be .*something in it"),
        ((AUDIO[..., None, None],) * 2, r"target_audio\.shape=\(2, 64, 1, 1\) must be \[batch"),
        ((AUDIO, AUDIO, np.ones((5, 1, 1))), r"weights\.shape=\(5, 1, 1\) must broadcast to"),
    ],
)
def test_a_wrong_input_is_named_with_its_shape(inputs, message):
    import tensorflow as tf

    from dlwa.ddsp import losses

    loss = losses.SpectralLoss((16,))
    with pytest.raises(ValueError, match=message):
        loss(*inputs)
    specs = [tf.TensorSpec(x.shape) for x in inputs]
    with pytest.raises(ValueError, match=message):
        tf.function(lambda *x: loss(*x)).get_concrete_function(*specs)


@pytest.mark.parametrize("name", ["SpectralLoss", "ParamLoss", "EmbeddingLoss"])
@pytest.mark.parametrize("kind", ["L3", "", None, 1])
def test_an_unknown_type_is_refused_when_the_loss_is_made(name, kind):
    from dlwa.ddsp import losses

    with pytest.raises(ValueError, match=r"loss_type=.* must be one of \['L1', 'L2', 'COSINE'\]"):
        getattr(losses, name)(loss_type=kind)
    with pytest.raises(ValueError, match=r"loss_type=.* must be one of"):
        losses.mean_difference(AUDIO, AUDIO, kind)


@pytest.mark.parametrize(
    ("weights", "shape"), [(np.ones(3), (2, 2)), (np.ones((5, 2, 2)), (2, 2)), (np.ones(5), (1,))]
)
def test_weights_that_would_change_the_shape_are_refused(weights, shape):
    from dlwa.ddsp import losses

    with pytest.raises(ValueError, match=r"weights\.shape=.* must broadcast to target\.shape="):
        losses.mean_difference(np.ones(shape), np.ones(shape), "L1", weights)


@pytest.mark.parametrize("sizes", [(64, 0), (2,), (64.5,), (-8,)])
def test_a_size_no_spectrum_has_is_refused(sizes):
    from dlwa.ddsp import losses

    with pytest.raises(ValueError, match=r"fft_size=.* must be a whole number"):
        losses.SpectralLoss(sizes)
