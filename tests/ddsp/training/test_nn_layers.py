"""Claims about the other layers that the golden numbers do not make."""

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp.training import nn

pytestmark = pytest.mark.ddsp


@pytest.fixture
def rng():
    return np.random.default_rng(440)


def gradients_of_all(layer, *inputs):
    with tf.GradientTape() as tape:
        out = layer(*inputs)
        loss = tf.reduce_sum(tf.cast(out, tf.float32) ** 2)
    return tape.gradient(loss, [v.value for v in layer.trainable_variables])


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.FcStack(4, 2),
        lambda: nn.FcStackOut(4, 2, 3),
        lambda: nn.RnnSandwich(4, 1, 5),
        lambda: nn.RnnFc(4, 3, n_rnn=2),
        lambda: nn.SingleGru(4),
        lambda: nn.DilatedConvStack(4, 3, 1, norm_type="layer"),
        lambda: nn.DilatedConvStack(4, 2, 1, spectral_norm=True, ortho_init=True),
        lambda: nn.DilatedConvStack(4, 2, 2, resample_type="upsample", resample_stride=2),
    ],
)
def test_gradient_reaches_every_variable(make, rng):
    x = tf.constant(rng.normal(size=(2, 12, 3)), tf.float32)
    layer = make()
    layer(x)
    for gradient in gradients_of_all(layer, x):
        assert gradient is not None
        assert np.all(np.isfinite(gradient))


def test_conditional_layers_get_gradient_from_both_inputs(rng):
    x = tf.constant(rng.normal(size=(2, 12, 3)), tf.float32)
    z = tf.constant(rng.normal(size=(2, 1, 5)), tf.float32)
    layer = nn.DilatedConvStack(4, 2, 1, norm_type="instance", conditional=True)
    assert layer([x, z]).shape == (2, 12, 4)
    assert all(g is not None for g in gradients_of_all(layer, [x, z]))


def test_resnet_shapes(rng):
    x = tf.constant(rng.normal(size=(1, 4, 64, 1)), tf.float32)
    assert nn.ResNet("tiny")(x).shape == (1, 4, 2, 8 * 16 * 4)
    with pytest.raises(ValueError, match="size='huge' must be one of"):
        nn.ResNet("huge")


def test_activations_by_name():
    assert nn.get_nonlinearity("relu") is keras.activations.relu
    assert nn.get_nonlinearity("cos" if hasattr(tf.nn, "cos") else "softplus") is not None
    assert nn.get_nonlinearity("crelu") is tf.nn.crelu
    with pytest.raises(ValueError, match="nonlinearity='smooth'"):
        nn.get_nonlinearity("smooth")


@pytest.mark.parametrize("shape", [(3, 8), (3, 5, 8), (3, 5, 2, 8)])
def test_normalised_layers_have_mean_0_and_variance_1(rng, shape):
    x = tf.constant(rng.normal(3.0, 7.0, size=shape), tf.float32)
    y = nn.Normalize("layer")(x).numpy().reshape(shape[0], -1)
    np.testing.assert_allclose(y.mean(axis=1), 0.0, atol=1e-4)
    np.testing.assert_allclose(y.std(axis=1), 1.0, atol=1e-3)


def test_normalisation_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="norm_type='batch' must be"):
        nn.normalize_op(tf.zeros([1, 1, 1, 4]), "batch")
    with pytest.raises(ValueError, match="divisible into 32 groups"):
        nn.normalize_op(tf.zeros([1, 1, 1, 4]), "group")


def test_spectral_normalisation_brings_the_largest_singular_value_to_1(rng):
    layer = nn.SpectralNormalization(keras.layers.Dense(6), power_iterations=3)
    x = tf.constant(rng.normal(size=(4, 5)), tf.float32)
    layer(x)
    layer.layer.kernel.assign(rng.normal(size=(5, 6)) * 10)
    before = layer.layer.kernel.numpy()
    layer(x, training=False)
    np.testing.assert_array_equal(layer.layer.kernel.numpy(), before)
    for _ in range(10):
        layer(x, training=True)
    assert np.linalg.svd(layer.layer.kernel.numpy())[1][0] == pytest.approx(1.0, abs=1e-3)


