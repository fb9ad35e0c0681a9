"""The transcriber against every path of hidden notes, one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ddsp import gradients, oracles_losses

pytestmark = pytest.mark.ddsp


def _curves(n_frames, batch=1, seed=0):
    random = np.random.default_rng(seed)
    return {
        "pitch": random.uniform(0.0, 3.0, (batch, n_frames, 1)),
        "amps": random.uniform(0.0, 2.0, (batch, n_frames, 1)),
    }


def _paths(pitch, amps, avg_length=5):
    return oracles_losses.note_paths(pitch[:, 0], amps[:, 0], 3, avg_length)


@pytest.mark.parametrize(("n_frames", "batch"), [(1, 1), (4, 1), (3, 2)])
def test_likelihood_is_the_sum_over_all_paths(n_frames, batch):
    from dlwa.ddsp import losses

    loss = losses.HmmTranscriber(avg_length=5, n_pitches=3, weight=0.5)

    def each(pitch, amps):
        rows = zip(pitch, amps, strict=True)
        log_p = [np.logaddexp.reduce(list(_paths(*row).values())) for row in rows]
        return -0.5 * np.array(log_p) / n_frames

    curves = _curves(n_frames, batch)
    gradients.agrees(loss, lambda **x: np.mean(each(**x)), curves)
    per_example = loss.nll(**{k: x.astype("f") for k, x in curves.items()}, per_example_loss=True)
    np.testing.assert_allclose(per_example, each(**curves), rtol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(0, 10**6))
def test_the_notes_are_those_of_the_likeliest_path(n_frames, seed):
    from dlwa.ddsp import losses

    curves = _curves(n_frames, seed=seed)
    told = _paths(curves["pitch"][0], curves["amps"][0])
    loss = losses.HmmTranscriber(avg_length=5, n_pitches=3)
    notes = loss.predict_midi(**curves)
    assert notes.shape == (1, n_frames, 1)
    path = tuple(int(n) for n in notes[0, :, 0])
    assert told[path] == pytest.approx(max(told.values()), abs=1e-4)
    flat = loss.predict_midi(**curves, channel_dim=False, dtype="int32")
    assert flat.numpy().tolist() == [list(path)]


def test_held_notes_and_a_rest_are_heard_through_vibrato():
    from dlwa.ddsp import losses

    time = np.arange(300)
    pitch = np.where(time < 100, 60.0, 64.0) + 0.3 * np.sin(time / 3.0)
    amps = np.where((time >= 100) & (time < 150), 0.0, 1.4)
    expected = np.where(time < 100, 60, np.where(time < 150, 0, 64))
    notes = losses.HmmTranscriber().predict_midi(
        pitch[None, :, None].astype("f"), amps[None, :, None].astype("f")
    )
    assert np.mean(notes[0, :, 0] == expected) > 0.99


def test_a_note_is_passed_on_with_the_curve_s_gradient():
    import tensorflow as tf

    from dlwa.ddsp import losses

    curve, notes = tf.constant([[[60.3]]]), tf.constant([[[60.0]]])
    with tf.GradientTape() as tape:
        tape.watch(curve)
        value = 3.0 * losses.HmmTranscriber().straight_through(curve, notes)
    assert float(value[0, 0, 0]) == pytest.approx(180.0)
    assert float(tape.gradient(value, curve)[0, 0, 0]) == 3.0


def test_gradients_are_finite_at_every_edge():
    from dlwa.ddsp import losses

    loss = losses.HmmTranscriber(n_pitches=8)
    for pitch in (0.0, 127.0, -50.0, 1e4):
        for amp in (0.0, 1.5, 1e3):
            gradients.finite(loss, np.full((2, 6, 1), pitch), np.full((2, 6, 1), amp))


CURVE = np.ones((2, 4, 1))


@pytest.mark.parametrize(
    ("pitch", "amps", "message"),
    [
        (CURVE[..., 0], CURVE, r"pitch\.shape=\(2, 4\) must be \[batch, n_frames, 1\]"),
        (CURVE, CURVE[:, :3], r"amps\.shape=\(2, 3, 1\) must agree in axis 1, n_frames"),
        (np.ones((3, 4, 1)), CURVE, r"must agree in axis 0, batch"),
        (CURVE[:, :0], CURVE[:, :0], r"pitch\.shape=\(2, 0, 1\) must be .*something in it"),
    ],
)
def test_a_wrong_curve_is_named_with_its_shape(pitch, amps, message):
    from dlwa.ddsp import losses

    loss = losses.HmmTranscriber(n_pitches=4)
    for method in (loss, loss.nll, loss.predict_midi):
        with pytest.raises(ValueError, match=message):
            method(pitch.astype("f"), amps.astype("f"))


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"n_pitches": 1}, "n_pitches=1 must be a whole number of at least 2"),
        ({"avg_length": 1}, "avg_length=1 must be more than 1 frame"),
        ({"midi_std": 0.0}, "midi_std=0.0 must be positive"),
        ({"amps_off_scale": -1.0}, "amps_off_scale=-1.0 must be positive"),
    ],
)
def test_a_wrong_setting_is_refused_when_the_loss_is_made(settings_, message):
    from dlwa.ddsp import losses

    with pytest.raises(ValueError, match=message):
        losses.HmmTranscriber(**settings_)
