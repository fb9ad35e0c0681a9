"""The whole path with the real programs: recordings, data set, detached training, sound."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile

from dlwa import runfiles
from tests.integration.lab import Lab, needs_screen

pytestmark = [pytest.mark.ddsp, pytest.mark.integration, needs_screen]

ROOT = Path(__file__).resolve().parents[2]
STEPS = 40
TRAINING = (
    "--",
    "--gin_file=models/debug_instrument.gin",
    "--gin_param=batch_size=2",
    "--gin_param=learning_rate=0.003",  # forty steps are few
    f"--gin_param=train_util.train.num_steps={STEPS}",
    "--gin_param=train_util.train.steps_per_save=20",
)
DEADLINE_S = 120.0


class Student:
    """Types commands in a workspace with ten seconds of the demo's violin."""

    def __init__(self, lab: Lab) -> None:
        self.root = lab.root
        inputs = self.root / "inputs" / "ann" / "violin"
        inputs.mkdir(parents=True)
        for name, start_s, seconds in (("one", 0, 6), ("two", 11, 5)):
            self.cut(inputs / f"{name}.wav", "violin_to_learn", start_s, seconds)
        self.flute = self.root / "flute.flac"
        self.cut(self.flute, "flute_to_transfer", 0, 2)

    @staticmethod
    def cut(target: Path, name: str, start_s: float, seconds: float) -> None:
        source = ROOT / "dlwa" / "demo_data" / f"{name}.flac"
        audio, rate = soundfile.read(
            source, start=int(start_s * 32000), frames=int(seconds * 32000)
        )
        soundfile.write(target, audio, rate)

    def types(self, *words: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "dlwa.cli", "--root", str(self.root), *words]
        env = {**os.environ, "PYTHONPATH": str(ROOT), **env}
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=DEADLINE_S, cwd=self.root, env=env
        )
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    def document(self, *words: str) -> Any:
        return json.loads(self.types(*words, "--json").stdout)

    def waits_for(self, name: str) -> dict[str, Any]:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            record = runfiles.read_json(self.root / "models" / "ddsp" / name / "run.json") or {}
            if record.get("state") in ("finished", "failed", "stopped"):
                return record
            time.sleep(0.2)
        raise AssertionError(f"{name} has not ended in {DEADLINE_S} s")


def test_from_recordings_to_a_sound(lab: Lab) -> None:
    student = Student(lab)
    student.types(
        *("ddsp", "make-dataset", "--input_name", "ann/violin", "--dataset_name", "ann/violin"),
        *("--cpu", "--", "--example_secs=1"),
    )
    made = runfiles.read_json(
        student.root / "datasets" / "ddsp" / "ann" / "violin" / "dataset.json"
    )
    assert made is not None
    assert {used["file"] for used in made["used"]} == {"one.wav", "two.wav"}
    assert made["train"]["windows"] > 4

    began = time.monotonic()
    student.types(
        *("ddsp", "train", "--dataset_name", "ann/violin", "--model_name", "ann/violin", "--cpu"),
        *TRAINING,
    )
    took_s = time.monotonic() - began
    record = student.waits_for("ann/violin")
    assert record["state"] == "finished", record["reason"]
    assert took_s < record["ended_at"] - record["created_at"], "the command waited for the training"

    shown = student.types("status", "--all", "--json").stdout
    assert "ann/violin" in shown
    assert '"finished"' in shown
    assert f"step: {STEPS}\t" in student.types("logs", "ann/violin").stdout
    model = student.root / "models" / "ddsp" / "ann" / "violin"
    losses = [line["losses"]["total_loss"] for line in runfiles.read_lines(model / "metrics.jsonl")]
    assert losses[-1] < 0.8 * losses[0], "the training has not lowered the loss"

    report = student.document(
        "ddsp",
        "timbre-transfer",
        str(student.flute),
        "--model_name",
        "ann/violin",
        "--sample-rate",
        "44100",
    )
    sound = student.root / "outputs" / "ann" / "violin" / "flute.wav"
    assert report["output"] == str(sound)
    info = soundfile.info(sound)
    assert info.samplerate == 44100
    assert info.duration == pytest.approx(2.0, abs=0.01)
    assert (
        student.types(
            "ddsp", "timbre-transfer", str(student.flute), "--model_name", "ann/viola", code=3
        ).stderr.count("did you mean ann/violin?")
        == 1
    )
    _looks_at_what_it_plays(student)


def _looks_at_what_it_plays(student: Student) -> None:
    """The numbers and the sounds of the model, on the data set it learnt from."""
    found = student.document("ddsp", "eval", "--model_name", "ann/violin")["found"]
    outputs = student.root / "outputs" / "ann" / "violin"
    assert runfiles.read_json(outputs / "evaluation.json") == found
    assert found["step"] == STEPS and found["results"]["losses/total_loss"] > 0
    assert 0 <= found["results"]["metrics/f0_crepe/outlier_ratio"] <= 1
    model = student.root / "models" / "ddsp" / "ann" / "violin"
    assert list((model / "summaries" / "eval").iterdir()), "beside the curves of the training"
    theirs = {path: path.stat().st_mtime_ns for path in model.rglob("*")}
    told = student.types("ddsp", "sample", "--model_name", "ann/violin", DLWA_OWNER="ben").stderr
    assert theirs == {path: path.stat().st_mtime_ns for path in model.rglob("*")}
    own = student.root / "outputs" / "ben" / "ann" / "violin"
    assert "tensorboard --logdir outputs/ben/ann/violin" in told
    assert list((own / "summaries" / "eval").glob("events*"))
    original, generated = (
        soundfile.read(own / f"samples-{STEPS}" / f"01-{name}.wav")[0]
        for name in ("original", "generated")
    )
    assert original.shape == generated.shape and abs(generated).max() > 0.001
