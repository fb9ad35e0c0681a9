"""A run in Slurm as its wrapper sees it, by what a scripted Slurm says; test_slurm.py is real."""

import signal
from collections.abc import Iterator
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
