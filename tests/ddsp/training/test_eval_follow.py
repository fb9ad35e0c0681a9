"""Waiting for the checkpoints of a training, and the ways in which it comes to no more of them."""

import os
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from dlwa import runfiles
from dlwa.hosts import processes
from dlwa.workspace import RunPaths

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
    RunPaths(folder).lock.touch()


def save(folder, step):
    for name in (f"ckpt-{step}.index", f"ckpt-{step}.data-00000-of-00001"):
        (folder / name).write_bytes(b"x")


def steps(folder, monkeypatch, *happens):
    """The steps of the checkpoints seen, while one thing after the other happens."""
    from dlwa.ddsp.training import eval_follow

    monkeypatch.setattr(eval_follow, "ASK_AGAIN_S", 0.0)
    to_come = list(happens)

    def sleep(_):
        if not to_come:
            raise TimeoutError("it still waits")
        to_come.pop(0)()

    # not time.sleep itself: who waits for a process sleeps too
    waiting = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    monkeypatch.setattr(eval_follow, "time", waiting)
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
    told = f"The training is lost (its wrapper (pid {process.pid}) was killed"
    assert told in caplog.text


def test_the_record_s_own_word_is_enough(tmp_path, monkeypatch, process, caplog):
    from dlwa.ddsp.training import eval_follow

    monkeypatch.setattr(eval_follow.subprocess, "run", lambda *_, **__: pytest.fail("it is known"))
    save(tmp_path, 1)
    record(tmp_path, process.pid, "finished")
    with caplog.at_level("INFO", logger="absl"):
        assert steps(tmp_path, monkeypatch) == ["1"]
    assert "The training is finished; there will be no more checkpoints" in caplog.text


@pytest.mark.parametrize(
    "gone",
    [
        {"boot_id": "another start of the machine", "child_pid_start": 1},
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
        {"pid": None, "child_pid": None},  # it is just coming up
    ],
)
def test_what_cannot_be_seen_from_here_is_waited_for(tmp_path, monkeypatch, process, elsewhere):
    save(tmp_path, 1)
    record(tmp_path, process.pid, created_at=time.time(), **elsewhere)
    kill(process)
    with pytest.raises(TimeoutError, match="still waits"):
        steps(tmp_path, monkeypatch, lambda: None)


def slurm_says(folder, monkeypatch, **answers):
    """Programs of Slurm that say something, as sh would."""
    for name in ("squeue", "scontrol", "sacct"):
        program = folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{answers.get(name, 'exit 1')}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)


IN_SLURM = {"keeper": "slurm", "slurm_job_id": "12", "host": "gpu7", "session": "dlwa.ann.a.0"}
GONE = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"


def test_a_job_that_slurm_no_longer_knows_is_told(tmp_path, monkeypatch, caplog):
    save(tmp_path, 1)
    record(tmp_path, os.getpid(), **IN_SLURM)
    slurm_says(tmp_path, monkeypatch, squeue="exit 0", scontrol=GONE)
    with caplog.at_level("INFO", logger="absl"):
        assert steps(tmp_path, monkeypatch) == ["1"]
    told = "The training is lost (Slurm no longer knows its job 12, which was running)"
    assert told in caplog.text


def test_a_slurm_that_does_not_answer_is_waited_for(tmp_path, monkeypatch):
    save(tmp_path, 1)
    record(tmp_path, os.getpid(), **IN_SLURM)
    slurm_says(tmp_path, monkeypatch)
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
    told = "is failed" if state == "failed" else "is lost"
    with pytest.raises(FileNotFoundError, match=f"{told}.*, without a checkpoint"):
        steps(tmp_path, monkeypatch)
