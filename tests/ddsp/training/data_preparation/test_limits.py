"""Limits that are real: a disk that fills up midway, a recording longer than the memory allowed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import dlwa
from dlwa.ddsp.audio_io import write_audio
from tests.ddsp.tones import RATE, melody, steady

ROOT = Path(dlwa.__file__).parent.parent
OWN_MOUNTS = ["unshare", "--mount", "--map-root-user"]

ON_A_SMALL_DISK = """
import errno, sys
from pathlib import Path
from dlwa.ddsp.training.data_preparation import _analysis, _clean_road
from tests.ddsp.training.data_preparation.test_cache import Measured, prepare

folder, disk = map(Path, sys.argv[1:])
measure = Measured()

def crowded(*words):
    # as the first recording is measured, somebody else fills the disk
    with open(disk / "filler", "ab", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
    return measure(*words)

_analysis.measure = crowded
try:
    prepare(folder, disk / "set")
except OSError as error:
    assert error.errno == errno.ENOSPC, error
else:
    raise AssertionError("it did not notice")
assert list((disk / "set").iterdir()) == [], list((disk / "set").iterdir())
(disk / "filler").unlink()
_analysis.measure = measure
prepare(folder, disk / "set")
assert (disk / "set" / "dataset.json").is_file()
print("all well")
"""

MEASURED = """
import resource, sys
from pathlib import Path
from dlwa.ddsp.training.data_preparation import _decode, _sources
from dlwa.ddsp.training.data_preparation._cache import Cache

def used_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

path = Path(sys.argv[1])
before = used_mb()
(source,), _ = _sources.examine([path], path.parent)
decoded = _decode.decode(source, "digest", 16000, path.with_suffix(".f32"), Cache())
print(source.info.seconds, len(decoded.samples), round(used_mb() - before))
"""


def python(code, *words, before=()):
    argv = [*before, sys.executable, "-c", code, *map(str, words)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(argv, capture_output=True, text=True, env=env, timeout=200, cwd=ROOT)


@pytest.mark.integration
def test_a_real_disk_that_fills_up_midway_leaves_nothing(tmp_path):
    folder, disk = tmp_path / "in", tmp_path / "disk"
    folder.mkdir(), disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(disk)]
    can = shutil.which("unshare")
    if not can or subprocess.run([*OWN_MOUNTS, *mount], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    for i in range(3):
        write_audio(folder / f"take{i}.wav", melody(10.0, seed=i)[0], RATE)
    words = ["sh", "-c", f'{" ".join(mount[:-1])} "$0" && exec "$@"', str(disk)]
    done = python(ON_A_SMALL_DISK, folder, disk, before=[*OWN_MOUNTS, *words])
    assert done.returncode == 0, done.stderr[-3000:]
    assert "all well" in done.stdout


def test_a_long_recording_needs_no_more_memory_than_a_short_one(tmp_path):
    """Decoded and audited on the way. Four minutes in stereo at 96 kHz are 184 MB
    as numbers; `make bench-datasets` takes two hours.
    """
    second = np.stack([steady(440, 1.0, 96000)] * 2, 1)
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 96000, 2, "PCM_16") as file:
        for _ in range(4):
            file.write(np.tile(second, (60, 1)))
    done = python(MEASURED, tmp_path / "long.wav")
    assert done.returncode == 0, done.stderr[-3000:]
    seconds, n_samples, more_mb = map(float, done.stdout.split())
    assert (seconds, n_samples) == (240.0, 240.0 * RATE)
    assert more_mb < 90
