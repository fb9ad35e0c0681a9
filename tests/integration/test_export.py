"""A model taken in, taken out and played again by the commands a student types."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.ddsp import golden
from tests.imports import ROOT

pytestmark = [pytest.mark.ddsp, pytest.mark.integration]


def dlwa(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(ROOT / "dlwa.py"), "--root", str(root), *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=300, env={**os.environ})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A workspace with the recorded model taken in as ann/violin and exported as a bundle."""
    root = tmp_path_factory.mktemp("workspace")
    (root / ".dlwa").mkdir()
    theirs = str(golden.FOLDER / "checkpoint_small")
    done = dlwa(root, "ddsp", "import-checkpoint", theirs, "--model_name", "ann/violin")
    assert done.returncode == 0, done.stderr
    assert "ann/violin is here: step 20, 16000 Hz" in done.stdout + done.stderr
    words = ("ddsp", "export", "--model_name", "ann/violin", "--format", "bundle,zip", "--json")
    done = dlwa(root, *words)
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout)


def test_the_copied_bundle_plays_like_the_model(workspace: tuple[Path, dict[str, Any]]) -> None:
    root, told = workspace
    assert [made["max_error_audio"] for made in told["exports"]] == [0.0, 0.0]
    bundle = root / "outputs" / "ann" / "violin" / "export" / "violin.zip"
    (root / "models" / "ddsp" / "bob").mkdir()
    shutil.copy(bundle, root / "models" / "ddsp" / "bob" / "copy.zip")
    t = np.arange(8000) / 16000
    soundfile.write(root / "in.wav", 0.3 * np.sin(2 * np.pi * 440 * t), 16000)
    sounds = []
    for name in ("ann/violin", "bob/copy"):
        out = root / f"{name.replace('/', '_')}.wav"
        words = ("ddsp", "timbre-transfer", str(root / "in.wav"), str(out), "--model_name", name)
        done = dlwa(root, *words)
        assert done.returncode == 0, done.stderr
        sounds.append(soundfile.read(out)[0])
    assert len(sounds[0]) == 8000 and np.any(sounds[0])
    np.testing.assert_array_equal(sounds[0], sounds[1])


def test_a_damaged_bundle_is_refused_by_name(workspace: tuple[Path, dict[str, Any]]) -> None:
    root, _ = workspace
    broken = root / "models" / "ddsp" / "eve" / "broken"
    shutil.copytree(root / "outputs" / "ann" / "violin" / "export" / "bundle", broken)
    with (broken / "weights.npz").open("r+b") as stream:
        stream.seek(4000)
        stream.write(b"not what was written")
    soundfile.write(root / "short.wav", 0.3 * np.sin(np.arange(8000) / 6), 16000)
    words = ("ddsp", "timbre-transfer", str(root / "short.wav"), str(root / "no.wav"))
    done = dlwa(root, *words, "--model_name", "eve/broken")
    assert done.returncode == 1 and "damaged: weights.npz" in done.stderr
    assert not (root / "no.wav").exists()


def test_refusals_leave_nothing(workspace: tuple[Path, dict[str, Any]]) -> None:
    root, _ = workspace
    done = dlwa(root, "ddsp", "export", "--model_name", "ann/violin")
    assert done.returncode == 6 and "exists already" in done.stderr
    (root / "empty").mkdir(exist_ok=True)
    done = dlwa(root, "ddsp", "import-checkpoint", str(root / "empty"), "--model_name", "ann/new")
    assert done.returncode == 1 and "no checkpoint" in done.stderr and "hint:" in done.stderr
    assert not list((root / "models" / "ddsp" / "ann").glob("*new*"))
