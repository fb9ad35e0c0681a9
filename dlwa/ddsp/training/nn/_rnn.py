"""Recurrent layers."""

import gin
import keras
import tensorflow as tf

from ._base import Chain, Layer
from ._fc import Fc, FcStack
from ._recurrence import gru_sequence, lstm_sequence

__all__ = ["Rnn", "RnnFc", "RnnSandwich", "SingleGru", "StatelessRnn"]

_register = gin.register(module="dlwa.ddsp.training.nn")


def _has_gpu():
    return bool(tf.config.list_logical_devices("GPU"))


def _own_loop_fits(layer, mask, training):
    """Whether our own loop computes what this Keras layer is asked for."""
    cell = layer.cell
    dropout = training and (layer.dropout or layer.recurrent_dropout)
    usual = cell.activation is keras.activations.tanh
    usual = usual and cell.recurrent_activation is keras.activations.sigmoid and cell.use_bias
    return usual and not dropout and mask is None and not layer.unroll and not _has_gpu()


def _project(layer, sequences, bias):
    """Inputs times kernel for all frames at once, `[time, batch, gates]` float32.

    This is the large product, so it follows the precision policy.
    """
    sequences = tf.transpose(sequences, [1, 0, 2])
    if layer.go_backwards:
        sequences = tf.reverse(sequences, [0])
    kernel = tf.convert_to_tensor(layer.cell.kernel)
    dtype = layer.product_dtype
    flat = tf.reshape(tf.cast(sequences, dtype), [-1, kernel.shape[0]])
    product = tf.cast(tf.matmul(flat, tf.cast(kernel, dtype)), tf.float32) + bias
    return tf.reshape(product, tf.concat([tf.shape(sequences)[:2], [kernel.shape[1]]], axis=0))


def _results(layer, states):
    """(last output, all outputs, last states) as a Keras recurrent layer wants them."""
    last = [s[-1] for s in states]
    outputs = tf.transpose(states[0], [1, 0, 2])
    return last[0], outputs if layer.return_sequences else last[0][:, tf.newaxis], last


def _graph_of(sequence):
    return tf.function(lambda *inputs: sequence(*inputs), autograph=False, reduce_retracing=True)


class _Gru(keras.layers.GRU):
    """Keras' GRU: cuDNN on a GPU, our own loop on a CPU. Same weights, same numbers."""

    def __init__(self, units, product_dtype="float32", **kwargs):
        super().__init__(units, **kwargs)
        self.product_dtype = product_dtype
        # A graph of its own also for eager callers: 1000 steps run op by op take five times longer.
        self.run_states = _graph_of(gru_sequence)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if not (_own_loop_fits(self, mask, training) and self.cell.reset_after):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        h0 = initial_state[0] if isinstance(initial_state, list | tuple) else initial_state
        input_bias, recurrent_bias = tf.unstack(tf.convert_to_tensor(self.cell.bias))
        projected = _project(self, sequences, input_bias)
        kernel = tf.convert_to_tensor(self.cell.recurrent_kernel)
        return _results(self, [self.run_states(projected, h0, kernel, recurrent_bias)])

    def get_config(self):
        return {**super().get_config(), "product_dtype": self.product_dtype}


class _Lstm(keras.layers.LSTM):
    """Keras' LSTM, treated like _Gru."""

    def __init__(self, units, product_dtype="float32", **kwargs):
        super().__init__(units, **kwargs)
        self.product_dtype = product_dtype
        self.run_states = _graph_of(lstm_sequence)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if not _own_loop_fits(self, mask, training):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        projected = _project(self, sequences, tf.convert_to_tensor(self.cell.bias))
        kernel = tf.convert_to_tensor(self.cell.recurrent_kernel)
        return _results(self, list(self.run_states(projected, *initial_state, kernel)))

    def get_config(self):
        return {**super().get_config(), "product_dtype": self.product_dtype}


