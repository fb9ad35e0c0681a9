"""Run folders as the wrapper and a training leave them, for tests of what reads them."""

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.hosts.local import LocalHost


def make_run(root: Path, name: str = "ann/violin", state: str = "running", **record: Any) -> Path:
    """A training's folder; this very process plays its wrapper."""
    host = LocalHost()
    me = host.identify(os.getpid())
    assert me is not None
    now = time.time()
    folder = root / "models" / "ddsp" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".run.lock").touch()
    document = {
        "id": "0badcafe",
        "kind": "train",
        "owner": name.split("/")[0],
        "name": name,
        "command": ["python", "-m", "dlwa.ddsp.training.ddsp_run"],
        "host": host.name,
        "boot_id": host.boot_id(),
        "pid": me.pid,
        "pid_start": me.start,
        "session": "dlwa.ann.violin.0badcafe",
        "gpu_uuids": [],
        "state": state,
        "reason": "",
        "created_at": now - 620,
        "started_at": now - 600,
        "total_steps": 30000,
        **record,
    }
    runfiles.write_json(folder / runfiles.RECORD_FILE, document)
    return folder


def add_steps(folder: Path, count: int = 600, every: int = 2, per_s: float = 2.0) -> None:
    """A training that learns: losses fall from 12 towards 5, reported once a second until now."""
    now = time.time()
    with (folder / runfiles.METRICS_FILE).open("a", encoding="utf-8") as stream:
        for number in range(count):
            step = (number + 1) * every
            loss = 5 + 7 * math.exp(-step / 400) + 0.4 * math.sin(number * 12.9898)
            line = {
                "step": step,
                "total_steps": 30000,
                "losses": {"spectral_loss": loss, "total_loss": loss},
                "steps_per_s": per_s,
                "time": now - (count - 1 - number) * every / per_s,
            }
            stream.write(json.dumps(line) + "\n")


def add_log(folder: Path, lines: int = 30) -> None:
    """The log such a training prints, with a progress bar that is drawn over itself."""
    with (folder / "dlwa_train.log").open("a", encoding="utf-8") as stream:
        stream.write("".join(f"\rloading {percent:3d}%" for percent in range(0, 101, 10)) + "\n")
        for number in range(lines):
            stream.write(f"step: {number * 2}\tspectral_loss: 5.92\ttotal_loss: 5.92\n")
