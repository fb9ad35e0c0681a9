"""Runs and GPUs: real sessions, fake nvidia-smi."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from dlwa.actions import stopping
from dlwa.labs import Limits
from tests.integration.lab import Lab, gpu, needs_screen

pytestmark = [pytest.mark.integration, needs_screen]

SHOW = "import os, time\nprint('sees', os.environ['CUDA_VISIBLE_DEVICES'], flush=True)\n"
FOREVER = SHOW + "while True: time.sleep(1)"
FIRST, SECOND = gpu(0)["uuid"], gpu(1)["uuid"]


def test_a_run_gets_one_gpu_and_the_next_another(lab: Lab) -> None:
    lab.fake_gpus(2)
    for number, uuid in enumerate((FIRST, SECOND)):
        run = lab.start(FOREVER, f"ann/{number}", devices="auto")
        run = lab.until(run, lambda now: "\nsees GPU-" in lab.log(now))
        assert f"\nsees {uuid}\n" in lab.log(run)
        assert run.record["gpu_uuids"] == [uuid]
        assert run.record["env"]["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_a_third_waits_says_for_whom_and_starts_when_one_ends(lab: Lab) -> None:
    lab.fake_gpus(1)
    first = lab.start(FOREVER, "ann/first", devices="auto")
    second = lab.start(FOREVER, "bob/second", devices="auto")
    second = lab.until(second, lambda now: now.state == "queued" and bool(now.reason))
    assert second.reason == "GPU 0 is used by ann/first"
    assert second.record["queue"]["position"] == 1
    assert second.record["queue"]["blockers"][0]["run_id"] == first.id
    stopping.stop(first, lab.host, "ann")
    second = lab.until(second, lambda now: now.state == "running")
    assert (second.record["queue"], second.reason) == (None, "")


def test_a_waiting_run_can_be_stopped(lab: Lab) -> None:
    lab.fake_gpus(1)
    lab.start(FOREVER, "ann/first", devices="auto")
    second = lab.start(FOREVER, "bob/second", devices="auto")
    ended = stopping.stop(second, lab.host, "bob")
    assert (ended.state, ended.reason) == ("stopped", "stopped by bob, while waiting")


def test_a_gpu_used_from_outside_is_left_alone(lab: Lab) -> None:
    lab.fake_gpus(2, apps=[{"gpu_uuid": FIRST, "pid": 4242, "used_memory": 18200}])
    run = lab.start(FOREVER, devices="auto")
    assert lab.until(run, lambda now: now.state == "running").record["gpu_uuids"] == [SECOND]
    waits = lab.start(FOREVER, "bob/x", devices="auto")
    waits = lab.until(waits, lambda now: bool(now.record.get("queue")))
    assert "GPU 0 is used by pid 4242, from outside dlwa" in waits.reason
    shown = lab.dlwa("status")
    assert "pid 4242" in shown.stdout and "ann/job" in shown.stdout


def test_a_gpu_full_of_what_cannot_be_seen_is_left_alone(lab: Lab) -> None:
    lab.fake_gpus(0, gpus=[{**gpu(0), "memory.used": 20000}, gpu(1)])
    run = lab.start(FOREVER, devices="auto")
    assert lab.until(run, lambda now: now.state == "running").record["gpu_uuids"] == [SECOND]


def test_a_driver_that_broke_while_one_waited_is_named(lab: Lab) -> None:
    """An update of the driver breaks it until the next reboot."""
    lab.fake_gpus(1, error="driver")
    run = lab.start(FOREVER, devices="gpu")
    run = lab.until(run, lambda now: bool(now.record.get("queue")))
    assert run.reason.startswith("nvidia-smi shows no GPU: NVIDIA-SMI has failed")
    assert (run.state, run.record["gpu_uuids"]) == ("queued", [])


def test_without_gpus_one_run_at_a_time_uses_the_cpu(lab: Lab) -> None:
    lab.fake_gpus(0)
    first = lab.start(FOREVER, "ann/first", devices="auto")
    assert lab.until(first, lambda now: now.state == "running").record["gpu_uuids"] == []
    second = lab.start(FOREVER, "bob/second", devices="auto")
    second = lab.until(second, lambda now: bool(now.reason) and now.state == "queued")
    assert second.reason == "the CPU is used by ann/first"
    third = lab.start("import time; time.sleep(1000)", "cid/third", devices="none")
    assert lab.until(third, lambda now: now.state == "running")


def test_the_owners_limit_of_the_lab_file(lab: Lab) -> None:
    lab.fake_gpus(2)
    limits = Limits(runs_per_owner=1)
    lab.start(FOREVER, "ann/first", limits=limits, devices="auto")
    second = lab.start(FOREVER, "ann/second", limits=limits, devices="auto")
    second = lab.until(second, lambda now: bool(now.record.get("queue")))
    assert second.reason == "ann already has 1 of 1 runs: ann/first"
    other = lab.start(FOREVER, "bob/x", limits=limits, devices="auto")
    assert lab.until(other, lambda now: now.state == "running").record["gpu_uuids"] == [SECOND]


def test_how_long_one_waits_is_told_from_the_measured_speed(lab: Lab) -> None:
    lab.fake_gpus(1)
    training = (
        "import os, time; from pathlib import Path; from dlwa import runfiles\n"
        "runfiles.report_step(Path(os.environ['DLWA_RUN_DIR']), 2000, 9200, {}, 1.0)\n"
    )
    first = lab.start(training + FOREVER, "ann/first", devices="auto")
    lab.until(first, lambda now: now.paths.metrics.exists())
    second = lab.start(FOREVER, "bob/second", devices="auto")
    lab.until(second, lambda now: bool(now.record.get("queue")))
    (shown,) = [
        run
        for run in json.loads(lab.dlwa("status", "--json").stdout)["runs"]
        if run["id"] == second.id
    ]
    assert shown["waiting_s"] == 7200
    assert "about 2 h" in lab.dlwa("status").stdout


def test_fifty_started_at_once_never_share_a_gpu(lab: Lab) -> None:
    lab.fake_gpus(2)
    code = "import time\ntime.sleep(0.05)"

    def start(number: int):
        return lab.start(code, f"owner{number % 7}/job{number}", devices="auto")

    began = time.time()
    with ThreadPoolExecutor(50) as pool:
        started = list(pool.map(start, range(50)))
    all_there = time.time()
    ended = [lab.ended(run) for run in started]
    assert Counter(run.state for run in ended) == {"finished": 50}
    spans: dict[str, list[tuple[float, float]]] = {FIRST: [], SECOND: []}
    for run in ended:
        (uuid,) = run.record["gpu_uuids"]
        spans[uuid].append((run.record["started_at"], run.record["ended_at"]))
    for used in spans.values():
        used.sort()
        assert used, "both were used"
        assert all(end <= start for (_, end), (start, _) in pairwise(used))
    print(f"50 runs in {time.time() - began:.1f} s, there after {all_there - began:.1f} s")
