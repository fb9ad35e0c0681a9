"""The command that makes data sets of made-up notes: limits first, then what it writes."""

import os
import shutil
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest

from dlwa import runfiles

pytestmark = pytest.mark.ddsp

V2 = "generate_examples.generate_fn=@data_preparation.synthetic_data.generate_notes_v2"
SMALL = [f"--gin_param={V2}", "--gin_param=generate_notes_v2.n_harmonics=10"]


def generate(prefix, *more):
    """The command in this process: its exit code."""
    import gin
    from absl import flags
    from absl.testing import flagsaver

    from dlwa.ddsp.training.data_preparation import ddsp_generate_synthetic_dataset as command

    command.define_flags()
    before = flagsaver.save_flag_values()
    gin.clear_config()
    try:
        flags.FLAGS.unparse_flags()
        flags.FLAGS(["it", f"--output_tfrecord_path={prefix}", *more])
        return command.main([])
    finally:
        flagsaver.restore_flag_values(before)
        gin.clear_config()


def records(folder):
    """All serialised examples of a folder."""
    import tensorflow as tf

    files = sorted(str(path) for path in folder.glob("data.tfrecord*"))
    return [bytes(r) for r in tf.data.TFRecordDataset(files).as_numpy_iterator()]


@pytest.fixture(scope="module")
def seven(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seven")
    assert generate(folder / "data.tfrecord", "--num_examples=7", "--num_shards=3", *SMALL) == 0
    return folder


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        ([], 2, ["generate_examples.generate_fn is not bound", "@synthetic_data.generate_notes"]),
        (["--num_examples=0", *SMALL], 2, ["num_examples=0 must be a positive integer"]),
        (["--num_shards=-1", *SMALL], 2, ["num_shards=-1 must be a positive integer"]),
        (["--random_seed=-1", *SMALL], 2, ["random_seed=-1"]),
        (["--gin_param=generate_examples.generate_fn=@generate_note"], 2, ["Did you mean"]),
        (["--gin_file=nowhere.gin"], 2, ["nowhere.gin"]),
        (["--pipeline_options=--runner=NoSuchRunner", *SMALL], 1, ["NoSuchRunner"]),
        (["--gin_param=generate_examples.generate_fn=@core.exp_sigmoid"], 1, ["n_batch"]),
    ],
)
def test_what_cannot_be_made_is_told_and_leaves_nothing(tmp_path, capsys, flags, code, words):
    assert generate(tmp_path / "x" / "data.tfrecord", "--num_examples=2", *flags) == code
    told = capsys.readouterr().err
    assert "Traceback" not in told and all(word in told for word in words), told
    assert not list(tmp_path.rglob("*tfrecord*"))


def test_too_small_a_disk_is_told_before_anything_is_written(tmp_path, capsys):
    with mock.patch.object(shutil, "disk_usage", return_value=mock.Mock(free=50_000)):
        assert generate(tmp_path / "data.tfrecord", "--num_examples=7", *SMALL) == 1
    told = capsys.readouterr().err
    assert "GB" in told and "--num_examples=1" in told
    assert not list(tmp_path.iterdir())


def test_the_shards_hold_what_was_asked_for(seven):
    names = sorted(path.name for path in seven.iterdir())
    assert names == [f"data.tfrecord-0000{i}-of-00003" for i in range(3)]
    assert len(records(seven)) == 7


def test_the_examples_are_those_of_the_seeds_the_field_uses(seven):
    """The seeds are drawn from NumPy's generator at random_seed, an example from its own seed."""
    import tensorflow as tf

    from dlwa.ddsp.training.data_preparation import synthetic_data

    np.random.seed(42)
    seeds = np.random.randint(2**32, size=7)
    np.random.seed(seeds[0])
    wanted = synthetic_data.generate_notes_v2(n_batch=1, n_harmonics=10)
    found = [tf.train.Example.FromString(r).features.feature for r in records(seven)]
    assert set(found[0]) == set(wanted)
    for name, value in wanted.items():
        got = np.array(found[0][name].float_list.value, np.float32)
        np.testing.assert_array_equal(got, np.ravel(value), err_msg=name)
    pitches = {tuple(features["f0_hz"].float_list.value) for features in found}
    assert len(pitches) == 7


def test_a_longer_set_begins_with_the_shorter_and_another_seed_is_another_set(seven, tmp_path):
    shorter, other = tmp_path / "shorter", tmp_path / "other"
    assert generate(shorter / "data.tfrecord", "--num_examples=3", *SMALL) == 0
    assert generate(other / "data.tfrecord", "--num_examples=3", "--random_seed=1", *SMALL) == 0
    assert set(records(shorter)) < set(records(seven))
    assert not set(records(other)) & set(records(seven))


def test_the_provider_reads_it_and_the_controls_are_controls(seven):
    from dlwa.ddsp.training import data

    provider = data.SyntheticNotes(125, 10, 65, f"{seven}/data.tfrecord*")
    (batch,) = provider.get_batch(7, shuffle=False).take(1)
    shapes = {name: tuple(value.shape) for name, value in batch.items()}
    assert shapes["f0_hz"] == shapes["harm_amp"] == (7, 125, 1)
    assert shapes["sin_amps"] == shapes["sin_freqs"] == (7, 125, 10)
    assert shapes["noise_magnitudes"] == (7, 125, 65)
    sums = np.sum(batch["harm_dist"], axis=-1)
    assert np.all((np.abs(sums - 1) < 1e-4) | (np.abs(sums) < 1e-4))
    assert np.all(np.asarray(batch["harm_amp"]) >= 0)
    sounding = np.asarray(batch["harm_amp"])[..., 0] > 1e-3
    pitch = np.asarray(batch["f0_hz"])[..., 0][sounding]
    assert 25 < np.median(pitch) < 1100  # MIDI 24 to 84 and some vibrato


def test_beam_makes_the_same_records(seven, tmp_path):
    pytest.importorskip("apache_beam")
    runner = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
    flags = [f"--pipeline_options=--runner={runner}", "--num_examples=7", "--num_shards=2"]
    assert generate(tmp_path / "data.tfrecord", *flags, *SMALL) == 0
    assert len(list(tmp_path.iterdir())) == 2
    assert sorted(records(tmp_path)) == sorted(records(seven))


@pytest.mark.integration
def test_several_processes_make_the_same_files_and_progress_is_told(seven, tmp_path):
    """The command as typed, within a run."""
    run = tmp_path / "run"
    run.mkdir()
    command = "dlwa.ddsp.training.data_preparation.ddsp_generate_synthetic_dataset"
    words = [f"--output_tfrecord_path={tmp_path}/set/data.tfrecord", "--num_shards=3", *SMALL]
    done = subprocess.run(
        [sys.executable, "-m", command, *words, "--num_examples=7", "--num_processes=2"],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "DLWA_RUN_DIR": str(run)},
    )
    assert done.returncode == 0, done.stderr
    for path in seven.iterdir():
        assert (tmp_path / "set" / path.name).read_bytes() == path.read_bytes()
    last = runfiles.last_line(run / runfiles.METRICS_FILE)
    assert (last["done"], last["total"], last["unit"]) == (7, 7, "examples")
