"""Our recurrent loops compute what Keras and the formulas say, forwards and backwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp.training import nn

pytestmark = pytest.mark.ddsp

UNITS, CHANNELS = 5, 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_gru(x, kernel, recurrent, bias):
    h = np.zeros((x.shape[0], recurrent.shape[0]))
    states = []
    for t in range(x.shape[1]):
        gates = x[:, t] @ kernel + bias[0]
        inner = h @ recurrent + bias[1]
        xz, xr, xh = np.split(gates, 3, axis=-1)
        rz, rr, rh = np.split(inner, 3, axis=-1)
        z, r = sigmoid(xz + rz), sigmoid(xr + rr)
        h = z * h + (1 - z) * np.tanh(xh + r * rh)
        states.append(h)
    return np.stack(states, axis=1)


def numpy_lstm(x, kernel, recurrent, bias):
    h = c = np.zeros((x.shape[0], recurrent.shape[0]))
    states = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.stack(states, axis=1)


def with_random_weights(layer, x, rng):
    layer(x)
    for variable in layer.weights:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    return layer


@pytest.fixture
def rng():
    return np.random.default_rng(440)


@pytest.fixture
def policy():
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("length", [1, 7, 8, 9, 33])
@pytest.mark.parametrize(("kind", "oracle"), [("gru", numpy_gru), ("lstm", numpy_lstm)])
def test_all_lengths_follow_the_formulas(rng, kind, oracle, length):
    x = rng.normal(size=(2, length, CHANNELS)).astype(np.float32)
    layer = with_random_weights(nn.Rnn(UNITS, kind), x, rng)
    weights = [np.asarray(v, np.float64) for v in layer.weights]
    np.testing.assert_allclose(layer(x), oracle(x, *weights), atol=2e-6)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_gradients_are_those_of_keras_own_loop(rng, kind):
    x = tf.constant(rng.normal(size=(3, 11, CHANNELS)), tf.float32)
    pull = tf.constant(rng.normal(size=(3, 11, UNITS)), tf.float32)
    ours = with_random_weights(nn.Rnn(UNITS, kind), x, rng)
    keras_layer = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}[kind](
        UNITS, return_sequences=True
    )
    keras_layer(x)
    for mine, theirs in zip(ours.variables, keras_layer.weights, strict=False):
        theirs.assign(mine)

    def gradients(layer):
        variables = layer.trainable_variables
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x) * pull)
        return tape.gradient(loss, [x, *[v.value for v in variables]])

    for mine, theirs in zip(gradients(ours), gradients(keras_layer), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=2e-5)


def test_gradient_reaches_the_first_state(rng):
    layer = nn.StatelessRnn(UNITS, "gru")
    x = rng.normal(size=(2, 9, CHANNELS)).astype(np.float32)
    state = tf.constant(rng.normal(size=(2, UNITS)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(state)
        loss = tf.reduce_sum(layer(x, state)[0] ** 2)
    analytic = tape.gradient(loss, state).numpy()
    step = np.zeros_like(analytic)
    step[1, 2] = 1e-2

    def value(s):
        return float(tf.reduce_sum(layer(x, s)[0] ** 2))

    numeric = (value(state + step) - value(state - step)) / 2e-2
    assert analytic[1, 2] == pytest.approx(numeric, rel=1e-2)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_playing_block_by_block_is_playing_at_once(rng, kind):
    size = UNITS if kind == "gru" else 2 * UNITS
    layer = nn.StatelessRnn(UNITS, kind)
    x = rng.normal(size=(2, 20, CHANNELS)).astype(np.float32)
    state = tf.zeros([2, size])
    whole, last = layer(x, state)
    blocks = []
    for start in range(0, 20, 5):
        y, state = layer(x[:, start : start + 5], state)
        blocks.append(y)
    np.testing.assert_allclose(tf.concat(blocks, axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(state, last, atol=1e-6)


def test_both_directions_mirror_each_other(rng):
    x = rng.normal(size=(1, 6, CHANNELS)).astype(np.float32)
    layer = with_random_weights(nn.Rnn(UNITS, "gru", bidir=True), x, rng)
    for forward, backward in zip(
        layer.rnn.forward_layer.weights, layer.rnn.backward_layer.weights, strict=True
    ):
        backward.assign(forward)
    there, back = np.split(layer(x).numpy(), 2, axis=-1)
    mirrored, _ = np.split(layer(x[:, ::-1]).numpy(), 2, axis=-1)
    np.testing.assert_allclose(back, mirrored[:, ::-1], atol=1e-6)
    assert not np.allclose(there, back)


def test_last_frame_only(rng):
    x = rng.normal(size=(2, 6, CHANNELS)).astype(np.float32)
    layer = with_random_weights(nn.Rnn(UNITS, "gru", return_sequences=False), x, rng)
    full = nn.Rnn(UNITS, "gru")
    full(x)
    full.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x), full(x)[:, -1], atol=1e-6)


def test_one_graph_serves_any_batch_and_length(rng):
    layer = nn.Rnn(UNITS, "gru")
    layer(tf.zeros([1, 2, CHANNELS]))

    @tf.function(input_signature=[tf.TensorSpec([None, None, CHANNELS])])
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return y, tape.gradient(y, x)

    for shape in ((1, 3), (4, 17)):
        x = tf.constant(rng.normal(size=(*shape, CHANNELS)), tf.float32)
        y, slope = run(x)
        np.testing.assert_allclose(y, layer(x), atol=1e-6)
        assert np.all(np.isfinite(slope))


def test_half_precision_keeps_the_recurrence_float32(rng, policy):
    x = rng.normal(size=(2, 50, CHANNELS)).astype(np.float32)
    exact = with_random_weights(nn.Rnn(UNITS, "gru"), x, rng)
    policy("mixed_bfloat16")
    half = nn.Rnn(UNITS, "gru")
    half(x)
    half.set_weights(exact.get_weights())
    assert half(x).dtype == tf.float32
    assert all(v.dtype == "float32" for v in half.weights)
    np.testing.assert_allclose(half(x), exact(x), atol=0.05)


def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="rnn_type='grru' must be one of"):
        nn.Rnn(4, "grru")
