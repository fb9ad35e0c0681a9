"""Losses through a network: any function of audio, and the layers of CREPE."""

import numpy as np
import pytest

from tests.ddsp import gradients

pytestmark = pytest.mark.ddsp


def _sound(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("kind", ["L1", "L2"])
def test_any_function_of_audio(kind):
    from dlwa.ddsp import losses

    matrix = _sound(12, 5, seed=9)

    def oracle(target_audio, audio):
        apart = (target_audio**2 - audio**2) @ matrix
        return 0.3 * np.mean(np.abs(apart) if kind == "L1" else apart**2)

    def model(audio):
        return audio**2 @ matrix.astype(np.float32)

    inputs = {"target_audio": _sound(2, 12), "audio": _sound(2, 12, seed=1)}
    gradients.agrees(losses.EmbeddingLoss(0.3, kind, model), oracle, inputs)


def test_no_weight_needs_no_network():
    from dlwa.ddsp import losses

    assert float(losses.EmbeddingLoss(weight=0.0)(np.ones((1, 4)), np.ones((1, 4)))) == 0.0
    with pytest.raises(TypeError, match="pretrained_model=None must be a function of audio"):
        losses.EmbeddingLoss()(np.ones((1, 4)), np.ones((1, 4)))


@pytest.fixture(scope="module")
def crepe_loss():
    from dlwa.ddsp import losses

    return losses.PretrainedCREPEEmbeddingLoss(activation_layer="conv2-maxpool")


def test_crepe_tells_sounds_apart_and_not_their_level(crepe_loss):
    time = np.arange(4096) / 16000
    low, high = (np.sin(2 * np.pi * hz * time)[None].astype("f") for hz in (220, 880))
    assert float(crepe_loss(low, low)) == 0.0
    assert float(crepe_loss(low, 0.5 * low)) < 0.02 * float(crepe_loss(low, high))


def test_crepe_s_gradient_is_the_slope_of_its_loss(crepe_loss):
    """Directional, in float32: the network has no float64 form here, so the step is large."""
    import tensorflow as tf

    time = np.arange(2048) / 16000
    target = np.sin(2 * np.pi * 330 * time)[None].astype("f")
    audio = tf.constant((np.sin(2 * np.pi * 300 * time) + 0.1 * _sound(2048))[None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(audio)
        value = crepe_loss(target, audio)
    gradient = tape.gradient(value, audio)
    for seed in range(3):
        way = tf.constant(_sound(1, 2048, seed=seed), tf.float32)
        slope = float(tf.reduce_sum(gradient * way))
        ends = [float(crepe_loss(target, audio + step * way)) for step in (1e-3, -1e-3)]
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=0.05, abs=0.02 * float(value))


@pytest.mark.parametrize("level", [0.0, 1e-30, 1e3])
def test_gradients_are_finite_at_every_edge(crepe_loss, level):
    sound = _sound(1, 1500)
    gradients.finite(crepe_loss, sound, level * sound)
    gradients.finite(crepe_loss, level * sound, level * sound)


def test_frames_of_a_sound_are_centred_and_normalised(crepe_loss):
    model = crepe_loss.pretrained_model
    audio = 3.0 + _sound(2, 2500)
    frames = model.frame_audio(audio)
    assert frames.shape == (2, 1 + 2500 // 1024, 1024)
    np.testing.assert_allclose(np.mean(frames, -1), 0.0, atol=1e-4)
    np.testing.assert_allclose(np.std(frames, -1), 1.0, atol=1e-3)
    middle = audio[0, 512:1536]
    np.testing.assert_allclose(frames[0, 1], (middle - middle.mean()) / middle.std(), atol=1e-3)
    assert model.frame_audio(audio, hop_length=100, center=False).shape == (2, 15, 1024)


def test_an_unknown_layer_or_size_is_named_with_what_there_is():
    from dlwa.ddsp import losses

    with pytest.raises(ValueError, match=r"activation_layer='conv7' must be one of \['conv1-BN'"):
        losses.PretrainedCREPE(activation_layer="conv7")
    with pytest.raises(ValueError, match="activation_layer='conv7' must be one of"):
        losses.PretrainedCREPEEmbeddingLoss(activation_layer="conv7")
    with pytest.raises(ValueError, match="huge"):
        losses.PretrainedCREPE(model_capacity="huge")


@pytest.mark.parametrize(
    ("target", "audio", "message"),
    [
        (np.ones((2, 1500)), np.ones((1, 1500)), r"must be the same"),
        (np.ones((1, 1500)), np.ones((1, 900)), r"must be the same"),
        (np.ones(1500), np.ones(1500), r"audio\.shape=\(1500,\) must be \[batch, n_s"),
        (np.ones((1, 0)), np.ones((1, 0)), r"target_audio\.shape=\(1, 0\) must have something"),
    ],
)
def test_a_wrong_sound_is_named_with_its_shape(crepe_loss, target, audio, message):
    with pytest.raises(ValueError, match=message):
        crepe_loss(target.astype("f"), audio.astype("f"))
