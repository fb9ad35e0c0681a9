"""Encoders, among them those the reference cannot run."""

import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp import spectral_ops
from dlwa.ddsp.training import encoders, nn

pytestmark = pytest.mark.ddsp


@pytest.fixture
def features():
    rng = np.random.default_rng(440)
    make = lambda *shape: tf.constant(rng.normal(size=shape), tf.float32)  # noqa: E731
    return {
        "audio": make(2, 8000),
        "f0_scaled": make(2, 25, 1),
        "ld_scaled": make(2, 25, 1),
        "instrument": tf.constant([1, 2]),
    }


@pytest.mark.parametrize(
    ("make", "channels"),
    [
        (lambda: encoders.MfccTimeDistributedRnnEncoder(4, z_dims=3, z_time_steps=63), 3),
        (lambda: encoders.MfccTimeDistributedRnnEncoder(4, z_dims=3, z_time_steps=500), 3),
        (lambda: encoders.MfccRnnEncoder(4, z_dims=3, mean_aggregate=True), 3),
        # The next three fail, or give another rank, in the reference.
        (lambda: encoders.MfccRnnEncoder(4, z_dims=3, mean_aggregate=False), 3),
        (lambda: encoders.MfccEncoder((1024, 512), (64, 64), (10, 12), time_steps=20), 22),
        (
            lambda: encoders.ExpressionEncoder(
                nn.FcStack(4, 1), 3, ("audio", "ld_scaled"), pool_time=False
            ),
            3,
        ),
        (lambda: encoders.ExpressionEncoder(nn.FcStack(4, 1), 3), 3),
        (lambda: encoders.AggregateFeaturesEncoder(5), 5),
        (lambda: encoders.OneHotEncoder(vocab_size=4, n_dims=6, skip_expand=False), 6),
    ],
)
def test_z_has_a_frame_for_each_frame_of_the_features(make, channels, features):
    encoder = make()
    z = encoder(features)["z"]
    assert z.shape == (2, 25, channels)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder(features)["z"] ** 2)
    for slope in tape.gradient(loss, [v.value for v in encoder.trainable_variables]):
        slope = tf.convert_to_tensor(slope)
        assert np.all(np.isfinite(slope)) and np.any(slope.numpy() != 0)


def test_one_code_for_the_whole_sound_does_not_change_over_time(features):
    z = encoders.ExpressionEncoder(nn.FcStack(4, 1), 3)(features)["z"].numpy()
    np.testing.assert_allclose(z, z[:, :1] * np.ones([1, 25, 1]), atol=1e-6)


def test_ids_keep_their_own_time_axis_if_asked(features):
    features["instrument"] = tf.constant([[1, 1, 2], [0, 0, 0]])
    z = encoders.OneHotEncoder(vocab_size=4, n_dims=6)(features)["z"]
    assert z.shape == (2, 3, 6)
    np.testing.assert_array_equal(z[0, 0], z[0, 1])
    assert not np.allclose(z[0, 1], z[0, 2])


def test_a_missing_feature_is_named(features):
    del features["audio"]
    with pytest.raises(TypeError, match=r"missing keys: \['audio'\]"):
        encoders.MfccRnnEncoder(4)(features)


def test_other_frame_numbers_are_refused():
    with pytest.raises(ValueError, match=r"z_time_steps=100 must be one of \[63, 125, 250"):
        encoders.MfccTimeDistributedRnnEncoder(z_time_steps=100)


def test_resnet_gives_its_outputs_for_each_frame(features):
    encoder = encoders.ResnetSinusoidalEncoder(
        (("frequencies", 12), ("amplitudes", 3)),
        spectral_fn=lambda x: spectral_ops.compute_logmel(x, bins=32),
    )
    out = encoder(features)
    assert out["frequencies"].shape == (2, 16, 12)
    assert out["amplitudes"].shape == (2, 16, 3)


def test_harmonics_above_nyquist_are_silent():
    rng = np.random.default_rng(1)
    encoder = encoders.SinusoidalToHarmonicEncoder(
        nn.FcStack(4, 1), n_harmonics=60, freq_scale_fn=lambda f0: tf.fill([1, 5, 1], 400.0)
    )
    sinusoids = {
        "sin_freqs": tf.constant(rng.uniform(50, 4000, (1, 5, 6)), tf.float32),
        "sin_amps": tf.constant(rng.uniform(0, 1, (1, 5, 6)), tf.float32),
    }
    dist = encoder(sinusoids)["harm_dist"].numpy()
    assert np.all(dist[..., 19:] == 0) and np.all(dist[..., :19] > 0)
    np.testing.assert_allclose(dist.sum(axis=-1), 1.0, atol=1e-5)
