"""`dlwa ddsp convert-gin` on files like the course's, as it is typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ddsp, pytest.mark.integration]

OLD = """\
import ddsp.training
get_model.model = @models.Autoencoder()
Autoencoder.preprocessor = @preprocessing.DefaultPreprocessor()
DefaultPreprocessor.time_steps = 1000
Autoencoder.decoder = @decoders.RnnFcDecoder()
RnnFcDecoder.ch = 512
Autoencoder.processor_group = @processors.ProcessorGroup()
ProcessorGroup.dag = [(@synths.Additive(), ['amps', 'harmonic_distribution', 'f0_hz'])]
Additive.n_samples = 128000
"""


def convert(*words: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "dlwa.cli", "ddsp", "convert-gin", *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=200)


def test_an_old_file_becomes_one_of_today_and_each_change_is_told(tmp_path: Path) -> None:
    old, new = tmp_path / "old.gin", tmp_path / "new.gin"
    old.write_text(OLD)
    done = convert(old, new)
    assert done.returncode == 0, done.stderr
    text = new.read_text()
    assert "Harmonic.n_samples = 128000" in text and "@preprocessing.F0LoudnessPreproc" in text
    assert "RnnFcDecoder.input_keys = ('f0_scaled', 'ld_scaled')" in text
    assert "Additive" not in text and old.read_text() == OLD
    assert "line 9: `Additive.n_samples = 128000` is now" in done.stderr
    assert convert(old, new).returncode == 6, "nothing is overwritten unasked"


def test_what_cannot_be_translated_is_told_and_the_command_fails(tmp_path: Path) -> None:
    old = tmp_path / "old.gin"
    old.write_text(OLD + "RnnFcDecoder.layers_per_stak = 3\n")
    done = convert(old, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert "layers_per_stak" in document["problem"] and "layers_per_stack" in document["hint"]
    assert document["problem"].startswith(f"{old}:10")
    assert "Harmonic.n_samples" in document["text"]
