"""How runs really stand: the record against the processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions import receipts, runs
from dlwa.errors import NotFoundError, UsageError
from dlwa.hosts.local import LocalHost
from dlwa.workspace import Workspace
from tests.made_runs import add_steps, make_run

HOST = LocalHost()


def state_of(folder: Path, **more) -> tuple[str, str]:
    run = runs.read_run(folder, HOST, **more)
    assert run is not None
    return run.state, run.reason


def test_a_living_wrapper_is_believed(tmp_path: Path) -> None:
    assert state_of(make_run(tmp_path)) == ("running", "")


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
def test_an_end_is_an_end_whoever_lives(tmp_path: Path, state: str) -> None:
    assert state_of(make_run(tmp_path, state=state, reason="so"))[0] == state


@pytest.mark.parametrize("state", ["queued", "starting", "running"])
def test_after_a_restart_of_the_machine_it_is_lost(tmp_path: Path, state: str) -> None:
    found, reason = state_of(make_run(tmp_path, state=state, boot_id="another boot"))
    assert found == "lost" and "restarted" in reason


def test_a_number_used_again_is_not_the_wrapper(tmp_path: Path) -> None:
    me = HOST.identify(os.getpid())
    assert me is not None
    state, reason = state_of(make_run(tmp_path, pid_start=me.start - 1))
    assert state == "lost" and "was killed" in reason


def test_a_zombie_is_dead(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    identity = HOST.identify(child.pid)
    assert identity is not None
    deadline = time.monotonic() + 10
    while HOST.identify(child.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    folder = make_run(tmp_path, pid=identity.pid, pid_start=identity.start)
    assert state_of(folder)[0] == "lost"
    child.wait()


def test_a_job_that_outlived_its_wrapper_is_told(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as job:
        identity = HOST.identify(job.pid)
        assert identity is not None
        child = {"child_pid": identity.pid, "child_pid_start": identity.start}
        folder = make_run(tmp_path, pid=identity.pid, pid_start=1, **child)
        assert "still runs" in state_of(folder)[1]
        job.send_signal(signal.SIGSTOP)
        me = HOST.identify(os.getpid())
        assert me is not None
        folder = make_run(tmp_path, "ann/halted", **child)
        deadline = time.monotonic() + 5
        while state_of(folder)[0] != "stalled" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert state_of(folder)[0] == "stalled" and "halted by a signal" in state_of(folder)[1]
        job.kill()


def test_what_the_job_saved_before_the_wrapper_died_is_told(tmp_path: Path) -> None:
    folder = make_run(tmp_path, pid_start=1)
    runfiles.report_event(folder, "stopped", step=1200)
    assert "saved at step 1200" in state_of(folder)[1]


def test_silence_is_a_stall_and_a_word_ends_it(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    long_ago = time.time() - 3600
    os.utime(folder / "run.json", (long_ago, long_ago))
    assert state_of(folder)[0] == "stalled" and "60 min" in state_of(folder)[1]
    assert state_of(folder, stalled_after_s=7200)[0] == "running"
    add_steps(folder, 3)
    assert state_of(folder)[0] == "running"


def test_a_clock_that_went_back_makes_no_stall(tmp_path: Path) -> None:
    folder = make_run(tmp_path, created_at=time.time() + 7200, started_at=time.time() + 7200)
    tomorrow = time.time() + 86400
    os.utime(folder / "run.json", (tomorrow, tomorrow))
    assert state_of(folder)[0] == "running"


def test_a_session_that_never_came_up_is_lost_after_a_while(tmp_path: Path) -> None:
    young = make_run(tmp_path, state="queued", pid=None, pid_start=None, created_at=time.time())
    assert state_of(young)[0] == "queued"
    old = make_run(tmp_path, "ann/old", state="queued", pid=None, pid_start=None)
    assert state_of(old) == ("lost", "its session never came up")


def test_a_run_on_another_machine_is_judged_by_its_files(tmp_path: Path) -> None:
    folder = make_run(tmp_path, host="vm2", pid=1, pid_start=1)
    assert state_of(folder) == ("running", "runs on vm2")
    long_ago = time.time() - 3600
    os.utime(folder / "run.json", (long_ago, long_ago))
    assert state_of(folder)[0] == "stalled"


def test_a_copy_of_a_live_run_is_told_as_such(tmp_path: Path) -> None:
    """As `fetch --all` brings it: what is hidden, such as the wrapper's lock, stays where it is."""
    folder = make_run(tmp_path, host="vm2", pid=1, pid_start=1)
    (folder / ".run.lock").unlink()
    assert state_of(folder) == ("lost", "a copy; on vm2 it was running when this was taken")
    (folder / ".start.lock").touch()  # this is where it was started, its wrapper is not up yet
    assert state_of(folder)[0] == "running"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "running"}'])
def test_a_broken_record_breaks_nothing(tmp_path: Path, text: str) -> None:
    folder = make_run(tmp_path)
    (folder / "run.json").write_text(text)
    run = runs.read_run(folder, HOST)
    assert run is None or run.state in ("lost", "stalled", "running")
    runs.all_runs(Workspace(tmp_path), HOST)


NOT_OURS = [
    {"state": {"running": True}},
    {"created_at": "2026-11-21T21:00:00"},
    {"created_at": float("nan"), "ended_at": 10**400},
    {"turns": {"a": 1}, "state": "finished"},
    {"turns": [None, {"computed_s": "1 h"}, {"computed_s": None}], "total_steps": "many"},
]


@pytest.mark.parametrize("wrong", NOT_OURS, ids=lambda wrong: "-".join(wrong))
def test_another_programs_run_json_hides_no_other_run(tmp_path: Path, wrong: dict) -> None:
    folder = make_run(tmp_path)
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, **wrong}))
    make_run(tmp_path, "bob/good")
    found = {run.name: run for run in runs.all_runs(Workspace(tmp_path), HOST)}
    assert found["bob/good"].state == "running"
    odd = found["ann/violin"]
    json.dumps(odd.document(), allow_nan=False)
    receipts.in_a_line(odd)


def test_runs_are_found_by_id_name_session_and_last_part(tmp_path: Path) -> None:
    make_run(tmp_path, "ann/violin", id="11111111", session="dlwa.ann.violin.11111111")
    make_run(tmp_path, "bob/deep/flute", id="22222222", session="dlwa.bob.flute.22222222")
    found = runs.all_runs(Workspace(tmp_path), HOST)
    assert len(found) == 2
    for text in (
        "11111111",
        "ann/violin",
        "dlwa.ann.violin.11111111",
        "99.dlwa.ann.violin.11111111",
    ):
        assert runs.find_run(found, text).id == "11111111"
    assert runs.find_run(found, "flute").id == "22222222"
    for text in ("ann", "1111", "violi", "dlwa.ann.violin.1111111", ""):
        with pytest.raises(NotFoundError):
            runs.find_run(found, text)


def test_a_name_that_means_two_live_runs_is_not_guessed(tmp_path: Path) -> None:
    make_run(tmp_path, "ann/violin", id="11111111")
    make_run(tmp_path, "bob/violin", id="22222222")
    found = runs.all_runs(Workspace(tmp_path), HOST)
    with pytest.raises(UsageError, match="11111111"):
        runs.find_run(found, "violin")