def test_vector_quantisation_finds_clusters(rng):
    tf.random.set_seed(1)
    centres = np.array([[5.0, 5.0], [-5.0, 5.0], [0.0, -5.0]])
    layer = nn.VectorQuantization(3, gamma=0.5, restart_threshold=0.2)
    for _ in range(40):
        points = centres[rng.integers(3, size=64)] + rng.normal(0, 0.1, (64, 2))
        layer(tf.constant(points, tf.float32), training=True)
    quantized, indices = layer(tf.constant(centres, tf.float32))
    np.testing.assert_allclose(quantized, centres, atol=0.2)
    np.testing.assert_allclose(layer.unquantize(indices), quantized, atol=1e-6)


def test_vector_quantisation_passes_gradients_straight_through():
    layer = nn.VectorQuantization(3)
    x = tf.ones([4, 2])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(layer(x)[0] * 3.0)
    np.testing.assert_array_equal(tape.gradient(y, x), np.full([4, 2], 3.0))


def test_straight_through_samples_follow_the_probabilities():
    tf.random.set_seed(3)
    logits = tf.math.log(tf.constant([[0.1, 0.2, 0.7]]))
    sample, probs = nn.straight_through_softmax(tf.repeat(logits, 5000, axis=0))
    np.testing.assert_allclose(probs[0], [0.1, 0.2, 0.7], atol=1e-6)
    np.testing.assert_allclose(np.mean(sample, axis=0), [0.1, 0.2, 0.7], atol=0.03)
    np.testing.assert_allclose(np.sum(sample, axis=-1), 1.0, atol=1e-6)
    chosen = nn.straight_through_choice(tf.constant([[0.0, 100.0]]), tf.constant([[3.0, 4.0]]))
    np.testing.assert_allclose(chosen, [[4.0]])


def test_polyphase_down_and_up_is_the_same(rng):
    x = tf.constant(rng.normal(size=(2, 12, 3)), tf.float32)
    down = nn.polyphase_resample(x, 4, "down")
    assert down.shape == (2, 3, 12)
    np.testing.assert_array_equal(nn.polyphase_resample(down, 4, "up"), x)


def test_notes_of_one_frame_have_finite_gradients():
    mask = nn.get_note_mask(tf.constant([[60.0, 62.0, 62.0, 64.0, 64.0]]), max_regions=4)
    x = tf.random.normal([1, 5, 2])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.add_n([tf.reduce_sum(y) for y in nn.pool_over_notes(x, mask)])
    assert np.all(np.isfinite(tape.gradient(loss, x)))


@gin.configurable(module="test_nn_layers")
def layer_from_gin(layer=None):
    return layer


@pytest.mark.parametrize(
    ("binding", "cls", "attribute"),
    [
        ("tf.keras.layers.Dense", keras.layers.Dense, "units"),
        ("nn.Dense", keras.layers.Dense, "units"),
        ("tf.keras.layers.GRU", keras.layers.GRU, "units"),
        ("nn.DilatedConvStack", nn.DilatedConvStack, "ch"),
        ("dlwa.ddsp.training.nn.FcStackOut", nn.FcStackOut, "ch"),
    ],
)
def test_gin_reaches_our_layers_and_keras_own(binding, cls, attribute):
    rest = f"{binding}.layers = 1\n{binding}.n_out = 2\n" if cls is nn.FcStackOut else ""
    gin.clear_config()
    try:
        gin.parse_config(f"layer_from_gin.layer = @{binding}()\n{binding}.{attribute} = 3\n{rest}")
        layer = layer_from_gin()
        assert isinstance(layer, cls)
        assert layer(tf.zeros([2, 4, 3])).shape[-1] == (2 if cls is nn.FcStackOut else 3)
    finally:
        gin.clear_config()


def test_layers_follow_the_precision_policy_and_keep_float32_weights(rng):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        stack = nn.FcStack(4, 2)
        x = tf.constant(rng.normal(size=(2, 5, 3)), tf.float32)
        assert stack(x).dtype == tf.bfloat16
        assert nn.Normalize("layer")(stack(x)).dtype == tf.float32
        assert all(v.dtype == "float32" for v in stack.weights)
    finally:
        keras.config.set_dtype_policy("float32")
