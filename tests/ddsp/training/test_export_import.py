"""Models trained by the field's package come in and play with its numbers."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp import timbre_transfer as tt
from dlwa.ddsp.training import bundles, checkpoint_util, import_checkpoint
from dlwa.ddsp.training.export import ExportError
from dlwa.ddsp.training.export.importing import import_model
from tests.ddsp import golden
from tests.ddsp.training import reference_models as reference
from tests.ddsp.training.reference_models import Spec

pytestmark = pytest.mark.ddsp

SMALL = golden.FOLDER / "checkpoint_small"
N_FRAMES = 40

VST = Spec(inputs=("pw_scaled", "f0_scaled"), layers=1, hop=320, reverb={"magnitudes": (10, 6)})
MODELS = {
    "other sizes": (Spec(ch=20, rnn=12, layers=3), reference.solo_config),
    "LSTM": (Spec(rnn_type="lstm"), reference.solo_config),
    "32 kHz, three seconds of reverb": (
        Spec(rate=32000, hop=128, reverb={"ir": (96000,)}),
        reference.solo_config,
    ),
    "48 kHz": (Spec(rate=48000, hop=192), reference.solo_config),
    "z": (Spec(inputs=("ld_scaled", "f0_scaled", "z"), z_dims=4), reference.solo_config),
    "old names, 32 kHz": (
        Spec(inputs=("f0_scaled", "ld_scaled"), rate=32000, hop=128),
        reference.old_config,
    ),
    "vst": (VST, reference.vst_config),
    "vst, 48 kHz": (
        Spec(**{**vars(VST), "rate": 48000, "hop": 960}),
        reference.vst_config,
    ),
}


def given(spec):
    """What a decoder reads, `[n_frames, channels]`."""
    rng = np.random.default_rng(3)
    f0_hz = 220.0 * 2 ** np.cumsum(rng.normal(0, 0.02, [N_FRAMES, 1]), axis=0)
    level_db = rng.uniform(-70, -20, [N_FRAMES, 1])
    z = rng.normal(size=[N_FRAMES, spec.z_dims]) if spec.z_dims else None
    scaled = {"f0_scaled": (69 + 12 * np.log2(f0_hz / 440)) / 127}
    scaled.update(dict.fromkeys(("ld_scaled", "pw_scaled"), level_db / 80 + 1), z=z)
    return f0_hz.astype("f4"), level_db.astype("f4"), None if z is None else z.astype("f4"), scaled


@pytest.mark.parametrize("name", MODELS)
def test_its_numbers_are_those_of_the_papers(name, tmp_path):
    spec, config = MODELS[name]
    values = reference.variables(spec)
    source = reference.save(tmp_path / "theirs", values, config(spec))
    told = import_model(source, tmp_path / "ours")
    assert (told["step"], told["sample_rate"]) == (30, spec.rate)
    assert "no dataset_statistics.pkl" in " ".join(told["warnings"])
    played = tt.load_model(tmp_path / "ours")
    assert played.hop_size == spec.hop
    have = checkpoint_util.variable_paths(played.model)
    assert {n: tuple(v.shape) for n, v in have.items()} == {n: v.shape for n, v in values.items()}
    for path, variable in have.items():
        np.testing.assert_array_equal(variable.numpy(), values[path], err_msg=path)

    f0_hz, level_db, z, scaled = given(spec)
    features = tt.scaled_features(
        tf.constant(f0_hz[None]), tf.constant(level_db[None]), None if z is None else z[None]
    )
    features["state"] = tf.zeros([1, played.state_size])
    outputs = played.model.decoder(features)
    for key, want in reference.decode(spec, values, scaled).items():
        np.testing.assert_allclose(np.asarray(outputs[key])[0], want, atol=1e-4, err_msg=key)


def test_the_recorded_model_has_its_statistics_as_json(tmp_path):
    told = import_model(SMALL, tmp_path / "ours")
    assert told["statistics"] and told["warnings"] == []
    was, is_ = tt.load_model(SMALL), tt.load_model(tmp_path / "ours")
    assert json.loads((tmp_path / "ours" / "dataset_statistics.json").read_text())["format"] == 1
    assert is_.statistics["mean_pitch"] == was.statistics["mean_pitch"]
    np.testing.assert_allclose(
        is_.statistics["quantile_transform"].quantiles_,
        was.statistics["quantile_transform"].quantiles_,
    )
    with np.load(SMALL / "outputs.npz") as recorded:
        features = tt.scaled_features(
            tf.constant(recorded["in_f0_hz"].reshape(1, -1, 1).astype("f4")),
            tf.constant(recorded["in_loudness_db"].reshape(1, -1, 1).astype("f4")),
            None,
        )
        features["state"] = tf.zeros([1, is_.state_size])
        outputs = is_.model.decoder(features)
        for key in ("amps", "harmonic_distribution", "noise_magnitudes"):
            want = recorded[f"out_{key}"]
            have = np.asarray(outputs[key]).reshape(want.shape)
            np.testing.assert_allclose(have, want, atol=1e-4)


def test_a_zip_of_loose_files_and_a_checkpoints_path_come_in_alike(tmp_path):
    packed = tmp_path / "my_model.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in SMALL.iterdir():
            if path.name != "outputs.npz":
                archive.write(path, f"solo/{path.name}")
        archive.writestr("../../escaped/ckpt-99.index", b"")
    assert import_model(packed, tmp_path / "a")["step"] == 20  # the one its `checkpoint` names
    assert not (tmp_path / "escaped").exists() and not (tmp_path.parent / "escaped").exists()
    shutil.copytree(SMALL, tmp_path / "solo")
    for number, path in enumerate((tmp_path / "solo" / "ckpt-20", tmp_path / "solo/ckpt-20.index")):
        assert import_model(path, tmp_path / f"b{number}")["step"] == 20


def test_a_foreign_class_in_the_statistics_is_refused_and_nothing_runs(tmp_path):
    spec = Spec()
    source = reference.save(
        tmp_path / "theirs",
        reference.variables(spec),
        reference.solo_config(spec),
        statistics=reference.foreign_pickle(f"touch {tmp_path / 'it_ran'}"),
    )
    with pytest.raises(ValueError, match=r"dataset_statistics\.pkl .*it names posix\.system"):
        import_model(source, tmp_path / "ours")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_another_architecture_lists_what_differs(tmp_path, capfd):
    values = reference.variables(Spec())
    source = reference.save(tmp_path / "a", values, reference.solo_config(Spec(rnn_type="lstm")))
    assert import_checkpoint.run([str(source), f"--target={tmp_path / 'ours'}"]) == 1
    told = capfd.readouterr().err
    assert "decoder/rnn/rnn/cell/kernel: saved (32, 72), model (32, 96)" in told
    assert "decoder/rnn/rnn/cell/bias: saved (2, 72), model (96,)" in told
    assert not (tmp_path / "ours").exists()


def test_a_model_of_no_numbers_is_not_taken_in(tmp_path):
    values = reference.variables(Spec())
    values["decoder/dense_out/bias"][:] = np.nan
    source = reference.save(tmp_path / "a", values, reference.solo_config(Spec()))
    with pytest.raises((ExportError, ValueError)):
        import_model(source, tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize("cut", ["ckpt-30.data-00000-of-00001", "operative_config-0.gin"])
def test_what_is_missing_is_told(cut, tmp_path):
    source = reference.save(
        tmp_path / "a", reference.variables(Spec()), reference.solo_config(Spec())
    )
    (source / cut).unlink()
    with pytest.raises((ExportError, tt.TransferError), match=r"damaged|operative_config-"):
        import_model(source, tmp_path / "ours")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_bundle_comes_in_and_an_existing_name_is_kept(tmp_path):
    spec = Spec()
    bundles.write(
        tmp_path / "b.zip",
        bundles.bindings_to_keep(reference.solo_config(spec)),
        reference.variables(spec),
        facts={"step": 30},
    )
    assert import_model(tmp_path / "b.zip", tmp_path / "ours")["step"] == 30
    assert tt.load_model(tmp_path / "ours").sample_rate == 16000
    with pytest.raises(ExportError, match="exists already"):
        import_model(tmp_path / "b.zip", tmp_path / "ours")
