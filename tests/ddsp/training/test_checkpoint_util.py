"""Checkpoints: which one, what the variables are called, and loading the field's own."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp import core, effects, processors, synths
from dlwa.ddsp.training import checkpoint_util, decoders, models, preprocessing

pytestmark = pytest.mark.ddsp

GOLDEN = Path(__file__).parents[2] / "golden"
SMALL = GOLDEN / "checkpoint_small"
SPLITS = (("amps", 1), ("harmonic_distribution", 60), ("noise_magnitudes", 65))
FILE_CASES = json.loads((GOLDEN / "train_util_files.json").read_text())["cases"]


def solo_instrument(ch=64, layers=3, rnn_type="gru", angular=False, reverb=True, keys=None):
    dag = [
        (synths.Harmonic(use_angular_cumsum=angular), ["amps", "harmonic_distribution", "f0_hz"]),
        (synths.FilteredNoise(window_size=0), ["noise_magnitudes"]),
        (processors.Add(), ["filtered_noise/signal", "harmonic/signal"]),
    ]
    if reverb:
        dag.append((effects.Reverb(trainable=True, reverb_length=48000), ["add/signal"]))
    return models.Autoencoder(
        preprocessor=preprocessing.F0LoudnessPreprocessor(compute_loudness=False),
        decoder=decoders.RnnFcDecoder(
            rnn_channels=ch, ch=ch, layers_per_stack=layers, rnn_type=rnn_type,
            input_keys=keys or ("ld_scaled", "f0_scaled"), output_splits=SPLITS,
        ),
        processor_group=processors.ProcessorGroup(dag=dag),
    )  # fmt: skip


@pytest.fixture(scope="module")
def recorded():
    with np.load(SMALL / "outputs.npz") as npz:
        return {key: npz[key] for key in npz.files}


@pytest.fixture(scope="module")
def features(recorded):
    keys = ("f0_hz", "loudness_db", "f0_confidence")
    return {key: recorded[f"in_{key}"][None].astype(np.float32) for key in keys}


@pytest.fixture(scope="module")
def restored(features):
    model = solo_instrument(angular=True)
    model.restore(SMALL)
    return model, model(features, training=False)


@pytest.mark.parametrize("case", FILE_CASES, ids=lambda c: c["function"])
def test_the_newest_file(case, tmp_path):
    for name, text in case["files"].items():
        (tmp_path / name).write_text(text)
    args = [a.replace("$DIR", str(tmp_path)) for a in case["args"]]
    find = getattr(checkpoint_util, case["function"])
    if case["result"].startswith("!"):
        with pytest.raises(FileNotFoundError):
            find(*args)
    else:
        assert find(*args) == case["result"].replace("$DIR", str(tmp_path))


def test_names_are_those_of_the_fields_checkpoints(restored):
    ours = {path: tuple(v.shape) for path, v in checkpoint_util.variable_paths(restored[0]).items()}
    theirs = {
        path: shape
        for path, (_, shape) in checkpoint_util.saved_variables(SMALL / "ckpt-20").items()
    }
    assert ours == theirs


def test_names_come_in_the_order_of_the_optimizers_variables(restored):
    model = restored[0]
    ours = list(checkpoint_util.variable_paths(model).values())
    assert [id(v) for v in ours] == [id(v) for v in model.trainable_variables]
    reader = tf.train.load_checkpoint(str(SMALL / "ckpt-20"))
    for i, variable in enumerate(ours):
        moment = reader.get_tensor(f"optimizer/_variables/{2 * i + 1}/.ATTRIBUTES/VARIABLE_VALUE")
        assert moment.shape == tuple(variable.shape)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("f0_scaled", "f0_scaled"),
        ("ld_scaled", "ld_scaled"),
        ("amps", "amps"),
        ("harmonic_distribution", "harmonic_distribution"),
        ("noise_magnitudes", "noise_magnitudes"),
    ],
)
def test_a_reference_checkpoint_gives_the_recorded_controls(restored, recorded, key, name):
    want = recorded[f"out_{name}"]
    have = np.asarray(restored[1][key]).reshape(want.shape)
    np.testing.assert_allclose(have, want, atol=1e-5, rtol=1e-5)


def test_the_synthesizers_controls_are_the_recorded_ones(restored, recorded):
    outputs = restored[1]
    harmonic, noise = outputs["harmonic"]["controls"], outputs["filtered_noise"]["controls"]
    for have, name in (
        (harmonic["amplitudes"], "out_ctl_amplitudes"),
        (harmonic["harmonic_distribution"][:, ::4], "out_ctl_harmonic_distribution_every4"),
        (noise["magnitudes"][:, ::4], "out_ctl_magnitudes_every4"),
    ):
        want = recorded[name]
        np.testing.assert_allclose(np.asarray(have).reshape(want.shape), want, atol=1e-5)


def exact_harmonic_signal(controls, n_samples=64000, sample_rate=16000):
    """The same sum of sines with phases in float64."""
    f0_hz = np.asarray(controls["f0_hz"], np.float64)[0, :, 0]
    f0_hz = np.interp(np.arange(n_samples) * len(f0_hz) / n_samples, np.arange(len(f0_hz)), f0_hz)
    amps = controls["amplitudes"] * controls["harmonic_distribution"]
    amps = np.asarray(core.resample(amps, n_samples, method="window"), np.float64)[0]
    harmonics = np.arange(1, amps.shape[1] + 1)
    amps = np.where(f0_hz[:, None] * harmonics < sample_rate / 2, amps, 0.0)
    phase = 2 * np.pi * np.cumsum(f0_hz) / sample_rate
    return np.sum(amps * np.sin(phase[:, None] * harmonics), axis=1)


def test_the_harmonic_signal_is_exact_and_as_near_to_the_recorded_one_as_float32_sums_are(
    restored, recorded
):
    harmonic = restored[1]["harmonic"]
    have = np.ravel(harmonic["signal"])
    np.testing.assert_allclose(have, exact_harmonic_signal(harmonic["controls"]), atol=3e-6)
    want = np.ravel(recorded["out_harmonic_signal_angular"])
    np.testing.assert_allclose(have, want, atol=3e-3)


def test_the_reverb_is_the_recorded_one(restored, recorded):
    ir = checkpoint_util.variable_paths(restored[0])["processor_group/reverb/ir"]
    np.testing.assert_allclose(np.ravel(ir), np.ravel(recorded["out_reverb_ir"]), atol=1e-7)
    dry = recorded["out_harmonic_signal_angular"].reshape(1, -1)
    wet = np.asarray(restored[0].processor_group.reverb(tf.constant(dry)))[0, :20000]
    want = np.ravel(recorded["out_reverb_of_angular_first_20000"])
    np.testing.assert_allclose(wet, want, atol=1e-5)


def test_loudness_is_measured_as_recorded(recorded, features):
    model = solo_instrument()
    model.preprocessor = preprocessing.F0LoudnessPreprocessor()
    model.restore(SMALL / "ckpt-20")
    audio = recorded["in_audio_times2047"].astype(np.float32).reshape(1, -1) / 2047
    outputs = model({**features, "audio": audio}, training=False)
    want = recorded["out_computed_loudness_db"]
    np.testing.assert_allclose(
        np.asarray(outputs["loudness_db"]).reshape(want.shape), want, atol=1e-3
    )
    want = recorded["out_amps_with_computed_loudness"]
    np.testing.assert_allclose(np.asarray(outputs["amps"]).reshape(want.shape), want, atol=1e-4)


def test_a_changed_loudness_changes_the_sound(restored, features):
    louder = {**features, "loudness_db": features["loudness_db"] + 20.0}
    amps = restored[0](louder, training=False)["amps"]
    assert not np.allclose(amps, restored[1]["amps"], atol=1e-3)


def test_built_and_unbuilt_models_load_alike(restored, features):
    model = solo_instrument()
    model(features, training=False)
    model.restore(SMALL)
    for mine, theirs in zip(model.get_weights(), restored[0].get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_submodule_alone(restored, features):
    model = solo_instrument()
    model(features, training=False)
    ir = checkpoint_util.variable_paths(model)["processor_group/reverb/ir"]
    before = ir.numpy()
    model.restore(SMALL, restore_keys=["decoder"])
    np.testing.assert_array_equal(ir.numpy(), before)
    np.testing.assert_array_equal(
        model.decoder.get_weights()[0], restored[0].decoder.get_weights()[0]
    )
    with pytest.raises(ValueError, match=r"'encodr' is none of \['decoder'"):
        model.restore(SMALL, restore_keys=["encodr"])


def test_a_part_the_model_lacks_is_left_in_the_file(features):
    model = solo_instrument(reverb=False)
    model(features, training=False)
    unused = checkpoint_util.load_reference_checkpoint(model, SMALL / "ckpt-20")
    assert unused == ["processor_group/reverb/ir"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ch": 32}, r"of another shape: .*saved \(64,\), model \(32,\)"),
        ({"layers": 4}, r"not in the checkpoint: decoder/input_stacks/0/layer_with_weights-3"),
        ({"layers": 2}, r"only in the checkpoint: .*layer_with_weights-2"),
        ({"rnn_type": "lstm"}, r"rnn/rnn/cell/kernel: saved \(128, 192\), model \(128, 256\)"),
    ],
)
def test_another_architecture_is_refused_and_nothing_is_changed(features, change, message):
    model = solo_instrument(**change)
    model(features, training=False)
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.restore(SMALL)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_damaged_and_missing_files_are_told(tmp_path):
    (tmp_path / "ckpt-3.index").write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="cannot be read"):
        solo_instrument().restore(tmp_path)
    with pytest.raises(FileNotFoundError, match="no checkpoint at checkpoint_path="):
        solo_instrument().restore(tmp_path / "nothing")


def _nested(tree):
    return tf.train.Checkpoint(
        **{k: _nested(v) if isinstance(v, dict) else v for k, v in tree.items()}
    )


def write(path, variables):
    """A checkpoint with these names, as TensorFlow writes one."""
    tree = {}
    for name, value in variables.items():
        *parts, last = name.split("/")
        node = tree
        for part in parts:
            node = node.setdefault(part, {})
        node[last] = value
    return _nested(tree).write(str(path))


def test_very_old_names_are_understood(features, restored, tmp_path):
    old = {"input_stacks/0": "f_stack", "input_stacks/1": "l_stack"}
    variables = {}
    for path, variable in checkpoint_util.variable_paths(restored[0]).items():
        for new, name in old.items():
            path = path.replace(new, name)
        variables["model/" + path] = tf.Variable(variable.value)
    prefix = write(tmp_path / "ckpt-1", variables)
    model = solo_instrument(keys=("f0_scaled", "ld_scaled"))
    model.restore(prefix)
    model(features, training=False)
    np.testing.assert_array_equal(
        model.decoder.get_weights()[0], restored[0].decoder.get_weights()[0]
    )
    wrong = solo_instrument(keys=("ld_scaled", "f0_scaled"))
    wrong.restore(prefix)
    with pytest.raises(ValueError, match="must be \\('f0_scaled', 'ld_scaled'\\)"):
        wrong(features, training=False)


def test_restoring_inside_a_graph_says_what_to_do(features):
    model = solo_instrument()
    model.restore(SMALL)
    run = tf.function(lambda: model(features, training=False)["audio_synth"])
    with pytest.raises(ValueError, match="call it once on features"):
        run()


def test_the_model_is_quiet_where_the_loudness_is(restored, features):
    quiet = {**features, "loudness_db": np.full_like(features["loudness_db"], -80.0)}
    level = lambda x: float(tf.reduce_mean(core.tf_float32(x)))  # noqa: E731
    amps = restored[0](quiet, training=False)["harmonic"]["controls"]["amplitudes"]
    assert level(amps) < level(restored[1]["harmonic"]["controls"]["amplitudes"])


def test_optimizer_slots_of_older_tensorflow_are_left_alone(restored, features, tmp_path):
    end = "/.ATTRIBUTES/VARIABLE_VALUE"
    tensors = {}
    for path, variable in checkpoint_util.variable_paths(restored[0]).items():
        tensors[f"model/{path}{end}"] = variable.value
        tensors[f"model/{path}/.OPTIMIZER_SLOT/optimizer/m{end}"] = variable.value * 0.0
    tensors["optimizer/iter" + end] = tf.constant(20, tf.int64)
    prefix = str(tmp_path / "ckpt-20")
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[tf.convert_to_tensor(t) for t in tensors.values()],
    )
    model = solo_instrument()
    model.restore(prefix)
    amps = model(features, training=False)["amps"]
    np.testing.assert_array_equal(amps, restored[1]["amps"])
