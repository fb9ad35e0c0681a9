"""Programs one waits for: what they tell, report and warn of, and the errors their ends become."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dlwa.actions import attended
from dlwa.errors import BusyError, DlwaError, NotFoundError, UsageError, VerificationError
from dlwa.hosts import processes

ROOT = Path(__file__).parents[2]
HEAD = """
import json, os, sys, time
from pathlib import Path
from dlwa import runfiles
folder = Path(os.environ["DLWA_RUN_DIR"])
"""
REPORT = """
place = next(word for word in sys.argv if word.startswith("--report="))
Path(place.removeprefix("--report=")).write_text(json.dumps({"folder": str(folder)}))
"""


def run(program: str, tell: attended.Tell = lambda *_: None, **more: object) -> attended.Outcome:
    return attended.run_module((sys.executable, "-c", HEAD + program), tell, ROOT, **more)


def test_a_program_tells_reports_and_warns_and_leaves_no_folder(tmp_path: Path) -> None:
    told: list[tuple[float, float | None, str]] = []

    def hear(*what: object) -> None:
        told.append(what)
        (tmp_path / "heard").touch()

    waits = f"""
runfiles.report_progress(folder, 1.26, 4, "s", "listening")
for _ in range(600):
    if not Path({str(tmp_path / "heard")!r}).exists():
        time.sleep(0.05)
print("warning: it is quiet")
"""
    outcome = run(waits + REPORT, hear)
    assert told == [(1.3, 4.0, "listening")]
    assert outcome.warnings == ("it is quiet",)
    assert not Path(outcome.report["folder"]).exists()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, DlwaError),
        (2, UsageError),
        (3, NotFoundError),
        (6, BusyError),
        (7, VerificationError),
        (9, DlwaError),
    ],
)
def test_the_exit_code_becomes_the_kind_of_error(code: int, kind: type[DlwaError]) -> None:
    with pytest.raises(DlwaError, match=f"^the test ended with exit code {code} and no word$") as e:
        run(f"sys.exit({code})", what="the test")
    assert type(e.value) is kind


def test_what_it_said_is_told_and_an_event_is_told_rather() -> None:
    with pytest.raises(DlwaError, match=r"^ValueError: too loud$"):
        run("raise ValueError('too loud')")
    event = "runfiles.report_event(folder, 'failed', reason='too loud', hint='play softer')\n"
    with pytest.raises(DlwaError, match=r"^too loud$") as caught:
        run(event + "raise ValueError('other')")
    assert caught.value.hint == "play softer"


def test_a_program_that_should_report_and_does_not_has_failed() -> None:
    with pytest.raises(DlwaError, match="exit code 0 and no word"):
        run("pass")
    assert run("pass", reports=False).report == {}


def until(what: Callable[[], object], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells of dead parents")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_closed_terminal_leaves_no_program_and_no_folder(tmp_path: Path, signum: int) -> None:
    works = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).mkdir(); time.sleep(99)"
    mark = tmp_path / "works"
    waits = (
        "import sys; from dlwa.actions.attended import run_module\n"
        f"run_module([sys.executable, '-c', {works!r}, {str(mark)!r}], lambda *_: None)"
    )
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    argv = [sys.executable, "-c", waits]
    with subprocess.Popen(argv, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as waiting:
        until(mark.exists)
        (child,) = Path(f"/proc/{waiting.pid}/task/{waiting.pid}/children").read_text().split()
        working = processes.identify(int(child))
        assert working
        assert [path.name[:5] for path in temporary.iterdir()] == ["dlwa-"]
        waiting.send_signal(signum)
        if signum != signal.SIGKILL:
            waiting.send_signal(signum)  # a terminal that closes is told twice
        waiting.wait(timeout=30)
    until(lambda: processes.identify(working.pid) != working)
    if signum != signal.SIGKILL:
        assert list(temporary.iterdir()) == []


def test_signals_mean_again_what_they_meant() -> None:
    before = signal.getsignal(signal.SIGTERM)
    run("pass", reports=False)
    assert signal.getsignal(signal.SIGTERM) is before
