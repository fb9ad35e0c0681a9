"""Notes, quantiles and statistics, and the two files the statistics are kept in."""

import json
import os
import pickle
import pickletools
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from dlwa.ddsp import core
from dlwa.ddsp.colab import colab_utils
from dlwa.ddsp.training import postprocessing as post
from tests.ddsp.tones import GOLDEN, steady

pytestmark = pytest.mark.ddsp


def provider(*batches):
    return SimpleNamespace(get_batch=lambda batch_size, repeats=1: iter(batches))


def batch(n_frames=1000, audio=None, f0_hz=440.0, loudness_db=-30.0, confidence=0.95):
    audio = np.tile(steady(440, 1.0), 4) if audio is None else audio
    rows = {"f0_hz": f0_hz, "loudness_db": loudness_db, "f0_confidence": confidence}
    return {
        "audio": audio[None],
        **{k: np.full([1, n_frames], v, np.float32) for k, v in rows.items()},
    }


def test_smoothing_is_a_mean_over_neighbours():
    x = np.random.default_rng(0).standard_normal(50).astype(np.float32)
    by_hand = [np.mean(np.pad(x, 2)[i : i + 5]) for i in range(50)]
    np.testing.assert_allclose(post.smooth(x, 5), by_hand, atol=1e-6)
    np.testing.assert_allclose(post.smooth(np.stack([x, x]), 5), [by_hand, by_hand], atol=1e-6)


