"""Adding, mixing and cropping; what was corrected against the reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ddsp import gradients, oracles

pytestmark = pytest.mark.ddsp


def _sound(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("out", "one", "two"), [(-200.0, 0.0, 1.0), (200.0, 1.0, 0.0), (0.0, 0.5**0.5, 0.5**0.5)]
)
@pytest.mark.parametrize("channel", [(), (1,)])
def test_a_crossfade_has_constant_power_and_silent_ends(out, one, two, channel):
    from dlwa.ddsp import processors

    signals = _sound(2, 2, 100, *channel)
    level = np.full((2, 10, 1), out, np.float32)
    mixed = processors.Mix()(signals[0], signals[1], level)
    np.testing.assert_allclose(mixed, one * signals[0] + two * signals[1], atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.floats(-20.0, 20.0, width=32))
def test_the_power_of_a_crossfade_is_the_same_at_every_level(out):
    from dlwa.ddsp import processors

    one, none = np.ones((1, 8), np.float32), np.zeros((1, 8), np.float32)
    level = np.full((1, 2, 1), out, np.float32)
    mix = processors.Mix()
    power = mix(one, none, level) ** 2 + mix(none, one, level) ** 2
    np.testing.assert_allclose(power, 1.0, atol=1e-5)


@pytest.mark.parametrize(("n", "frames"), [(12, 4), (11, 3), (5, 1)])
def test_mix(n, frames):
    from dlwa.ddsp import processors

    def oracle(signal_one, signal_two, nn_out_mix_level):
        level = oracles.resample(oracles.sigmoid(nn_out_mix_level), n)[..., 0]
        return np.sqrt(level) * signal_one + np.sqrt(1 - level) * signal_two

    inputs = {
        "signal_one": _sound(2, n),
        "signal_two": _sound(2, n, seed=1),
        "nn_out_mix_level": _sound(2, frames, 1, seed=2),
    }
    gradients.agrees(processors.Mix(), oracle, inputs)


def test_add_and_crop():
    from dlwa.ddsp import processors

    inputs = {"signal_one": _sound(2, 5), "signal_two": _sound(2, 5, seed=1)}
    gradients.agrees(
        processors.Add(), lambda signal_one, signal_two: signal_one + signal_two, inputs
    )
    assert processors.Add()(_sound(2, 5), _sound(1, 5)).shape == (2, 5)
    kept = {"front": slice(4, None), "center": slice(2, -2), "back": slice(None, -4)}
    for place, part in kept.items():
        crop = processors.Crop(5, place)  # an odd frame loses a sample less
        gradients.agrees(crop, lambda audio, part=part: audio[:, part], {"audio": _sound(2, 9)})
    assert processors.Crop(1)(_sound(2, 9)).shape == (2, 9)


@pytest.mark.parametrize("out", [-1e4, -200.0, 0.0, 200.0, 1e4])
def test_gradients_are_finite_at_every_edge(out):
    from dlwa.ddsp import processors

    for sound in (np.zeros((1, 8)), np.ones((1, 8))):
        gradients.finite(processors.Mix(), sound, sound, np.full((1, 2, 1), out))


def test_half_precision_becomes_float32():
    import tensorflow as tf

    from dlwa.ddsp import processors

    half = tf.ones([1, 8], tf.bfloat16)
    assert processors.Add()(half, tf.ones([1, 8])).dtype == tf.float32
    assert processors.Mix()(half, half, tf.ones([1, 2, 1], tf.bfloat16)).dtype == tf.float32
    assert processors.Crop(2)(half).dtype == tf.float32


SOUND, LEVEL = np.zeros((2, 8), np.float32), np.zeros((2, 4, 1), np.float32)


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("Add", (SOUND, SOUND[:, :7]), r"signal_two\.shape=\(2, 7\) must agree in axis 1, n_samp"),
        ("Add", (SOUND, SOUND[..., None]), r"signal_two\.shape=\(2, 8, 1\) must be the same"),
        ("Add", (SOUND, np.zeros((3, 8), "f")), r"must agree in axis 0, batch"),
        ("Mix", (SOUND, SOUND[:, :7], LEVEL), r"\(2, 7\) must have the same length and axes"),
        ("Mix", (SOUND, SOUND[..., None], LEVEL), r"\(2, 8, 1\) must have the same length and"),
        ("Mix", (SOUND, SOUND, LEVEL[..., 0]), r"nn_out_mix_level\.shape=\(2, 4\) must be \[batch"),
        ("Mix", (SOUND, SOUND, np.zeros((3, 4, 1), "f")), r"must agree in axis 0, batch"),
        ("Crop", (SOUND,), r"audio\.shape=\(2, 8\) must have at least the 8 samples"),
        ("Crop", (SOUND[0],), r"audio\.shape=\(8,\) must be \[batch, n_samples\]"),
    ],
)
def test_a_wrong_input_is_named_with_its_shape(name, inputs, message):
    import tensorflow as tf

    from dlwa.ddsp import processors

    processor = processors.Crop(8) if name == "Crop" else getattr(processors, name)()
    with pytest.raises(ValueError, match=message):
        processor(*inputs)
    specs = [tf.TensorSpec(x.shape) for x in inputs]
    with pytest.raises(ValueError, match=message):
        tf.function(lambda *x: processor(*x)).get_concrete_function(*specs)


def test_wrong_settings():
    from dlwa.ddsp import processors

    with pytest.raises(ValueError, match="crop_location='top' must be 'front', 'center' or 'back'"):
        processors.Crop(64, "top")
    with pytest.raises(ValueError, match="frame_size=0 must be a whole number of at least 1"):
        processors.Crop(0)


def test_a_processor_says_what_it_lacks():
    from dlwa.ddsp import processors

    class Nothing(processors.Processor):
        pass

    class Twice(processors.Processor):
        def get_controls(self, audio):
            return {"audio": audio}

        def get_signal(self, audio):
            return 2.0 * audio

    with pytest.raises(NotImplementedError, match=r"Nothing must define get_controls\(\)"):
        Nothing(name="nothing")(1.0)
    assert Twice(name="twice")(3.0, training=True, mask=None) == 6.0
    assert Twice(name="twice")(3.0, return_outputs_dict=True) == {
        "signal": 6.0,
        "controls": {"audio": 3.0},
    }
