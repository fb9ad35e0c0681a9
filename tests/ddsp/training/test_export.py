"""Exports play what the model plays, or are not left behind; bundles are opened without trust."""

import json
import shutil
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp import timbre_transfer as tt
from dlwa.ddsp.training import bundles, ddsp_export, export
from dlwa.ddsp.training.export import _run, _tflite
from dlwa.ddsp.training.export._clip import Clip, choose_clip
from dlwa.ddsp.training.export._truth import play_truth
from tests.ddsp import golden
from tests.ddsp.training import reference_models as reference
from tests.ddsp.training.reference_models import Spec

pytestmark = pytest.mark.ddsp

SMALL = golden.FOLDER / "checkpoint_small"
N_FRAMES = 120


def clip_of(played, n_frames=N_FRAMES):
    """A gliding, swelling tone."""
    frames = np.arange(n_frames)
    glide = np.cumsum(np.random.default_rng(1).normal(0, 0.01, n_frames))
    f0_hz, level_db = 300 * 2**glide, -40 + 15 * np.sin(frames / 30)
    seconds = n_frames * played.hop_size / played.sample_rate
    return Clip(f0_hz.astype("f4"), level_db.astype("f4"), None, "a glide", seconds)


@pytest.fixture(scope="module")
def model():
    return tt.load_model(SMALL)


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    """A data set of two windows, the second one louder."""
    folder = tmp_path_factory.mktemp("data")
    with tf.io.TFRecordWriter(str(folder / "data.tfrecord-00000-of-00001")) as writer:
        for level_db, f0_hz in ((-60.0, 200.0), (-30.0, 330.0)):
            series = {
                "audio": np.zeros(8000),
                "f0_hz": np.full(125, f0_hz),
                "loudness_db": np.full(125, level_db),
            }
            features = {
                k: tf.train.Feature(float_list=tf.train.FloatList(value=v))
                for k, v in series.items()
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    return folder / "data.tfrecord*"


@pytest.fixture(scope="module")
def exported(model, windows, tmp_path_factory):
    """(folder, verdicts, lines told) of an export in all formats."""
    folder, lines = tmp_path_factory.mktemp("export") / "out", []
    extra = folder.parent / "licence.txt"
    extra.write_text("free")
    wishes = export.Wishes(
        export.FORMATS, name="violin", dataset_path=str(windows), metadata_file=extra
    )
    return folder, export.export(model, folder, wishes, lines.append), lines


def test_every_format_is_compared_and_told(exported, windows):
    folder, verdicts, lines = exported
    assert [verdict.format for verdict in verdicts] == list(export.FORMATS)
    for verdict in verdicts:
        assert verdict.max_error_controls < 1e-5
        assert verdict.x_realtime > 0
        assert (folder / verdict.path).exists()
        assert verdict.line() in lines and "x real time" in verdict.line()
        assert str(windows.parent) in verdict.compared_on
    papers = json.loads((folder / "metadata.json").read_text())
    assert (papers["num_harmonics"], papers["num_noise_amps"]) == (60, 65)
    assert papers["mean_max_pitch_note_hz"] > papers["mean_min_pitch_note_hz"] > 20
    assert [made["format"] for made in papers["exports"]] == list(export.FORMATS)


def test_the_loudest_window_of_the_data_set_is_compared(model, windows):
    clip = choose_clip(model, windows)
    assert len(clip) == 125 and clip.f0_hz[0] == 330.0


def test_without_a_data_set_it_is_the_shipped_flute(model, tmp_path):
    clip = choose_clip(model, tmp_path / "nothing" / "data.tfrecord*")
    assert clip.source == "flute_to_transfer.flac"
    assert len(clip) == 1000 and np.median(clip.f0_hz) > 200 and clip.loudness_db.max() > -50


def test_a_saved_model_plays_any_length_without_dlwa(exported, model):
    play = tf.saved_model.load(str(exported[0] / "savedmodel")).signatures["play"]
    for n_frames in (1, 37, N_FRAMES):
        clip = clip_of(model, n_frames)
        out = play(
            f0_hz=tf.constant(clip.f0_hz),
            loudness_db=tf.constant(clip.loudness_db),
            seed=tf.constant(7),
        )
        truth = play_truth(model, clip)
        peak = np.abs(truth.audio).max()
        assert out["audio"].shape == [n_frames * 64]
        np.testing.assert_allclose(out["audio"], truth.audio, atol=1e-3 * peak)
    other = play(
        f0_hz=tf.constant(clip.f0_hz),
        loudness_db=tf.constant(clip.loudness_db),
        seed=tf.constant(8),
    )
    assert np.abs(other["audio"] - out["audio"]).max() > 1e-4  # another noise


def test_the_tflite_step_streams_what_the_player_plays(exported, model):
    """The interpreter frame by frame, its delay taken off, against timbre transfer's Player."""
    path = exported[0] / "tflite" / "violin.tflite"
    told = json.loads((path.parent / "step.json").read_text())
    assert told["delay_samples"] == 64 and told["state_size"] == sum(told["state"].values())
    clip = clip_of(model)
    run = _tflite._interpreter(path).get_signature_runner()
    state, sounds = np.zeros(told["state_size"], "f4"), []
    for i in [*range(N_FRAMES), N_FRAMES - 1]:
        out = run(
            f0_hz=clip.f0_hz[i : i + 1],
            loudness_db=clip.loudness_db[i : i + 1],
            noise=np.zeros(64, "f4"),
            state=state,
        )
        state = out["state"]
        sounds.append(out["audio"])
    assert not np.any(sounds[0])  # nothing is heard before the first frame is known
    have = np.concatenate(sounds)[64:]
    player = tt.Player(model, noise_db=-300.0, reverb=0.0)
    want = np.concatenate(list(player.play(tt.Controls(clip.f0_hz, clip.loudness_db))))
    np.testing.assert_allclose(have, want, atol=5e-3 * np.abs(want).max())


def test_a_file_packed_into_the_tflite_is_found_again(exported):
    with zipfile.ZipFile(exported[0] / "tflite" / "violin.tflite") as archive:
        assert archive.read("licence.txt") == b"free"


def test_the_room_is_written_at_both_rates(exported, model):
    import soundfile

    response, rate = soundfile.read(exported[0] / "reverb_ir_16000_hz.wav", dtype="float32")
    weights = model.model.processor_group.reverb.get_weights()[0]
    assert rate == 16000 and response[0] == 0.0
    np.testing.assert_array_equal(response[1:], weights[1:])
    other, rate = soundfile.read(exported[0] / "reverb_ir_44100_hz.wav", dtype="float32")
    assert rate == 44100 and len(other) == 48000 * 44100 // 16000


@pytest.mark.parametrize("kind", ["LSTM", "window longer than a frame"])
def test_other_models_stream_too(kind, tmp_path):
    """An LSTM; a filter so long that the sound waits two frames."""
    spec = Spec(rnn_type="lstm") if kind == "LSTM" else Spec(hop=16, rate=4000)
    if kind != "LSTM":
        spec = Spec(**{**vars(spec), "splits": (*spec.splits[:2], ("noise_magnitudes", 33))})
    source = reference.save(tmp_path / "a", reference.variables(spec), reference.solo_config(spec))
    played = tt.load_model(source)
    clip, step = clip_of(played, 60), export.Step(played)
    truth = play_truth(played, clip)
    run = tf.function(step)
    state = tf.zeros([step.layout.total])
    noise = np.append(truth.noise, np.zeros(step.delay_frames * spec.hop, "f4"))
    noise, sounds = noise.reshape(-1, spec.hop), []
    for i in range(len(clip) + step.delay_frames):
        one = slice(min(i, 59), min(i, 59) + 1)
        out = run(tf.constant(clip.f0_hz[one]), tf.constant(clip.loudness_db[one]), noise[i], state)
        state = out["state"]
        sounds.append(out["audio"].numpy())
    have = np.concatenate(sounds)[step.delay_frames * spec.hop :]
    assert step.delay_frames == (1 if kind == "LSTM" else 2)
    valid = len(have) - 2 * spec.hop
    np.testing.assert_allclose(have[:valid], truth.dry[:valid], atol=5e-3 * np.abs(truth.dry).max())


def test_a_real_time_model_is_exported_and_its_bundle_plays(tmp_path):
    spec = Spec(
        inputs=("pw_scaled", "f0_scaled"), layers=1, hop=320, reverb={"magnitudes": (10, 6)}
    )
    source = reference.save(tmp_path / "a", reference.variables(spec), reference.vst_config(spec))
    wishes = export.Wishes(("savedmodel", "bundle"), dataset_path=str(tmp_path / "none"))
    played = tt.load_model(source)
    verdicts = export.export(played, tmp_path / "out", wishes)
    assert len(verdicts) == 2
    loaded = tt.load_model(tmp_path / "out" / "bundle")
    assert (loaded.power_frame, loaded.loudness_rate, loaded.frame_rate) == (1024, 16000, 50)
    controls = tt.Controls(np.full(50, 300.0, "f4"), np.full(50, -30.0, "f4"))
    sound, again, other = (
        np.concatenate(list(tt.Player(loaded, seed=seed).play(controls))) for seed in (1, 1, 2)
    )
    assert len(sound) == 50 * 320 and np.all(np.isfinite(sound)) and np.any(sound)
    np.testing.assert_array_equal(sound, again)  # its room is made of noise, too
    assert not np.array_equal(sound, other)


def test_a_model_that_listens_is_exported_but_does_not_stream(tmp_path, windows):
    spec = Spec(inputs=("ld_scaled", "f0_scaled", "z"), z_dims=4)
    source = reference.save(tmp_path / "a", reference.variables(spec), reference.solo_config(spec))
    played, lines = tt.load_model(source), []
    wishes = export.Wishes(("savedmodel", "tflite"), dataset_path=str(windows))
    verdicts = export.export(played, tmp_path / "out", wishes, lines.append)
    assert [verdict.format for verdict in verdicts] == ["savedmodel"]
    assert any("no tflite" in line and "encoder" in line for line in lines)
    play = tf.saved_model.load(str(tmp_path / "out" / "savedmodel")).signatures["play"]
    assert play.structured_input_signature[1]["z"].shape == [None, 4]
    wanted = export.Wishes(("tflite",), required=("tflite",), dataset_path=str(windows))
    with pytest.raises(export.ExportError, match="cannot stream"):
        export.export(played, tmp_path / "no", wanted)
    assert not (tmp_path / "no").exists()


def test_a_wrong_export_is_not_left_behind(model, windows, tmp_path, monkeypatch):
    """One weight is changed between writing and comparing."""

    def spoilt(played, path, name=""):
        manifest = original(played, path, name)
        bundle = bundles.read(path)
        bundle.weights["decoder/dense_out/bias"][0] += 0.5
        shutil.rmtree(path)
        bundles.write(path, bundle.bindings, bundle.weights)
        return manifest

    original = _run._bundle.write_bundle
    monkeypatch.setattr(_run._bundle, "write_bundle", spoilt)
    wishes = export.Wishes(("bundle",), dataset_path=str(windows))
    with pytest.raises(export.NotTheSameError, match="controls differ by") as caught:
        export.export(model, tmp_path / "out", wishes)
    assert caught.value.exit_code == 7
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_replaced_only_when_told(model, windows, tmp_path):
    wishes = export.Wishes(("bundle",), dataset_path=str(windows))
    export.export(model, tmp_path / "out", wishes)
    with pytest.raises(export.ExportError, match="exists already") as caught:
        export.export(model, tmp_path / "out", wishes)
    assert caught.value.exit_code == 6
    again = export.Wishes(("zip",), dataset_path=str(windows), overwrite=True)
    export.export(model, tmp_path / "out", again)
    assert not (tmp_path / "out" / "bundle").exists() and (tmp_path / "out" / "model.zip").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(export.ExportError, match="other things"):
        export.export(model, tmp_path / "mine", again)
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_a_model_without_state_does_not_stream(model):
    convolutional = SimpleNamespace(state_size=0, model=model.model)
    with pytest.raises(export.ExportError, match="carries no state") as caught:
        export.Step(convolutional)
    assert caught.value.exit_code == 2


class TestBundle:
    """Damaged, hostile and too new bundles."""

    @pytest.fixture
    def folder(self, exported, tmp_path):
        return shutil.copytree(exported[0] / "bundle", tmp_path / "bundle")

    def test_it_plays_wherever_it_is_copied(self, folder, exported, model):
        controls = tt.Controls(np.full(80, 330.0, "f4"), np.full(80, -30.0, "f4"))
        sounds = [
            np.concatenate(list(tt.Player(tt.load_model(path)).play(controls)))
            for path in (SMALL, folder, exported[0] / "violin.zip")
        ]
        np.testing.assert_array_equal(sounds[0], sounds[1])
        np.testing.assert_array_equal(sounds[0], sounds[2])
        loaded = tt.load_model(folder)
        assert loaded.statistics["mean_pitch"] == model.statistics["mean_pitch"]
        assert loaded.loudness_rate == model.loudness_rate

    def test_it_says_nothing_of_the_machine_it_was_trained_on(self, folder):
        text = (folder / "config.json").read_text()
        assert "tfrecord" not in text and "Trainer" not in text and "SpectralLoss" not in text

    @pytest.mark.parametrize("name", ["weights.npz", "config.json", "dataset_statistics.json"])
    def test_a_changed_byte_is_found_and_the_file_named(self, folder, name):
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)
        with pytest.raises(tt.TransferError, match=rf"damaged: {name}"):
            tt.load_model(folder)

    @pytest.mark.parametrize("name", ["weights.npz", "config.json"])
    def test_a_missing_file_is_named(self, folder, name):
        (folder / name).unlink()
        with pytest.raises(tt.TransferError, match=f"incomplete: {name} is missing"):
            tt.load_model(folder)

    def test_a_zip_cut_short(self, exported, tmp_path):
        content = (exported[0] / "violin.zip").read_bytes()
        for length in (0, 100, len(content) // 2, len(content) - 1):
            (tmp_path / "cut.zip").write_bytes(content[:length])
            with pytest.raises(tt.TransferError, match=r"cut\.zip is damaged"):
                tt.load_model(tmp_path / "cut.zip")

    @pytest.mark.parametrize(
        "change",
        [
            lambda m: m.update(format=2),
            lambda m: m.pop("files"),
            lambda m: m["files"].pop("weights.npz"),
            lambda m: m["files"].update({"../../passwd": {"sha256": "0", "bytes": 1}}),
            lambda m: m.update(files=[]),
        ],
    )
    def test_a_manifest_of_another_kind(self, folder, change):
        manifest = json.loads((folder / "bundle.json").read_text())
        change(manifest)
        (folder / "bundle.json").write_text(json.dumps(manifest))
        with pytest.raises(tt.TransferError, match=r"bundle\.json|format 2"):
            tt.load_model(folder)

    @pytest.mark.parametrize(
        ("bindings", "told"),
        [
            ({"Harmonic.n_samples": "1\nimport antigravity"}, "is not one binding"),
            ({"import antigravity\nHarmonic.n_samples": "1"}, "is not one binding"),
            ({"Harmonic.n_samples": "__import__('os').system('true')"}, "no model we can build"),
            ({"Harmonic.colour": "'red'"}, "no parameter 'colour'"),
        ],
    )
    def test_a_configuration_that_wants_to_do_more(self, tmp_path, bindings, told):
        spec = Spec()
        config = bundles.bindings_to_keep(reference.solo_config(spec))
        bundles.write(tmp_path / "b", {**config, **bindings}, reference.variables(spec))
        with pytest.raises(tt.TransferError, match=told):
            tt.load_model(tmp_path / "b")
        assert "antigravity" not in sys.modules

    def test_pickled_weights_are_not_read(self, tmp_path):
        spec = Spec()
        config = bundles.bindings_to_keep(reference.solo_config(spec))
        with pytest.raises((TypeError, ValueError)):
            bundles.write(tmp_path / "b", config, {"x": np.array([object()])})
        weights = reference.variables(spec)
        weights["decoder/dense_out/bias"] = weights["decoder/dense_out/bias"][:-1]
        bundles.write(tmp_path / "c", config, weights)
        with pytest.raises(tt.TransferError, match=r"dense_out/bias: bundle \(21,\), model \(22,"):
            tt.load_model(tmp_path / "c")

    def test_another_step_is_not_in_it(self, folder):
        assert tt.load_model(folder, "20").checkpoint.endswith("ckpt-20")
        with pytest.raises(tt.TransferError, match="holds step 20"):
            tt.load_model(folder, "10")


@pytest.mark.parametrize(
    ("flag", "value", "instead"),
    [
        ("inference_model", "vst_synthesize", "--format=tflite"),
        ("inference_model", "vst_extract_features", "--format=bundle"),
        ("tfjs", True, "tensorflowjs_converter"),
    ],
)
def test_what_is_not_made_names_what_to_use_instead(monkeypatch, flag, value, instead):
    given = {"model_path": "model", "format": [], "tfjs": False, "inference_model": "autoencoder"}
    monkeypatch.setattr(ddsp_export, "FLAGS", SimpleNamespace(**{**given, flag: value}))
    told, hint = ddsp_export._wrong_usage()
    assert f"{flag}={value}" in told
    assert instead in hint