def test_an_even_filter_looks_one_sample_ahead():
    impulse = np.zeros(9, np.float32)
    impulse[4] = 4
    np.testing.assert_array_equal(post.smooth(impulse, 4), [0, 0, 1, 1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize("loudness_db", [-80.0, -200.0])
def test_silence_has_no_notes_and_no_nan(loudness_db):
    mask, evidence = post.detect_notes(np.full(300, loudness_db), np.full(300, 0.9))
    assert not mask.any()
    assert np.isfinite(evidence).all()


def test_notes_are_found_where_it_is_loud_and_clear():
    loudness = np.where(np.arange(600) < 300, -70.0, -20.0)
    confidence = np.where(np.arange(600) < 300, 0.1, 0.95)
    mask, _ = post.detect_notes(loudness, confidence)
    assert not mask[:250].any()
    assert mask[330:560].all()


def test_quantiles_there_and_back():
    x = np.random.default_rng(0).standard_normal([500, 2])
    for distribution in ("uniform", "normal"):
        transformer = post.QuantileTransformer(200, distribution).fit(x)
        again = transformer.inverse_transform(transformer.transform(x))
        np.testing.assert_allclose(again, x, atol=0.15)
        assert np.abs(again - x).mean() < 0.02


def test_a_subsample_with_a_seed_is_the_same_each_time():
    x = np.random.default_rng(0).standard_normal([5000, 1])
    fits = [post.QuantileTransformer(100, subsample=500, random_state=7).fit(x) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].quantiles_, fits[1].quantiles_)


def test_a_recording_of_many_minutes_gets_the_same_loudness_each_time():
    loudness = np.random.default_rng(3).normal(-40, 5, 120_000)
    notes = np.ones(120_000, bool)
    first, again = (post.fit_quantile_transform(loudness, notes).quantiles_ for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_impossible_transforms_are_refused():
    with pytest.raises(ValueError, match=r"\[samples, features\], got \[3\]"):
        post.QuantileTransformer().fit([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="no samples"):
        post.QuantileTransformer().fit(np.zeros([0, 1]))
    with pytest.raises(ValueError, match="call fit first"):
        post.QuantileTransformer().transform(np.zeros([3, 1]))
    with pytest.raises(ValueError, match="output_distribution='round'"):
        post.QuantileTransformer(output_distribution="round").fit(np.zeros([3, 1]))
    with pytest.raises(ValueError, match="must have the shape of loudness_db"):
        post.fit_quantile_transform(np.zeros(5), np.ones(4, bool))


def test_without_notes_loudness_stays_as_it_is():
    loudness = np.linspace(-60, -20, 50).astype(np.float32)
    target = post.fit_quantile_transform(loudness + 10, np.ones(50, bool))
    transform, mapped = post.fit_quantile_transform(loudness, np.zeros(50, bool), target)
    np.testing.assert_array_equal(mapped[:, 0], loudness)
    assert np.isfinite(transform.quantiles_).all()


def test_adjustment_chain_of_timbre_transfer_gives_the_recorded_numbers():
    golden = np.load(GOLDEN / "timbre_transfer_adjust.npz")
    params = json.loads(str(golden["params"]))
    loudness, confidence = golden["in_loudness_db"], golden["in_f0_confidence"]
    mask, evidence = post.detect_notes(loudness, confidence, params["threshold"])
    np.testing.assert_array_equal(mask, golden["out_mask_on"])
    np.testing.assert_allclose(evidence, golden["out_note_on_value"], rtol=1e-5)

    target = post.fit_quantile_transform(golden["in_target_loudness"], golden["in_target_mask"])
    _, mapped = post.fit_quantile_transform(loudness, mask, inv_quantile=target)
    np.testing.assert_allclose(mapped, golden["out_loudness_quantile"], rtol=1e-5)

    f0_midi = np.asarray(core.hz_to_midi(golden["out_f0_after_octaves"]))
    factor = colab_utils.get_tuning_factor(f0_midi, confidence, mask)
    assert factor == pytest.approx(params["tuning_factor"])
    tuned = colab_utils.auto_tune(f0_midi, factor, mask, params["autotune"])
    tuned_hz = np.asarray(core.midi_to_hz(tuned))
    np.testing.assert_allclose(tuned_hz, golden["out_f0_after_autotune"], rtol=1e-5)


def test_tuning_without_notes_changes_nothing_and_does_not_fail():
    f0_midi, nothing = np.full(20, 60.3), np.zeros(20, bool)
    assert colab_utils.get_tuning_factor(f0_midi, np.ones(20), nothing) == 0.0
    assert np.isfinite(colab_utils.auto_tune(f0_midi, 0.0, nothing, 1.0)).all()


@pytest.mark.parametrize(("n_frames", "rate"), [(1000, 50), (1001, 50), (1000, 250), (200, 250)])
def test_statistics_work_whatever_the_frame_rates(n_frames, rate):
    """The reference fails here: 250 Hz features with its default power rate of 50 Hz."""
    stats = post.compute_dataset_statistics(provider(batch(n_frames)), power_frame_rate=rate)
    assert len(stats) == 37
    assert stats["mean_pitch"] == pytest.approx(69, abs=1e-3)
    assert stats["mean_loudness"] == pytest.approx(-30)
    assert stats["mean_power"] == pytest.approx(stats["max_power"], abs=1.5)


def test_statistics_of_notes_leave_out_the_silence_between():
    half = batch()
    half["loudness_db"][0, 500:] = -80
    half["f0_confidence"][0, 500:] = 0.05
    half["f0_hz"][0, 500:] = 32.0
    stats = post.compute_dataset_statistics(provider(half, batch()))
    assert stats["mean_pitch"] < 60
    assert stats["mean_pitch_note"] > 68
    assert stats["min_loudness_note"] > -80


def test_statistics_of_a_set_without_notes_are_finite():
    stats = post.compute_dataset_statistics(provider(batch(loudness_db=-80, confidence=0.0)))
    assert all(np.isfinite(v) for k, v in stats.items() if k != "quantile_transform")
    with pytest.raises(ValueError, match="no examples"):
        post.compute_dataset_statistics(provider())


def test_the_reference_pickle_is_read():
    stats = post.read_pickle(GOLDEN / "checkpoint_small" / "dataset_statistics.pkl")
    assert len(stats) == 37
    assert stats["mean_pitch"] == pytest.approx(65.269066)
    ranks = stats["quantile_transform"].transform(np.array([[-30.0], [-90.0]]))
    assert 0 < ranks[0, 0] < 1
    assert ranks[1, 0] == 0


def test_json_and_pickle_give_back_what_was_saved(tmp_path):
    stats = post.compute_dataset_statistics(provider(batch()))
    post.save_statistics(tmp_path, stats)
    from_json = post.load_statistics(tmp_path)
    (tmp_path / post.STATISTICS_JSON).unlink()
    from_pickle = post.load_statistics(tmp_path)
    for loaded in (from_json, from_pickle):
        assert set(loaded) == set(stats)
        assert all(loaded[k] == v for k, v in stats.items() if k != "quantile_transform")
        np.testing.assert_array_equal(
            loaded["quantile_transform"].quantiles_, stats["quantile_transform"].quantiles_
        )
    (tmp_path / post.STATISTICS_PICKLE).unlink()
    assert post.load_statistics(tmp_path) is None


def test_our_pickle_names_only_what_the_reference_can_import(tmp_path):
    post.write_pickle(tmp_path / "s.pkl", post.compute_dataset_statistics(provider(batch())))
    strings = {
        arg
        for op, arg, _ in pickletools.genops((tmp_path / "s.pkl").read_bytes())
        if op.name == "SHORT_BINUNICODE"
    }
    assert "ddsp.training.postprocessing" in strings
    assert "numpy.core.multiarray" in strings
    assert not any(s.startswith(("dlwa", "numpy._core")) for s in strings)
    assert (tmp_path / "s.pkl").read_bytes()[:2] == b"\x80\x04"


def test_our_pickle_opens_where_only_the_reference_is(tmp_path):
    """Plain pickle, in a process that has NumPy and a class of that name, and nothing of ours."""
    stats = post.compute_dataset_statistics(provider(batch()))
    post.write_pickle(tmp_path / "s.pkl", stats)
    module = tmp_path / "ddsp" / "training"
    module.mkdir(parents=True)
    for folder in (module.parent, module):
        (folder / "__init__.py").touch()
    (module / "postprocessing.py").write_text("class QuantileTransformer: pass\n")
    code = "import json, pickle, sys, warnings\nwarnings.simplefilter('ignore')\n"
    code += "stats = pickle.load(open('s.pkl', 'rb'))\n"
    code += "made = vars(stats.pop('quantile_transform'))\n"
    code += "kinds = {type(value).__name__ for value in stats.values()}\n"
    code += "assert not [name for name in sys.modules if name.startswith('dlwa')]\n"
    code += "print(json.dumps([len(stats), sorted(kinds), float(stats['mean_pitch']), sorted(made),"
    code += " list(made['quantiles_'].shape), made['output_distribution']]))"
    argv = [sys.executable, "-P", "-c", "import sys; sys.path.insert(0, '.')\n" + code]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    count, kinds, pitch, made, shape, output = json.loads(done.stdout or done.stderr)
    assert (count, kinds, output) == (36, ["float32"], "uniform")
    assert pitch == pytest.approx(float(stats["mean_pitch"]))
    assert shape == list(stats["quantile_transform"].quantiles_.shape)
    theirs = ["n_quantiles", "n_quantiles_", "output_distribution", "quantiles_", "random_state"]
    assert made == [*theirs, "references_", "subsample"]


class Intruder:
    def __reduce__(self):
        return os.system, ("touch intruded",)


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Intruder()),
        pickle.dumps({"quantile_transform": Intruder()}),
        pickle.dumps({"quantile_transform": eval}),
        pickle.dumps({"mean_pitch": 3.0}),
        pickle.dumps([1, 2]),
        b"no pickle at all",
        b"",
    ],
)
def test_foreign_pickles_are_refused_without_running(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.pkl").write_bytes(content)
    with pytest.raises(ValueError, match="no dataset statistics file"):
        post.read_pickle(tmp_path / "s.pkl")
    assert not (tmp_path / "intruded").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 9, "quantile_transform": {}}'])
def test_damaged_json_is_refused(tmp_path, text):
    (tmp_path / post.STATISTICS_JSON).write_text(text)
    with pytest.raises(ValueError, match=r"dataset_statistics\.json is damaged"):
        post.load_statistics(tmp_path)


def test_notebook_statistics_are_saved_where_asked(tmp_path):
    path = tmp_path / "dataset_statistics.pkl"
    stats = colab_utils.save_dataset_statistics(provider(batch()), str(path), batch_size=1)
    assert post.read_pickle(path)["mean_pitch"] == stats["mean_pitch"]


def test_notebook_audio_is_decoded_and_normalised(tmp_path):
    from dlwa.ddsp.audio_io import write_audio

    write_audio(tmp_path / "a.wav", 0.1 * steady(440, 0.5), 16000)
    audio = colab_utils.audio_bytes_to_np((tmp_path / "a.wav").read_bytes())
    assert audio.shape == (8000,)
    assert np.abs(audio).max() == pytest.approx(10 ** (-0.1 / 20), rel=1e-5)
