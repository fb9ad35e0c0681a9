"""Every flag of ddsp_run does what it says, and what is wrong is told in one sentence."""

import json
import subprocess
import sys
import types

import pytest

from dlwa import runfiles
from tests.ddsp.training import small_run
from tests.ddsp.training.commands import ddsp_run, write_records

pytestmark = pytest.mark.ddsp

MODEL, DATA = "models/debug_instrument.gin", "datasets/tfrecord.gin"


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "data.tfrecord-00000-of-00001"
    return write_records(path, 4)


def _words(records, steps=1):
    return [
        *(MODEL, DATA, "batch_size=2", f"train.num_steps={steps}", "train.steps_per_save=1"),
        f"TFRecordProvider.file_pattern='{records.parent}/data*'",
    ]


@pytest.fixture(scope="module")
def trained(records, tmp_path_factory):
    """Trained by a gin file of one's own, found by --gin_search_path, and a text of two lines."""
    folder = tmp_path_factory.mktemp("trained")
    own = folder / "gins" / "deep" / "mine.gin"
    own.parent.mkdir(parents=True)
    own.write_text(f"include '{MODEL}'\ninclude '{DATA}'\ntrain.steps_per_save = 1\n")
    two = f"batch_size=2\nTFRecordProvider.file_pattern='{records.parent}/data*'"
    words = ["deep/mine.gin", f"--gin_param={two}", "train.num_steps=2", "learning_rate=0.002"]
    search = f"--gin_search_path={folder / 'gins'}"
    assert ddsp_run("train", folder / "model", search, *words) == 0
    return folder


@pytest.mark.parametrize(
    ("mode", "words", "code", "told"),
    [
        ("train", [], 2, ["get_model.model is not bound", "--gin_file=models/solo_instrument.gin"]),
        ("train", [MODEL], 2, ["train.data_provider is not bound", "--gin_file=datasets/tfrecord"]),
        ("eval", [MODEL, "--run_once"], 2, ["evaluate.data_provider is not bound"]),
        ("train", [MODEL, DATA], 2, ["TFRecordProvider needs file_pattern"]),
        ("train", ["nowhere.gin"], 2, ["nowhere.gin", "dlwa/ddsp/training/gin"]),
        ("train", [MODEL, "train.num_step=3"], 2, ["Did you mean train.num_steps"]),
        ("train", ["--tpu=grpc://127.0.0.1:1"], 1, ["tpu='grpc://127.0.0.1:1' does not answer"]),
        ("train", ["--cluster_config={half"], 1, ["cluster_config='{half' must be JSON"]),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(tmp_path, capsys, mode, words, code, told):
    assert ddsp_run(mode, tmp_path, *words) == code
    said = capsys.readouterr().err
    assert all(word in said for word in told), said
    assert "In call to configurable" not in said and "Traceback" not in said
    assert not list(tmp_path.glob("ckpt*"))


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["TFRecordProvider.file_pattern='/nowhere/x*'"], 3, "'/nowhere/x*' matches no file"),
        (["TFRecordProvider.frame_rate=50"], 1, "TFRecordProvider.frame_rate = 250"),
        (["--hypertune"], 1, "pip install cloudml-hypertune"),
    ],
)
def test_data_and_packages_that_do_not_fit_are_told(
    records, tmp_path, capsys, monkeypatch, words, code, told
):
    monkeypatch.setitem(sys.modules, "hypertune", None)
    assert ddsp_run("train", tmp_path, *_words(records), *words) == code
    said = capsys.readouterr().err
    assert told in said and "In call to configurable" not in said
    assert len([line for line in said.splitlines() if line.startswith("error: ")]) == 1
    event = runfiles.last_line(tmp_path / runfiles.EVENTS_FILE)
    assert event["event"] == "failed" and told in event["reason"]


