"""The command ddsp_run as people type it."""

import subprocess
import sys

import pytest

from dlwa import runfiles
from tests.ddsp.training import small_run

pytestmark = pytest.mark.ddsp

FLAGS = [
    *("mode", "save_dir", "restore_dir", "tpu", "cluster_config", "allow_memory_growth"),
    *("hypertune", "early_stop_loss_value", "gin_search_path", "gin_file", "gin_param"),
    *("run_once", "initial_delay_secs", "alsologtostderr"),
]


def _ddsp_run(*flags):
    return subprocess.run(
        [sys.executable, "-m", "dlwa.ddsp.training.ddsp_run", *flags],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            name: value for name, value in small_run.environment().items() if "TF_CPP" not in name
        },
    )


@pytest.mark.parametrize("flag", ["--nonsense", "--mode=play", "--early_stop_loss_value=low"])
def test_flags_that_cannot_be_right_end_with_2_before_anything_heavy_loads(flag):
    done = _ddsp_run(flag)
    assert done.returncode == 2
    assert flag.strip("-").split("=")[0] in done.stderr
    assert "Traceback" not in done.stderr and "FATAL" not in done.stderr


@pytest.mark.parametrize(
    "module",
    [
        "ddsp_export",
        "data_preparation.ddsp_prepare_tfrecord",
        "data_preparation.ddsp_generate_synthetic_dataset",
    ],
)
def test_the_other_commands_say_so_alike(module):
    argv = [sys.executable, "-m", f"dlwa.ddsp.training.{module}", "--nonsense"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    hint = f"hint: {module.rpartition('.')[2]} --help lists the flags"
    assert done.stderr.splitlines() == ["error: Unknown command line flag 'nonsense'", hint]


def test_the_field_s_flags_are_known():
    done = _ddsp_run("--helpfull")
    for flag in FLAGS:
        assert f"{flag}:" in done.stdout.replace("[no]", ""), flag


def test_nothing_frightens_before_the_first_message(tmp_path):
    """What TensorFlow says of itself at the start is left out; our error still shows."""
    done = _ddsp_run(f"--save_dir={tmp_path}", "--gin_file=nowhere.gin")
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith("I")] == ["error", "hint"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    small_run.write_dataset(folder / "data", 4)
    assert small_run.run_here(folder / "data", folder / "model", 2) == 0
    return folder


@pytest.mark.parametrize("mode", ["eval", "sample"])
def test_evaluating_and_sampling_take_the_model_from_its_folder(trained, mode):
    code = small_run.run_here(
        trained / "data",
        trained / "model",
        2,
        f"--mode={mode}",
        "--run_once",
        "batch_size=2",
        f"{mode.replace('eval', 'evaluate')}.batch_size=2",
        f"{mode.replace('eval', 'evaluate')}.num_batches=1",
        gin_files=["datasets/tfrecord.gin", "eval/basic_f0_ld.gin"],
    )
    assert code == 0
    last = list(runfiles.read_lines(trained / "model" / "eval.jsonl"))[-1]
    assert last["step"] == 2 and last["mode"] == mode
    assert bool(last["results"]) == (mode == "eval")
    assert list((trained / "model" / "summaries" / "eval").glob("events*"))


def test_going_on_from_another_folder(trained, tmp_path):
    """--restore_dir: weights, optimizer and step of one training, continued in a new folder."""
    code = small_run.run_here(
        trained / "data", tmp_path / "new", 4, f"--restore_dir={trained / 'model'}"
    )
    assert code == 0
    assert (tmp_path / "new" / "ckpt-4.index").exists()
    assert not (trained / "model" / "ckpt-4.index").exists()


def test_early_stop(trained, tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    code = small_run.run_here(
        trained / "data", tmp_path, 50, "--early_stop_loss_value=1000", steps_per_save=100
    )
    assert code == 0
    events = list(runfiles.read_lines(tmp_path / runfiles.EVENTS_FILE))
    assert "early_stop" in [event["event"] for event in events]
    assert (tmp_path / "ckpt-1.index").exists() and "Training Finished!" in caplog.text


def test_a_time_budget_stops_and_resumes(trained, tmp_path):
    assert small_run.run_here(trained / "data", tmp_path, 100000, "train.hours=1e-9") == 0
    events = list(runfiles.read_lines(tmp_path / runfiles.EVENTS_FILE))
    assert events[-1]["event"] == "stopped" and events[-1]["reason"] == "its time is up (1e-09 h)"
    step = events[-1]["step"]
    assert small_run.run_here(trained / "data", tmp_path, step + 1) == 0
    assert (tmp_path / f"ckpt-{step + 1}.index").exists()
