"""What happens to machines: clocks are set, disks fill up, servers are killed."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlwa.actions import durations, receipts, stopping
from dlwa.actions.runs import Run
from tests.cli.test_json_documents import RECORD
from tests.integration.lab import Lab, needs_screen, wait_for

pytestmark = [pytest.mark.integration, needs_screen]

HOUR_S = 3600.0
# Every Python started from here reads a clock that the test can set.
SETTABLE = """
import os, time
_real, _file = time.time, os.environ["TEST_CLOCK"]
time.time = lambda: _real() + float(open(_file).read())
"""
SAVES = """
import os, signal, sys, time
from pathlib import Path
from dlwa import runfiles
folder, steps, asked = Path(os.environ["DLWA_RUN_DIR"]), 0, []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
while not asked:
    steps += 1
    runfiles.report_step(folder, steps, 30000, {"total_loss": 5.0}, 20.0)
    time.sleep(0.05)
runfiles.report_event(folder, "stopped", step=steps)
"""


class SettableClock:
    """The clock of the wrapper and the job."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set_by(0.0)

    def set_by(self, seconds: float) -> None:
        aside = self._file.with_suffix(".new")
        aside.write_text(str(seconds))
        aside.replace(self._file)


@pytest.fixture
def clock(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettableClock:
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sitecustomize.py").write_text(SETTABLE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    monkeypatch.setenv("TEST_CLOCK", str(tmp_path / "clock"))
    return SettableClock(tmp_path / "clock")


@pytest.mark.parametrize("set_by_s", [2 * HOUR_S, -2 * HOUR_S])
def test_a_clock_set_under_a_live_run(lab: Lab, clock: SettableClock, set_by_s: float) -> None:
    run = lab.start(SAVES, kind="train")
    run = lab.until(run, lambda now: now.paths.metrics.exists())
    clock.set_by(set_by_s)
    run = lab.until(run, lambda now: "clock_shift_s" in now.record)
    run = lab.until(run, lambda now: abs(now.record["clock_shift_s"] - set_by_s) < 5)
    wait_for(lambda: "the clock was set by" in lab.log(run))
    assert lab.again(run).state == "running"
    ended = stopping.stop(run, lab.host, "ann")
    assert ended.state == "stopped" and "saved at step" in ended.reason
    assert set(ended.record) <= RECORD, "every key of the record is documented"
    assert f"=== dlwa: {receipts.in_a_line(ended)}\n" in lab.log(ended), "the receipt ends the log"
    told = receipts.receipt(ended)
    assert 0 <= told.waited_s < 60 and 0 < told.computed_s < 60
    assert told.step and told.last_loss == 5.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


FILLER = """
import sys
with open(sys.argv[1], "ab", buffering=0) as stream:
    while True:
        try:
            stream.write(b"x" * 512)
        except OSError:
            pass
"""
TALKS = """
import time
from pathlib import Path
while not Path("enough").exists():
    print("x" * 300, flush=True)
    time.sleep(0.01)
print("the last word")
raise SystemExit(CODE)
"""


@pytest.mark.parametrize(("code", "state"), [(0, "finished"), (3, "failed")])
def test_a_disk_that_others_keep_full(lab: Lab, small_disk: Path, code: int, state: str) -> None:
    """The end is recorded although every byte that becomes free is taken at once."""
    talks = TALKS.replace("CODE", str(code)).replace('"enough"', repr(str(lab.root / "enough")))
    run = lab.start(talks, folder=small_disk / "run", cwd=lab.root)
    argv = [sys.executable, "-c", FILLER, str(small_disk / "hog")]
    with subprocess.Popen(argv) as filler:
        wait_for(lambda: shutil.disk_usage(small_disk).free == 0)
        size = run.paths.log.stat().st_size
        (lab.root / "enough").touch()
        ended = lab.ended(run)
        filler.kill()
    assert ended.state == state and ended.record["computed_s"] > 0
    assert run.paths.log.stat().st_size <= size + 4096, "lines were lost, and nothing else"
    if code:
        assert ended.reason.startswith("the disk is full")


def test_a_run_outlives_a_full_disk_and_logs_on(lab: Lab, small_disk: Path) -> None:
    talks = TALKS.replace("CODE", "0").replace('"enough"', repr(str(lab.root / "enough")))
    run = lab.start(talks, folder=small_disk / "run", cwd=lab.root)
    hog = small_disk / "hog"
    with hog.open("wb") as stream, pytest.raises(OSError):
        while True:
            stream.write(b"x" * 65536)
            stream.flush()
    assert lab.again(run).state == "running"
    hog.unlink()
    (lab.root / "enough").touch()
    assert lab.ended(run).state == "finished"
    assert durations.computed_s(lab.again(run)) > 0
    assert not run.paths.reserve.exists()


def started(lab: Lab) -> Run:
    return lab.until(lab.start(SAVES, kind="train"), lambda now: now.paths.metrics.exists())


def test_a_killed_server_leaves_no_dead_session_behind(lab: Lab) -> None:
    run = started(lab)
    os.kill(lab.session(run).pid, signal.SIGKILL)
    assert lab.ended(run).state == "stopped"
    shown = lab.dlwa("util", "screen-list")
    assert "dead" not in shown.stdout, shown.stdout
    assert not lab.sessions()
