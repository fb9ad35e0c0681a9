"""Effects against convolution and delays written out: sound, gradients, edges, wrong arguments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ddsp import gradients, oracles, oracles_sounds

pytestmark = pytest.mark.ddsp
RANDOM = np.random.default_rng


def _sound(*shape, seed=0):
    return RANDOM(seed).normal(size=shape)


@pytest.mark.parametrize("add_dry", [True, False])
@pytest.mark.parametrize(
    ("batch", "n", "length"), [(1, 12, 5), (3, 9, 9), (2, 8, 20), (1, 10, 1), (2, 7, 2)]
)
def test_reverb_is_convolution_without_the_first_sample(add_dry, batch, n, length):
    from dlwa.ddsp import effects

    gradients.agrees(
        effects.Reverb(add_dry=add_dry),
        lambda audio, ir: oracles_sounds.in_a_room(audio, ir, add_dry),
        {"audio": _sound(batch, n), "ir": _sound(batch, length, seed=1)},
    )


@pytest.mark.parametrize("rank", [1, 3])
def test_a_response_may_have_no_batch_or_a_channel(rank):
    from dlwa.ddsp import effects

    audio, ir = _sound(1, 12).astype("f"), _sound(1, 5).astype("f")
    expected = oracles_sounds.in_a_room(audio, ir)
    shaped = ir[0] if rank == 1 else ir[..., np.newaxis]
    np.testing.assert_allclose(effects.Reverb()(audio, shaped), expected, atol=1e-5)


def test_one_response_serves_all_sounds():
    from dlwa.ddsp import effects

    audio, ir = _sound(3, 12).astype("f"), _sound(1, 5).astype("f")
    expected = oracles_sounds.in_a_room(audio, np.repeat(ir, 3, axis=0))
    np.testing.assert_allclose(effects.Reverb()(audio, ir), expected, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 200), st.integers(1, 300), st.integers(0, 1000))
def test_a_room_is_linear_and_never_answers_before_the_sound(n, length, seed):
    from dlwa.ddsp import effects

    audio, ir = _sound(1, n, seed=seed).astype("f"), _sound(1, length, seed=seed + 1).astype("f")
    wet = effects.Reverb(add_dry=False)
    twice = wet(2.0 * audio, ir)
    np.testing.assert_allclose(twice, 2.0 * wet(audio, ir), atol=1e-3)
    audio[:, : n // 2] = 0.0
    np.testing.assert_allclose(wet(audio, ir)[:, : n // 2], 0.0, atol=1e-4)
    assert not wet(0.0 * audio, ir).numpy().any()


def test_a_learned_room_starts_almost_silent_and_is_one_for_all():
    from dlwa.ddsp import effects

    reverb = effects.Reverb(trainable=True, reverb_length=40)
    audio = _sound(3, 60).astype("f")
    np.testing.assert_allclose(reverb(audio), audio, atol=1e-3)
    (ir,) = reverb.trainable_weights
    assert ir.shape == (40,)
    assert ir.name == "ir"
    ir.assign(_sound(40, seed=2))
    expected = oracles_sounds.in_a_room(audio, np.repeat(ir.numpy()[None], 3, axis=0))
    np.testing.assert_allclose(reverb(audio), expected, atol=1e-4)


def _noise(shape):
    """What the n-th draw below core.noise_seed(5) is, n being 1."""
    from dlwa.ddsp import core

    with core.noise_seed(5):
        return core.uniform_noise(shape).numpy().astype(float)


def _seeded(effect):
    from dlwa.ddsp import core

    def play(**inputs):
        with core.noise_seed(5):
            return effect(**inputs)

    return play


@pytest.mark.parametrize(("batch", "add_dry"), [(1, True), (3, False)])
def test_exponentially_decaying_room(batch, add_dry):
    from dlwa.ddsp import effects

    noise = _noise([1, 30])

    def oracle(audio, gain, decay):
        envelope = np.exp(-(2.0 + np.exp(decay)) * np.linspace(0.0, 1.0, 30))
        return oracles_sounds.in_a_room(
            audio, oracles.exp_sigmoid(gain) * envelope * noise, add_dry
        )

    effect = effects.ExpDecayReverb(reverb_length=30, add_dry=add_dry)
    inputs = {"audio": _sound(batch, 20), "gain": _sound(batch, 1), "decay": _sound(batch, 1)}
    gradients.agrees(_seeded(effect), oracle, inputs)


def test_room_of_filtered_noise():
    from dlwa.ddsp import effects

    noise = _noise([2, 32])

    def oracle(audio, magnitudes):
        ir = oracles_sounds.filtered(noise, oracles.exp_sigmoid(magnitudes - 3.0), 5)
        return oracles_sounds.in_a_room(audio, ir)

    effect = effects.FilteredNoiseReverb(reverb_length=32, window_size=5)
    inputs = {"audio": _sound(2, 20), "magnitudes": _sound(2, 4, 5) + 2.0}
    gradients.agrees(_seeded(effect), oracle, inputs)


@pytest.mark.parametrize(
    ("name", "settings", "weights"),
    [
        ("ExpDecayReverb", {}, {"gain": (1,), "decay": (1,)}),
        ("FilteredNoiseReverb", {"n_frames": 8, "n_filter_banks": 5}, {"magnitudes": (8, 5)}),
    ],
)
def test_learned_rooms_of_noise(name, settings, weights):
    from dlwa.ddsp import core, effects

    audio = _sound(2, 50).astype("f")
    effect = getattr(effects, name)(trainable=True, reverb_length=32, **settings)
    with core.noise_seed(1):
        learned = effect(audio)
    assert {w.name: tuple(w.shape) for w in effect.trainable_weights} == weights
    given_ = getattr(effects, name)(reverb_length=32)
    rows = [np.repeat(np.asarray(w)[None], 1, axis=0) for w in effect.trainable_weights]
    with core.noise_seed(1):
        one = given_(audio[:1], *rows)
    np.testing.assert_allclose(learned[:1], one, atol=1e-5)


@pytest.mark.parametrize(
    ("batch", "frames", "bands", "n", "window_size"),
    [(1, 1, 5, 20, 0), (3, 4, 9, 32, 257), (1, 3, 4, 25, 5), (1, 4, 9, 32, 6)],
)
def test_fir_filter(batch, frames, bands, n, window_size):
    from dlwa.ddsp import effects

    gradients.agrees(
        effects.FIRFilter(window_size),
        lambda audio, magnitudes: oracles_sounds.filtered(
            audio, oracles.exp_sigmoid(magnitudes), window_size
        ),
        {"audio": _sound(batch, n), "magnitudes": _sound(batch, frames, bands, seed=1)},
    )


@pytest.mark.parametrize("add_dry", [True, False])
@pytest.mark.parametrize(("center", "depth", "rate"), [(15.0, 10.0, 1000), (2.0, 0.0, 4000)])
def test_mod_delay(add_dry, center, depth, rate):
    from dlwa.ddsp import effects

    length = int(rate / 1000 * (center + depth))

    def oracle(audio, gain, phase):
        share = oracles.sigmoid(phase) * depth / (center + depth) + center / (center + depth)
        wet = oracles_sounds.delayed(share[..., 0], audio, length)
        return wet * oracles.exp_sigmoid(gain)[..., 0] + (audio if add_dry else 0.0)

    inputs = {"audio": _sound(2, 12), "gain": _sound(2, 12, 1), "phase": _sound(2, 12, 1, seed=3)}
    # Where the delay stands on a sample of the table there is no slope by phase, only two halves.
    wrt = list(inputs) if depth else ["audio", "gain"]
    effect = effects.ModDelay(center, depth, rate, add_dry=add_dry)
    gradients.agrees(effect, oracle, inputs, wrt=wrt)


def test_gradients_are_finite_at_every_edge():
    from dlwa.ddsp import effects

    silence = np.zeros((1, 40))
    for extreme in (-1e4, 0.0, 1e4):
        one, many = np.full((1, 1), extreme), np.full((1, 40, 1), extreme)
        for audio in (silence, silence + 1e3):
            gradients.finite(effects.Reverb(), audio, np.full((1, 9), extreme))
            gradients.finite(effects.FIRFilter(), audio, np.full((1, 4, 5), extreme))
            gradients.finite(effects.ModDelay(sample_rate=1000), audio, many, many)
            if extreme < 1e4:  # exp(1e4) is beyond float32
                gradients.finite(effects.ExpDecayReverb(reverb_length=30), audio, one, one)
            room = effects.FilteredNoiseReverb(reverb_length=32)
            gradients.finite(room, audio, np.full((1, 4, 5), extreme))


def test_a_decay_beyond_all_numbers_is_silence():
    from dlwa.ddsp import effects

    audio = np.ones((1, 20), np.float32)
    room = effects.ExpDecayReverb(reverb_length=30)
    np.testing.assert_allclose(room(audio, [[0.0]], [[1e4]]), audio)
    gradients.finite(room, audio, [[0.0]], [[1e4]])


SOUND, FRAMES, MANY = np.zeros((2, 40)), np.zeros((2, 4, 5)), np.zeros((2, 40, 1))
BAD = {
    "no ir": ("Reverb", [SOUND], r"ir=None must be an impulse response unless"),
    "rank": ("Reverb", [MANY, SOUND], r"audio\.shape=\(2, 40, 1\) must be \[batch, n_samples\]"),
    "empty": ("Reverb", [SOUND[:, :0], SOUND], r"audio\.shape=\(2, 0\) must be .* something in"),
    "empty ir": ("Reverb", [SOUND, SOUND[:, :0]], r"ir\.shape=\(2, 0\) must be"),
    "ir batch": ("Reverb", [SOUND, np.zeros((3, 9))], r"ir\.shape=\(3, 9\) must agree in axis 0"),
    "ir rank": ("Reverb", [SOUND, np.zeros((2, 9, 1, 1))], r"ir\.shape=\(2, 9, 1, 1\) must be"),
    "no gain": ("ExpDecayReverb", [SOUND], r"gain=None and decay=None must be given unless"),
    "no decay": ("ExpDecayReverb", [SOUND, np.zeros((2, 1))], r"decay=None must be given"),
    "gain": (
        "ExpDecayReverb",
        [SOUND, np.zeros((2, 3)), np.zeros((2, 1))],
        r"gain\.shape=\(2, 3\) must be \[batch, 1\]",
    ),
    "no mags": ("FilteredNoiseReverb", [SOUND], r"magnitudes=None must be given unless"),
    "mags": ("FilteredNoiseReverb", [SOUND, np.zeros((2, 5))], r"magnitudes\.shape=\(2, 5\) must"),
    "filter": ("FIRFilter", [MANY, FRAMES], r"audio\.shape=\(2, 40, 1\) must be \[batch, n_samp"),
    "frames": ("FIRFilter", [SOUND, np.zeros((2, 37, 5))], r"must have n_frames=20"),
    "batch": ("FIRFilter", [SOUND, np.zeros((3, 4, 5))], r"must agree in axis 0, batch"),
    "delay": ("ModDelay", [SOUND, MANY[:, :9], MANY], r"gain\.shape=\(2, 9, 1\) .* n_samples"),
    "phase": ("ModDelay", [SOUND, MANY, SOUND], r"phase\.shape=\(2, 40\) must be \[batch, n_s"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_input_is_named_with_its_shape(case):
    import tensorflow as tf

    from dlwa.ddsp import effects

    name, inputs, message = BAD[case]
    inputs = [x.astype(np.float32) for x in inputs]
    with pytest.raises(ValueError, match=message):
        getattr(effects, name)()(*inputs)
    specs = [tf.TensorSpec(x.shape) for x in inputs]
    with pytest.raises(ValueError, match=message):
        tf.function(getattr(effects, name)()).get_concrete_function(*specs)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("Reverb", {"reverb_length": 0}, "reverb_length=0 must be a whole number of at least 1"),
        ("ExpDecayReverb", {"reverb_length": 2.5}, "reverb_length=2.5 must be a whole number"),
        ("FilteredNoiseReverb", {"n_frames": 0}, "n_frames=0 must be a whole number"),
        ("FilteredNoiseReverb", {"n_filter_banks": 1}, "n_filter_banks=1 must be .* at least 2"),
        ("FilteredNoiseReverb", {"n_frames": 60, "reverb_length": 100}, "n_frames=60 must"),
        ("ModDelay", {"center_ms": 0.01, "depth_ms": 0.0}, "center_ms=0.01 and depth_ms=0.0 must"),
        ("ModDelay", {"sample_rate": 0}, "sample_rate=0 must be positive"),
        ("ModDelay", {"depth_ms": -1.0}, "depth_ms=-1.0 must be 0 or above"),
    ],
)
def test_a_wrong_setting_is_refused_when_the_effect_is_made(name, settings, message):
    from dlwa.ddsp import effects

    learned = {"trainable": True} if "Reverb" in name else {}
    with pytest.raises(ValueError, match=message):
        getattr(effects, name)(**learned, **settings)
