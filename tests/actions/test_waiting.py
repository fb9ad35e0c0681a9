"""How long a waiting run waits: known, bounded, or unknown, and said as such."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from dlwa.actions.runs import Run
from dlwa.actions.waiting import Wait, ordinal, wait_of
from dlwa.workspace import RunPaths
from tests.made_runs import add_steps, make_run


def waiting(position: int, *blockers: Path, **more: Any) -> Run:
    gpus = more.pop("gpus", 1)
    queue = {"position": position, "blockers": [{"folder": str(one)} for one in blockers], **more}
    return Run(RunPaths(Path("/nowhere")), {"queue": queue, "gpus": gpus}, "queued", "")


def computing(root: Path, name: str, left_s: float, **record: Any) -> Path:
    folder = make_run(root, name, **record)
    line = {"step": 100, "total_steps": 100 + left_s, "steps_per_s": 1.0, "time": time.time()}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    return folder


def test_the_second_in_line_waits_for_the_second_to_end(tmp_path: Path) -> None:
    one, two = computing(tmp_path, "ann/a", 7200), computing(tmp_path, "ben/b", 600)
    assert wait_of(waiting(1, one, two)) == Wait(1, 600)
    assert wait_of(waiting(2, one, two)) == Wait(2, 7200)


def test_behind_others_who_wait_only_a_lower_bound_is_known(tmp_path: Path) -> None:
    one, two = computing(tmp_path, "ann/a", 7200), computing(tmp_path, "ben/b", 600)
    told = wait_of(waiting(3, one, two))
    assert told == Wait(3, 600, at_least=True)
    assert told.words() == "3rd in line, more than 10 min"


def test_who_waits_for_the_own_limit_waits_for_the_first_of_the_own(tmp_path: Path) -> None:
    one, two = computing(tmp_path, "ann/a", 7200), computing(tmp_path, "ann/b", 600)
    assert wait_of(waiting(1, one, two, own_limit=True)) == Wait(1, 600)
    others_first = wait_of(waiting(4, one, two, own_limit=True))
    assert others_first == Wait(4, 600, at_least=True), "they take what one's own run gives back"


def test_who_needs_two_gpus_waits_longer_than_for_one(tmp_path: Path) -> None:
    one, two = computing(tmp_path, "ann/a", 7200), computing(tmp_path, "ben/b", 600)
    assert wait_of(waiting(1, one, two, gpus=2)) == Wait(1, 600, at_least=True)
    assert wait_of(waiting(1, one, gpus=2)) == Wait(1, 7200)


def test_the_time_limit_of_the_lab_bounds_the_waiting(tmp_path: Path) -> None:
    limited = {"limits": {"hours_per_run": 1}, "started_at": time.time() - 1800}
    told = wait_of(waiting(1, computing(tmp_path, "ann/a", 99999, **limited)))
    assert told and told.seconds == pytest.approx(1800, abs=5)


def test_of_a_run_that_has_just_begun_only_the_limit_is_known(tmp_path: Path) -> None:
    """A training of a minute under a limit of a day: who waits does not wait "about" a day."""
    limited = {"limits": {"hours_per_run": 24}, "started_at": time.time()}
    new = make_run(tmp_path, "ann/new", **limited)
    told = wait_of(waiting(1, new))
    assert told and told.at_most and told.words() == "1st in line, at most 24 h"
    assert wait_of(waiting(2, new)) == Wait(2, None), "it may end at once, so nothing is a minimum"
    quick = computing(tmp_path, "ben/b", 600)
    first = wait_of(waiting(1, new, quick))
    assert first == Wait(1, 600, at_most=True), "the new one may end before"


def test_nothing_is_promised_of_a_run_that_has_stalled(tmp_path: Path) -> None:
    folder = computing(tmp_path, "ann/a", 600)
    long_ago = time.time() - 3600
    for path in folder.iterdir():
        os.utime(path, (long_ago, long_ago))
    assert wait_of(waiting(1, folder)) == Wait(1, None)


def test_a_data_set_in_the_making_counts_too(tmp_path: Path) -> None:
    folder = make_run(tmp_path, kind="make-dataset", started_at=time.time() - 100)
    line = {"done": 10, "total": 40, "unit": "s of audio", "time": time.time()}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    told = wait_of(waiting(1, folder))
    assert told and told.seconds == pytest.approx(300, rel=0.05)


@pytest.mark.parametrize("position", [1, 2])
def test_what_is_not_known_is_not_told(tmp_path: Path, position: int) -> None:
    silent = make_run(tmp_path, "ann/silent")
    for blockers in ((), (silent,), (tmp_path / "gone",)):
        told = wait_of(waiting(position, *blockers))
        assert told == Wait(position, None)
        assert told.words() == f"{ordinal(position)} in line"


def test_who_does_not_wait_has_no_place(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    add_steps(folder, 10)
    assert wait_of(Run(RunPaths(folder), {"queue": None}, "queued", "")) is None
    assert wait_of(Run(RunPaths(folder), {"queue": {"position": 1}}, "running", "")) is None


def test_ordinals() -> None:
    told = " ".join(ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111))
    assert told == "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th"
