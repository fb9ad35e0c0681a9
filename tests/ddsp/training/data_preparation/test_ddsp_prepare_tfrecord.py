"""The command: exit codes, messages, the files of its run, interruption."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from dlwa import runfiles
from dlwa.ddsp.audio_io import write_audio
from tests.ddsp.tones import RATE, melody

pytestmark = pytest.mark.ddsp

COMMAND = [sys.executable, "-m", "dlwa.ddsp.training.data_preparation.ddsp_prepare_tfrecord"]


def run(folder, *flags):
    """Run the command as part of a run; return exit code, stderr and the events it reported."""
    run_dir = folder / "run"
    run_dir.mkdir()
    env = {**os.environ, "DLWA_RUN_DIR": str(run_dir)}
    done = subprocess.run([*COMMAND, *flags], capture_output=True, text=True, env=env, timeout=120)
    return done.returncode, done.stderr, list(runfiles.read_lines(run_dir / "events.jsonl"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--output_tfrecord_path is missing"),
        (["--output_tfrecord_path=x"], "give either --input_audio_dir or"),
        (["--output_tfrecord_path=x", "--input_audio_dir=.", "--num_shard=3"], "num_shards"),
        (["--output_tfrecord_path=x", "--input_audio_dir=.", "--num_shards=0"], "num_shards=0"),
        (
            [
                "--output_tfrecord_path=x",
                "--input_audio_dir=.",
                "--pipeline_options=--runner=Spark",
            ],
            "runner=Spark is unknown, did you mean SparkRunner?",
        ),
        (
            [
                "--output_tfrecord_path=x",
                "--input_audio_dir=.",
                "--pipeline_options=--runner=DirectRunner,--direct_num_worker=2",
            ],
            "--direct_num_worker is no option of Apache Beam, did you mean --direct_num_workers?",
        ),
        (["--output_tfrecord_path=x", "--input_audio_dir=.", "--pitch_model=huge"], "tiny"),
    ],
)
def test_usage_errors_end_with_2_and_say_what_was_expected(tmp_path, flags, message):
    code, stderr, events = run(tmp_path, *flags)
    assert code == 2
    assert message in stderr
    assert "Traceback" not in stderr
    assert events[0]["event"] == "failed"


def test_missing_input_ends_with_3_before_anything_is_made(tmp_path):
    out = tmp_path / "out" / "data.tfrecord"
    code, stderr, events = run(
        tmp_path, f"--input_audio_dir={tmp_path}/absent", f"--output_tfrecord_path={out}"
    )
    assert code == 3
    assert "does not exist" in stderr
    assert "does not exist" in events[0]["reason"]
    assert events[0]["hint"]
    assert not out.parent.exists()


def test_a_folder_without_recordings_says_what_it_holds(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.docx").touch()
    code, stderr, _ = run(
        tmp_path, f"--input_audio_dir={tmp_path}/in", f"--output_tfrecord_path={tmp_path}/x/d"
    )
    assert code == 3
    assert "holds no recordings (only .docx files)" in stderr


def test_only_unusable_recordings_end_with_1_and_leave_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "silent.wav", np.zeros(RATE), RATE)
    (tmp_path / "in" / "text.wav").write_text("hello " * 100)
    code, stderr, events = run(
        tmp_path, f"--input_audio_dir={tmp_path}/in", f"--output_tfrecord_path={tmp_path}/out/d"
    )
    assert code == 1
    assert "of 2 recordings none can be used" in stderr
    assert "silent.wav is silent" in events[0]["reason"]
    assert "Traceback" not in stderr
    assert not (tmp_path / "out").exists()


def test_a_dataset_with_progress_in_the_files_of_the_run(tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(3):
        write_audio(tmp_path / "in" / f"{i}.wav", melody(7.0, seed=i)[0], RATE)
    code, stderr, events = run(
        tmp_path,
        f"--input_audio_dir={tmp_path}/in",
        f"--output_tfrecord_path={tmp_path}/out/data.tfrecord",
        "--num_shards=2",
        "--alsologtostderr",
    )
    assert code == 0, stderr
    assert events == []
    assert "3 recordings used, 0 not" in stderr
    *_, last = runfiles.read_lines(tmp_path / "run" / "metrics.jsonl")
    assert last["unit"] == "s of audio"
    assert last["done"] == last["total"] == pytest.approx(21.0)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "data.tfrecord-00000-of-00002",
        "data.tfrecord-00001-of-00002",
        "dataset.json",
        "dataset_statistics.json",
        "dataset_statistics.pkl",
        "heldout.tfrecord-00000-of-00001",
        "report.html",
    ]
    document = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert document["settings"]["pitch_model"] in ("tiny", "full")
    assert document["audit"]["verdict"] == "poor"
    again_without_tensorflow(tmp_path)


def again_without_tensorflow(tmp_path):
    """The same again: all is known, so not even what "auto" means here must be asked anew."""
    code = "import sys; sys.modules['tensorflow'] = None\n"
    code += f"from {COMMAND[-1]} import console_entry_point as go; go()"
    flags = [
        f"--input_audio_dir={tmp_path}/in",
        f"--output_tfrecord_path={tmp_path}/2/data.tfrecord",
    ]
    argv = [sys.executable, "-c", code, *flags, "--num_shards=2"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "out").iterdir():
        if path.suffix != ".html":  # the page names its folder
            assert (tmp_path / "2" / path.name).read_bytes() == path.read_bytes(), path.name


def test_an_interrupted_preparation_leaves_nothing_half_written(tmp_path):
    (tmp_path / "in").mkdir()
    write_audio(tmp_path / "in" / "a.wav", np.tile(melody(30.0)[0], 20), RATE)
    (tmp_path / "run").mkdir()
    process = subprocess.Popen(
        [*COMMAND, f"--input_audio_dir={tmp_path}/in", f"--output_tfrecord_path={tmp_path}/out/d"],
        env={**os.environ, "DLWA_RUN_DIR": str(tmp_path / "run")},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    assert not (tmp_path / "out").exists()
