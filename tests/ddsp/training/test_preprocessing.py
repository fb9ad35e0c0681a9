"""Features as the networks see them."""

import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp.training import preprocessing

pytestmark = pytest.mark.ddsp


def test_scales_meet_their_limits():
    np.testing.assert_allclose(preprocessing.scale_db(np.array([-80.0, 0.0])), [0.0, 1.0])
    np.testing.assert_allclose(preprocessing.scale_f0_hz(tf.constant([440.0])), [69 / 127])
    f0_hz, db = preprocessing.F0LoudnessPreprocessor.invert_scaling(
        tf.constant([69 / 127]), tf.constant([0.25])
    )
    np.testing.assert_allclose(f0_hz, [440.0], rtol=1e-5)
    np.testing.assert_allclose(db, [-60.0])


@pytest.mark.parametrize("shape", [(50,), (1, 50), (1, 50, 1)])
def test_any_rank_becomes_three_axes(shape):
    pre = preprocessing.F0LoudnessPreprocessor(time_steps=100, compute_loudness=False)
    out = pre({"f0_hz": np.full(shape, 440.0), "loudness_db": np.full(shape, -40.0)})
    assert all(value.shape == (1, 100, 1) for value in out.values())
    assert all(value.dtype == tf.float32 for value in out.values())


def test_measured_loudness_ignores_the_given_one():
    audio = np.sin(np.arange(16000) * 0.3)[None].astype(np.float32)
    pre = preprocessing.F0LoudnessPreprocessor(time_steps=250)
    features = {"audio": audio, "f0_hz": np.full([1, 250], 440.0)}
    loud = pre({**features, "loudness_db": np.zeros([1, 250])})
    quiet = pre({**features, "loudness_db": np.full([1, 250], -80.0)})
    np.testing.assert_array_equal(loud["ld_scaled"], quiet["ld_scaled"])


def test_power_needs_a_source():
    with pytest.raises(ValueError, match="'power_db' or 'audio'"):
        preprocessing.F0PowerPreprocessor()({"f0_hz": np.ones([1, 10])})


def online(**kwargs):
    return preprocessing.OnlineF0PowerPreprocessor(
        frame_rate=50, crepe_saved_model_path=None, **{"compute_f0": False, **kwargs}
    )


def test_online_features_must_have_the_audios_frames():
    features = {"audio": np.zeros([1, 3200], np.float32)}
    right = {"f0_hz": np.ones([1, 11, 1]), "f0_confidence": np.ones([1, 11])}
    assert online()({**features, **right})["pw_scaled"].shape == (1, 11, 1)
    with pytest.raises(ValueError, match=r"f0_hz with shape \(1, 10, 1\) must have n_frames=11"):
        online()({**features, "f0_hz": np.ones([1, 10, 1]), "f0_confidence": np.ones([1, 10])})


def test_online_power_may_be_given():
    given = {
        "audio": np.zeros([1, 3200], np.float32),
        "f0_hz": np.ones([1, 11, 1]),
        "f0_confidence": np.ones([1, 11]),
    }
    out = online(compute_power=False)({**given, "pw_db": np.full([1, 11], -40.0)})
    np.testing.assert_allclose(out["pw_scaled"], np.full([1, 11, 1], 0.5))
    with pytest.raises(ValueError, match="compute_power=False needs 'pw_db'"):
        online(compute_power=False)(given)


def test_online_pitch_comes_from_crepe():
    audio = 0.5 * np.sin(2 * np.pi * 440 * np.arange(3200) / 16000)[None].astype(np.float32)
    pre = preprocessing.OnlineF0PowerPreprocessor(frame_rate=50, crepe_saved_model_path="tiny")
    out = pre({"audio": audio})
    assert out["f0_hz"].shape == out["pw_db"].shape == (1, 11, 1)
    middle = out["f0_hz"].numpy()[0, 3:8, 0]
    np.testing.assert_allclose(1200 * np.log2(middle / 440), 0.0, atol=20)


def test_online_pitch_without_a_network_says_so():
    with pytest.raises(ValueError, match="compute_f0=True needs a CREPE network"):
        online(compute_f0=True)({"audio": np.zeros([1, 3200], np.float32)})