def test_a_record_cut_short_is_named_and_the_others_are_used(records, tmp_path, caplog):
    caplog.set_level("WARNING", logger="absl")
    cut = tmp_path / "data.tfrecord-00000-of-00001"
    cut.write_bytes(records.read_bytes()[:-1000])
    assert ddsp_run("train", tmp_path / "model", *_words(cut)) == 0
    assert "data.tfrecord-00000-of-00001 is cut short: record 3" in caplog.text


def test_the_configuration_is_written_and_shown(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    text = (trained / "model" / "operative_config-0.gin").read_text()
    assert "learning_rate = 0.002" in text and "batch_size = 2" in text
    (folder,) = {path.parent for path in (trained / "model" / "summaries").rglob("events*")}
    events = EventAccumulator(str(folder), {"tensors": 0})
    events.Reload()
    (tag,) = [t for t in events.Tags()["tensors"] if "operative_config-0" in t]
    shown = events.Tensors(tag)[0].tensor_proto.string_val[0].decode()
    assert "    learning_rate = 0.002" in shown


def test_the_configuration_of_the_folder_is_used_and_flags_win(trained, records, tmp_path):
    """A later command needs no model file; --tpu's own default would be a batch of 64."""
    import gin

    seen = {}
    from dlwa.ddsp.training import ddsp_run as command

    original = command.parse_gin

    def look(restore_dir):
        original(restore_dir)
        seen.update({name: gin.query_parameter(f"%{name}") for name in ("batch_size",)})
        seen["rate"] = gin.query_parameter("%learning_rate")
        raise ValueError("seen enough")

    try:
        command.parse_gin = look
        restore = f"--restore_dir={trained / 'model'}"
        assert ddsp_run("train", tmp_path, restore, "batch_size=3") == 1
        assert seen == {"batch_size": 3, "rate": 0.002}
        original_answer, command._strategy = command._strategy, lambda: object()
        assert ddsp_run("train", tmp_path / "new", "--tpu=there") == 1
        assert seen["batch_size"] == 64
    finally:
        command.parse_gin, command._strategy = original, original_answer


def test_hypertune_hears_the_loss_of_every_step(records, tmp_path, monkeypatch):
    told = []

    class HyperTune:
        def report_hyperparameter_tuning_metric(self, **metric):
            told.append(metric)

    monkeypatch.setitem(sys.modules, "hypertune", types.SimpleNamespace(HyperTune=HyperTune))
    assert ddsp_run("train", tmp_path, "--hypertune", *_words(records, steps=2)) == 0
    assert [metric["global_step"] for metric in told] == [1, 2]
    assert all(metric["metric_value"] > 0 for metric in told)


def test_evaluation_waits_as_long_as_it_is_told(trained, monkeypatch):
    import time

    waited = []
    monkeypatch.setattr(time, "sleep", waited.append)
    look = [DATA, "evaluate.batch_size=2", "evaluate.num_batches=1"]
    flags = ["--run_once", "--initial_delay_secs=7"]
    assert ddsp_run("eval", trained / "model", *flags, *look) == 0
    assert waited[0] == 7


def test_memory_of_gpus_grows_unless_it_may_not(monkeypatch):
    import tensorflow as tf

    from dlwa.ddsp import quiet

    grown = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu 0", "gpu 1"])
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda gpu, on: grown.append((gpu, on))
    )
    quiet.import_tensorflow(allow_memory_growth=False)
    assert grown == []
    quiet.import_tensorflow(allow_memory_growth=True)
    assert grown == [("gpu 0", True), ("gpu 1", True)]


@pytest.mark.integration
def test_a_cluster_of_one_machine_trains(records, tmp_path):
    """In a process of its own: TensorFlow must hear of the cluster before anything else."""
    import socket

    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    cluster = {"cluster": {"worker": [address]}, "task": {"type": "worker", "index": 0}}
    argv = small_run.argv(records.parent, tmp_path, 2, "batch_size=2")
    done = subprocess.run(
        [*argv, f"--cluster_config={json.dumps(cluster)}"],
        capture_output=True,
        text=True,
        env=small_run.environment(),
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "ckpt-2.index").exists()
