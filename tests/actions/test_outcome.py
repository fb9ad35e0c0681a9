"""Finished, stopped and failed can never look alike."""

import signal
import time
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions._outcome import Ending, judge
from dlwa.workspace import RunPaths


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    return RunPaths(tmp_path)


def judged(paths: RunPaths, code: int, output: str = "", kind: str = "train", **more):
    outcome = judge(Ending(code, output, **more), paths, kind, {"started_at": time.time() - 5})
    return outcome.state, outcome.reason


def test_exit_code_zero_is_finished(paths: RunPaths) -> None:
    assert judged(paths, 0, "ValueError: long caught") == ("finished", "")


def test_saved_after_being_asked_is_stopped(paths: RunPaths) -> None:
    runfiles.report_event(paths.folder, "stopped", step=300)
    assert judged(paths, 0, stop_reason="stopped by ann") == (
        "stopped",
        "stopped by ann; saved at step 300",
    )


def test_finished_just_before_the_request_is_finished(paths: RunPaths) -> None:
    assert judged(paths, 0, stop_reason="stopped by ann")[0] == "finished"
    assert judged(paths, 0, kind="run", stop_reason="stopped by ann")[0] == "stopped"


def test_an_older_stop_does_not_count(paths: RunPaths) -> None:
    event = {"event": "stopped", "time": time.time() - 60}
    runfiles.append_line(paths.events, event)
    assert judged(paths, 0)[0] == "finished"


@pytest.mark.parametrize("code", [-signal.SIGTERM, 143, 130, -signal.SIGKILL])
def test_ended_by_the_request_is_stopped(paths: RunPaths, code: int) -> None:
    assert judged(paths, code, stop_reason="stopped by ann") == ("stopped", "stopped by ann")


def test_failing_while_asked_to_stop_is_failed(paths: RunPaths) -> None:
    assert judged(paths, 1, "OSError: cannot save", stop_reason="stopped by ann") == (
        "failed",
        "OSError: cannot save",
    )


def test_killed_because_it_did_not_stop_says_so(paths: RunPaths) -> None:
    told = judged(paths, -9, stop_reason="stopped by ann", was_killed=True)
    assert told == ("stopped", "stopped by ann; it did not save in time and was killed")


def test_killed_after_it_had_saved_is_told_as_saved(paths: RunPaths) -> None:
    """Only the end of its process took too long; nothing is lost."""
    runfiles.report_event(paths.folder, "stopped", step=1252)
    told = judged(paths, -9, stop_reason="stopped by ann", was_killed=True)
    assert told == ("stopped", "stopped by ann; saved at step 1252")


def test_what_the_job_says_itself_comes_first(paths: RunPaths) -> None:
    runfiles.report_event(
        paths.folder, "failed", reason="batch_sizee is unknown", hint="batch_size"
    )
    outcome = judge(Ending(2, "Traceback ..."), paths, "train", {"started_at": time.time() - 5})
    assert (outcome.state, outcome.reason, outcome.hint) == (
        "failed",
        "batch_sizee is unknown",
        "batch_size",
    )


@pytest.mark.parametrize(
    ("code", "more", "words"),
    [
        (-9, {}, "killed from outside dlwa (SIGKILL)"),
        (-9, {"ran_out_of_memory": True}, "ran out of memory"),
        (-11, {}, "crashed (SIGSEGV)"),
        (-15, {}, "killed from outside dlwa (SIGTERM)"),
        (-40, {}, "signal 40"),
        (7, {}, "exit code 7"),
        (1, {"disk_full": True}, "the disk is full"),
    ],
)
def test_every_death_has_its_words(paths: RunPaths, code: int, more: dict, words: str) -> None:
    state, reason = judged(paths, code, **more)
    assert state == "failed" and words in reason


def test_a_full_disk_is_recognised_by_what_the_job_said(paths: RunPaths) -> None:
    output = "OSError: [Errno 28] No space left on device: 'x'"
    assert judged(paths, 1, output)[1].startswith("the disk is full: OSError")