def _recurrent_layer(dims, rnn_type, **kwargs):
    types = {"gru": _Gru, "lstm": _Lstm}
    if rnn_type not in types:
        raise ValueError(f"rnn_type={rnn_type!r} must be one of {sorted(types)}")
    product_dtype = keras.config.dtype_policy().compute_dtype
    # The recurrence stays float32 on a CPU: one step is too small a product to gain by less.
    dtype = None if _has_gpu() else "float32"
    return types[rnn_type](dims, product_dtype=product_dtype, dtype=dtype, **kwargs)


class _BothWays(Layer):
    """One layer from start to end and one from end to start, results side by side."""

    def __init__(self, dims, rnn_type, return_sequences):
        super().__init__()
        self.forward_layer = _recurrent_layer(dims, rnn_type, return_sequences=return_sequences)
        self.backward_layer = _recurrent_layer(
            dims, rnn_type, return_sequences=return_sequences, go_backwards=True
        )

    def call(self, x):
        backward = self.backward_layer(x)
        if self.backward_layer.return_sequences:
            backward = tf.reverse(backward, [1])
        return tf.concat([self.forward_layer(x), backward], axis=-1)


@_register
class Rnn(Layer):
    """A recurrent layer over time with zero first state.

    `[batch, time, channels]` -> `[batch, time, dims]`, `[batch, dims]` (the last frame) without
    `return_sequences`; twice the channels with `bidir`.

    Args:
        dims: size of the state.
        rnn_type: 'gru' or 'lstm'.
        return_sequences: the states of all frames instead of the last one.
        bidir: a second layer runs from the end to the start; both results side by side.
    """

    def __init__(self, dims, rnn_type, return_sequences=True, bidir=False, **kwargs):
        super().__init__(**kwargs)
        make = _BothWays if bidir else _recurrent_layer
        self.rnn = make(dims, rnn_type, return_sequences=return_sequences)

    def call(self, x):
        """Run the recurrence over axis 1 of `x`."""
        return self.rnn(x)


@_register
class StatelessRnn(Layer):
    """A recurrent layer whose state is an input and an output, for playing block by block.

    For a GRU the state is `[batch, dims]`; for an LSTM `[batch, 2 * dims]` (h and c side by side).
    """

    def __init__(self, dims, rnn_type, **kwargs):
        super().__init__(**kwargs)
        self.rnn_type = rnn_type
        self.rnn = _recurrent_layer(dims, rnn_type, return_sequences=True, return_state=True)

    def call(self, x, state):
        """`[batch, time, channels]` and the state -> (`[batch, time, dims]`, new state)."""
        if self.rnn_type == "gru":
            y, new_state = self.rnn(x, initial_state=state)
            return y, new_state
        y, h, c = self.rnn(x, initial_state=tf.split(state, 2, axis=-1))
        return y, tf.concat([h, c], axis=-1)


@_register
class RnnFc(Chain):
    """`n_rnn` recurrent layers, then one Fc layer.

    As in the reference, `bidir` decides whether all frames are returned (True) or only the last
    one (False, the default); the layers run in one direction either way.
    """

    def __init__(
        self,
        rnn_feat,
        out_feat,
        rnn_type="lstm",
        nonlinearity="sigmoid",
        bidir=False,
        n_rnn=1,
        **kwargs,
    ):
        # Layers before the last one need a sequence to hand on.
        layers = [Rnn(rnn_feat, rnn_type, i < n_rnn - 1 or bidir) for i in range(n_rnn)]
        super().__init__([*layers, Fc(out_feat, nonlinearity)], **kwargs)


@_register
class RnnSandwich(Chain):
    """FcStack, recurrent layer, FcStack."""

    def __init__(self, fc_stack_ch=256, fc_stack_layers=2, rnn_ch=512, rnn_type="gru", **kwargs):
        layers = [
            FcStack(fc_stack_ch, fc_stack_layers),
            Rnn(rnn_ch, rnn_type),
            FcStack(fc_stack_ch, fc_stack_layers),
        ]
        super().__init__(layers, **kwargs)


@_register
class SingleGru(Chain):
    """A GRU that returns all frames, then layer normalisation."""

    def __init__(self, gru_dim=128, **kwargs):
        gru = _recurrent_layer(gru_dim, "gru", return_sequences=True)
        super().__init__([gru, keras.layers.LayerNormalization()], **kwargs)
