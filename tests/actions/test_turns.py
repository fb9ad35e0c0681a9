"""A run in Slurm as its wrapper sees it, by what a scripted Slurm says; test_slurm.py is real."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions import wrapper as wrapper_module
from dlwa.actions._outcome import Outcome
from dlwa.actions._rooms import SlurmAllocation
from dlwa.actions._run import Run
from dlwa.actions.durations import computed_s, gpu_hours
from dlwa.actions.wrapper import Wrapper
from dlwa.hosts.base import Completed
from dlwa.hosts.local import LocalHost
from dlwa.shell import Command
from tests.made_runs import make_run

DENIED = Completed(1, "", "Requested operation not supported on this system for job 12")
SLOW = Completed(124, "", "scontrol did not answer within 10 s")


class Node(LocalHost):
    """Its scontrol says what it was told to say."""

    requeue, show = Completed(0, ""), Completed(0, "")
    asked: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.asked = []

    def run(self, command: Command, timeout_s: float = 20.0) -> Completed:
        if command.argv[0] != "scontrol":
            return Completed(127, "", "not found")
        word = "requeue" if "requeue" in command.argv else "show"
        self.asked.append(word)
        return self.requeue if word == "requeue" else self.show


def described(state: str, restarts: int) -> Completed:
    return Completed(0, f"JobId=12 JobName=x JobState={state} Restarts={restarts}")


@pytest.fixture
def handlers() -> Iterator[None]:
    """What the wrapper does to signals ends with the test."""
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def wrapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handlers: None) -> Wrapper:
    """One whose training has computed for a while on one GPU, in its second turn."""
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setattr(wrapper_module, "LocalHost", Node)
    turns = [{"computed_s": 100.0, "gpus": 1, "ended": "its time was up"}]
    more = {"keeper": "slurm", "slurm_job_id": "12", "slurm_requeues_allowed": 5, "turns": turns}
    made = Wrapper(make_run(tmp_path, devices="gpu", gpus=1, **more))
    made.record.begin(gpu_uuids=["GPU-7"])
    assert made.record._began_s is not None
    made.record._began_s -= 1000.0
    return made


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handlers: None) -> Callable[..., dict]:
    """Run a job in Slurm to its end, in an environment; return the record."""

    def run(devices: str, cuda: str | None, count: int = 1) -> dict:
        monkeypatch.setenv("SLURM_JOB_ID", "12")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if cuda is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", cuda)
        monkeypatch.setattr(wrapper_module, "LocalHost", Node)
        seen = "import json, pathlib; print(json.loads(pathlib.Path('run.json').read_text()))"
        more = {"keeper": "slurm", "slurm_job_id": "12", "devices": devices, "gpus": count}
        folder = make_run(tmp_path, command=[sys.executable, "-c", seen], **more)
        runfiles.write_json(folder / "run.json", {**read(folder), "cwd": str(folder)})
        Wrapper(folder).run()
        return read(folder)

    return run


def read(folder: Path) -> dict:
    return runfiles.read_json(folder / "run.json") or {}


def log_of(tmp_path: Path) -> str:
    (log,) = tmp_path.rglob("dlwa_train.log")
    return log.read_text()


@pytest.mark.parametrize("cuda", ["", "NoDevFiles", None])
def test_who_asked_for_a_gpu_does_not_train_on_the_cpu(begun, tmp_path: Path, cuda) -> None:
    record = begun("gpu", cuda)
    assert (record["state"], record["reason"]) == ("failed", "Slurm gave 0 of 1 GPUs")
    assert "gres" in record["hint"] and "sinfo" in record["hint"]
    assert "started" not in log_of(tmp_path), "it never began"


def test_who_takes_what_there_is_sees_that_it_is_the_cpu(begun, tmp_path: Path) -> None:
    assert begun("auto", "")["state"] == "finished"
    told = log_of(tmp_path)
    assert "'reason': 'Slurm gave 0 of 1 GPUs; it computes on the CPU'" in told
    assert "sinfo" in told


def test_fewer_gpus_than_asked_for_are_told_too(begun, tmp_path: Path) -> None:
    assert begun("gpu", "0", count=2)["state"] == "finished"
    assert "'reason': 'Slurm gave 1 of 2 GPUs'" in log_of(tmp_path)


def test_a_gpu_that_was_given_needs_no_words(begun, tmp_path: Path) -> None:
    assert begun("gpu", "3")["gpu_uuids"] == [f"{LocalHost().name}:3"]
    assert "'reason': ''" in log_of(tmp_path)


def end(wrapper: Wrapper) -> dict:
    wrapper.stop_reason, wrapper.stop_signal = "the time is nearly over", signal.SIGUSR1
    wrapper._end(Outcome("stopped", wrapper.stop_reason), 0)
    return runfiles.read_json(wrapper.paths.record) or {}


def test_a_turn_that_is_not_given_is_counted_once(wrapper: Wrapper) -> None:
    wrapper.host.requeue, wrapper.host.show = DENIED, described("RUNNING", 0)
    record = end(wrapper)
    assert record["state"] == "stopped" and "could not go on: Requested" in record["reason"]
    assert 1100 <= record["computed_s"] < 1200
    assert len(record["turns"]) == 1 and record["gpu_uuids"] == ["GPU-7"]
    run = Run(wrapper.paths, record, "stopped", "")
    assert gpu_hours(run) == pytest.approx(record["computed_s"] / 3600)


@pytest.mark.parametrize("now", [described("PENDING", 0), described("COMPLETING", 1)])
def test_slow_to_answer_is_not_a_refusal(wrapper: Wrapper, now: Completed) -> None:
    wrapper.host.requeue, wrapper.host.show = SLOW, now
    record = end(wrapper)
    assert record["state"] == "queued" and len(record["turns"]) == 2
    assert wrapper.host.asked == ["requeue", "show"]
    assert 1100 <= computed_s(Run(wrapper.paths, record, "queued", "")) < 1200


def test_no_word_at_all_is_told_as_it_was(wrapper: Wrapper) -> None:
    wrapper.host.requeue = wrapper.host.show = SLOW
    record = end(wrapper)
    assert record["state"] == "stopped" and "did not answer within 10 s" in record["reason"]
    assert isinstance(wrapper.room, SlurmAllocation) and len(record["turns"]) == 1
