"""The JSON documents hold exactly the keys that docs/reference/json.md promises."""

import json
import math
import re
import time
from pathlib import Path
from typing import Any

import pytest

from dlwa import runfiles
from dlwa.cli import main
from tests.imports import ROOT
from tests.made_runs import add_log, add_steps, make_run

PAGE = (ROOT / "docs/reference/json.md").read_text()
RECORD_PAGE = (ROOT / "docs/reference/run-files.md").read_text()


def section(heading: str, page: str) -> str:
    return page.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def promised(heading: str, page: str = PAGE) -> set[str]:
    """The keys in the first column of the tables under a heading."""
    cells = re.findall(r"^\| (`[^|]*) \|", section(heading, page), re.MULTILINE)
    return {key for cell in cells for key in re.findall(r"`([a-z_]+)`", cell)}


def within(heading: str, key: str) -> set[str]:
    """The keys that a row promises in its second column."""
    (cell,) = re.findall(rf"^\| `{key}` \| (.*) \|$", section(heading, PAGE), re.MULTILINE)
    return set(re.findall(r"`([a-z_]+)`", cell)) - {"null"}


RECORD = promised("run.json", RECORD_PAGE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a run that computes, one that waits and one that has ended."""
    running = make_run(tmp_path, "ann/violin", id="0000000a")
    add_steps(running, 20)
    add_log(running)
    runfiles.report_event(running, "slow", text="it has become slow", step=7)
    queue = {"position": 1, "reason": "x", "own_limit": False, "blockers": []}
    make_run(tmp_path, "ben/flute", "queued", id="0000000b", started_at=None, queue=queue)
    make_run(tmp_path, "cid/tuba", "finished", id="0000000c", ended_at=time.time())
    return tmp_path


def answered(capsys: pytest.CaptureFixture[str], root: Path, *words: str) -> Any:
    main(["--root", str(root), *words, "--json"])
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def test_status(root: Path, capsys) -> None:
    told = answered(capsys, root, "status", "--all")
    assert set(told) == promised("dlwa status --json")
    assert {run["owner"] for run in told["runs"]} == {"ann", "ben", "cid"}
    for run in told["runs"]:
        assert set(run) - RECORD == promised("A run")
    running = next(run for run in told["runs"] if run["state"] == "running")
    assert set(running["progress"]) == within("A run", "progress")
    assert [set(one) for one in running["warnings"]] == [within("A run", "warnings")]


def test_status_of_one_run_has_its_receipt(root: Path, capsys) -> None:
    told = answered(capsys, root, "status", "ann/violin")
    assert set(told) - RECORD == promised("A run") | {"receipt"}
    assert set(told["receipt"]) == promised("A receipt")


def test_the_receipts_of_a_spreadsheet(root: Path, capsys) -> None:
    assert main(["--root", str(root), "status", "--all", "--csv"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert set(head.split(",")) == promised("A receipt") and len(rows) == 3


def test_watch(root: Path, capsys) -> None:
    told = answered(capsys, root, "watch", "ann/violin")
    assert set(told) == promised("dlwa watch RUN --json")
    assert set(told["progress"]) == within("dlwa watch RUN --json", "progress")
    assert set(told["run"]) - RECORD == {"folder", "log"}


def test_a_gpu(root: Path, capsys, monkeypatch) -> None:
    from dlwa.actions import gpus
    from dlwa.tools.nvidia_smi import Gpu

    one = Gpu(0, "GPU-1", "A100", 40960, 10, 0)
    monkeypatch.setattr(gpus, "survey", lambda host: gpus.Survey("ok", (one,)))
    (told,) = answered(capsys, root, "status")["gpus"]
    assert set(told) == promised("A GPU")


def test_usage(root: Path, capsys) -> None:
    told = answered(capsys, root, "user", "usage")
    assert [one["owner"] for one in told] == ["ann", "ben", "cid"]
    assert set(told[0]) == promised("dlwa user usage --json")
    homes = within("dlwa user usage --json", "bytes_by_home")
    assert set(told[0]["bytes_by_home"]) == homes
    assert main(["--root", str(root), "user", "usage", "--csv"]) == 0
    head = set(capsys.readouterr().out.splitlines()[0].split(","))
    assert {f"{home}_bytes" for home in homes} | {"going_on", "owner", "gpu_hours"} <= head


def test_doctor(root: Path, capsys) -> None:
    told = answered(capsys, root, "doctor", "disk", "clock")
    assert set(told) == promised("dlwa doctor --json")
    levels = {"ok", "warn", "fail"}
    assert set(told["findings"][0]) == within("dlwa doctor --json", "findings") - levels


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_leaves_the_document_json(root: Path, capsys, loss: float) -> None:
    folder = root / "models/ddsp/ann/violin"
    runfiles.report_step(folder, 1000, 30000, {"total_loss": loss}, 1.0)
    for words in (("status",), ("status", "ann/violin"), ("watch", "ann/violin")):
        answered(capsys, root, *words)  # parse_constant fails on NaN and Infinity
    assert main(["--root", str(root), "status", "--csv"]) == 0
    assert not {"nan", "inf"} & set(capsys.readouterr().out.replace("\n", ",").split(","))
