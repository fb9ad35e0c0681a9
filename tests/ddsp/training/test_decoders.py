"""Decoders: documented shapes, gradients, names, and what they refuse."""

import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp.training import decoders, nn

pytestmark = pytest.mark.ddsp

SPLITS = (("amps", 1), ("harmonic_distribution", 6), ("noise_magnitudes", 5))


@pytest.fixture
def features():
    rng = np.random.default_rng(440)
    make = lambda *shape: tf.constant(rng.normal(size=shape), tf.float32)  # noqa: E731
    return {"ld_scaled": make(2, 10, 1), "f0_scaled": make(2, 10, 1), "z": make(2, 10, 3)}


@pytest.fixture
def decoder():
    return decoders.RnnFcDecoder(rnn_channels=4, ch=5, layers_per_stack=2, output_splits=SPLITS)


def test_controls_have_the_documented_shapes(decoder, features):
    shapes = {name: tuple(x.shape) for name, x in decoder(features).items()}
    assert shapes == {name: (2, 10, size) for name, size in SPLITS}


def test_gradient_reaches_every_variable(decoder, features):
    decoder(features)
    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_sum(x**2) for x in decoder(features).values()])
    variables = [v.value for v in decoder.trainable_variables]
    for gradient in tape.gradient(loss, variables):
        assert gradient is not None
        assert np.any(gradient.numpy() != 0)


def test_variables_are_numbered_as_in_the_fields_checkpoints(decoder, features):
    decoder(features)
    owners = [v.path.split("/")[-1] for v in decoder.trainable_variables]
    stack = ["kernel", "bias", "gamma", "beta"] * 2
    recurrent = ["kernel", "recurrent_kernel", "bias"]
    assert owners == [*stack * 3, *recurrent, *stack, "kernel", "bias"]


def test_one_graph_serves_any_batch_and_length(decoder, features):
    decoder(features)
    spec = {k: tf.TensorSpec([None, None, v.shape[-1]]) for k, v in features.items()}
    run = tf.function(lambda x: decoder(x), input_signature=[spec])
    short = {k: v[:1, :3] for k, v in features.items()}
    for batch in (features, short):
        for name, value in run(batch).items():
            np.testing.assert_allclose(value, decoder(batch)[name], atol=1e-5)


def test_stateless_blocks_are_the_whole(features):
    inputs = {k: v for k, v in features.items() if k != "z"}
    decoder = decoders.RnnFcDecoder(
        4, ch=5, layers_per_stack=1, stateless=True, input_keys=tuple(inputs), output_splits=SPLITS
    )
    whole = decoder({**inputs, "state": tf.zeros([2, 4])})
    state, blocks = tf.zeros([2, 4]), []
    for i in range(0, 10, 5):
        out = decoder({**{k: v[:, i : i + 5] for k, v in inputs.items()}, "state": state})
        state = out["state"]
        blocks.append(out["amps"])
    np.testing.assert_allclose(tf.concat(blocks, axis=1), whole["amps"], atol=1e-6)
    np.testing.assert_allclose(state, whole["state"], atol=1e-6)


def test_a_missing_feature_is_named(decoder, features):
    del features["z"]
    with pytest.raises(TypeError, match=r"missing keys: \['z'\]") as caught:
        decoder(features)
    assert "f0_scaled" in str(caught.value)


def test_a_missing_axis_is_refused(decoder, features):
    features["f0_scaled"] = features["f0_scaled"][..., 0]
    with pytest.raises(ValueError, match=r"f0_scaled with shape \(2, 10\) must be \[batch, time"):
        decoder(features)


def test_dilated_decoder_upsamples(features):
    decoder = decoders.DilatedConvDecoder(
        ch=4, layers_per_stack=2, stacks=2, resample_stride=2, conditioning_keys=None,
        output_splits=SPLITS,
    )  # fmt: skip
    assert decoder(features)["amps"].shape == (2, 40, 1)


def test_dilated_decoder_listens_to_its_condition(features):
    decoder = decoders.DilatedConvDecoder(
        ch=4, layers_per_stack=1, stacks=1, precondition_stack=nn.FcStack(4, 1),
        output_splits=SPLITS,
    )  # fmt: skip
    before = decoder(features)["amps"]
    features["z"] = features["z"] + 1.0
    features["z"] = features["z"] * tf.constant([1.0, -2.0, 3.0])
    assert not np.allclose(before, decoder(features)["amps"])


def test_midi_decoder_with_untrained_residual_plays_the_note():
    decoder = decoders.MidiToHarmonicDecoder(nn.FcStack(4, 1))
    pitch = tf.fill([1, 5, 1], 69.0)
    decoder({"z_pitch": pitch})
    decoder.dense_out.kernel.assign(tf.zeros_like(decoder.dense_out.kernel))
    np.testing.assert_allclose(decoder({"z_pitch": pitch})["f0_hz"], np.full([1, 5, 1], 440.0))


def test_midi_decoder_needs_a_pitch_output():
    with pytest.raises(ValueError, match="must contain 'f0_midi'"):
        decoders.MidiToHarmonicDecoder(nn.FcStack(4, 1), output_splits=(("amplitudes", 1),))
