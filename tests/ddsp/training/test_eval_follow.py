"""Waiting for the checkpoints of a training, and the ways in which it comes to no more of them."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from dlwa import runfiles
from dlwa.hosts import processes

pytestmark = pytest.mark.ddsp


@pytest.fixture
def process():
    """A process that lives until somebody ends it."""
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield child
    child.kill()
    child.wait()


def record(folder, number, state="running", **more):
    """What the wrapper of a training writes down of a process."""
    me = processes.identify(number)
    values = {
        "state": state,
        "host": socket.gethostname(),
        "boot_id": processes.boot_id(),
        "pid": number,
        "pid_start": me.start if me else 1,
        "child_pid": number,
        "child_pid_start": me.start if me else 1,
    }
    runfiles.write_json(folder / runfiles.RECORD_FILE, {**values, **more})


def save(folder, step):
    for name in (f"ckpt-{step}.index", f"ckpt-{step}.data-00000-of-00001"):
        (folder / name).write_bytes(b"x")


def steps(folder, monkeypatch, *happens):
    """The steps of the checkpoints seen, while one thing after the other happens."""
    from dlwa.ddsp.training import eval_follow

    to_come = list(happens)

    def sleep(_):
        if not to_come:
            raise TimeoutError("it still waits")
        to_come.pop(0)()

    monkeypatch.setattr(eval_follow.time, "sleep", sleep)
    found = [path.rsplit("-", 1)[1] for path in eval_follow.checkpoints(str(folder))]
    assert not to_come
    return found


def kill(child):
    child.kill()
    child.wait()


def test_a_killed_training_is_told_as_lost_after_its_last_checkpoint(
    tmp_path, monkeypatch, process, caplog
):
    save(tmp_path, 1)
    record(tmp_path, process.pid)

    def last():
        save(tmp_path, 2)
        kill(process)

    with caplog.at_level("INFO", logger="absl"):
        assert steps(tmp_path, monkeypatch, lambda: None, last) == ["1", "2"]
    assert "The training is lost (its process ended without a word)" in caplog.text


def test_what_the_record_says_at_last_counts(tmp_path, monkeypatch, process, caplog):
    from dlwa.ddsp.training import eval_follow

    save(tmp_path, 1)
    record(tmp_path, process.pid)
    kill(process)
    lives = eval_follow._lives

    def ends_meanwhile(pid, start):
        record(tmp_path, pid, "finished")
        return lives(pid, start)

    monkeypatch.setattr(eval_follow, "_lives", ends_meanwhile)
    with caplog.at_level("INFO", logger="absl"):
        assert steps(tmp_path, monkeypatch) == ["1"]
    assert "The training is over (finished)" in caplog.text


@pytest.mark.parametrize(
    "gone",
    [
        {"boot_id": "another start of the machine"},
        {"pid_start": 1, "child_pid_start": 1},  # the numbers belong to other processes by now
    ],
)
def test_a_restarted_machine_and_a_number_used_again(tmp_path, monkeypatch, gone):
    save(tmp_path, 1)
    record(tmp_path, os.getpid(), **gone)
    assert steps(tmp_path, monkeypatch) == ["1"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"host": "another machine"},
        {"keeper": "slurm"},
        {"pid": None, "child_pid": None},  # it is just coming up
    ],
)
def test_what_cannot_be_seen_from_here_is_waited_for(tmp_path, monkeypatch, process, elsewhere):
    save(tmp_path, 1)
    record(tmp_path, process.pid, **elsewhere)
    kill(process)
    with pytest.raises(TimeoutError, match="still waits"):
        steps(tmp_path, monkeypatch, lambda: None)


def test_a_job_that_outlives_its_wrapper_is_waited_for(tmp_path, monkeypatch, process):
    save(tmp_path, 1)
    record(tmp_path, process.pid, pid=2**22 + 1)
    os.kill(process.pid, signal.SIGSTOP)  # halted is not gone
    with pytest.raises(TimeoutError, match="still waits"):
        steps(tmp_path, monkeypatch, lambda: None)


@pytest.mark.parametrize("state", ["failed", "running"])
def test_a_training_that_ended_without_a_checkpoint(tmp_path, monkeypatch, process, state):
    record(tmp_path, process.pid, state)
    kill(process)
    told = r"is over \(failed\)" if state == "failed" else "is lost"
    with pytest.raises(FileNotFoundError, match=f"{told}.*; it left no checkpoint"):
        steps(tmp_path, monkeypatch)
