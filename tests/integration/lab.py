"""A whole lab for a test: a workspace, screen's sockets, locks, perhaps fake GPUs."""

import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlwa.actions import launch, runs, sessions
from dlwa.actions.runs import Run
from dlwa.hosts.local import LocalHost
from dlwa.labs import Limits
from dlwa.settings import Settings
from dlwa.tools.screen import Session

HERE = Path(__file__).resolve().parent
TRAINING = HERE / "fake_training.py"
DEADLINE_S = 30.0

needs_screen = pytest.mark.skipif(shutil.which("screen") is None, reason="GNU screen is missing")


class Lab:
    """One workspace with screen sessions of its own."""

    def __init__(self, root: Path, sockets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.sockets, self._monkeypatch = root, sockets, monkeypatch
        self.host = LocalHost()
        self.settings = Settings("ann", root, origins={"owner": "test"})
        self.bin = root.parent / "bin"

    def start(self, code: str, name: str = "ann/job", **more: Any) -> Run:
        """Start a small Python program as a run."""
        return self.start_argv((sys.executable, "-c", code), name, **more)

    def start_argv(
        self, argv: tuple[str, ...], name: str, limits: Limits | None = None, **more: Any
    ) -> Run:
        run_id = launch.new_id()
        values = {
            "kind": "run",
            "owner": name.split("/")[0],
            "folder": self.settings.workspace.runs / run_id,
            "devices": "none",
            **more,
        }
        job = launch.Job(name=name, argv=argv, **values)
        limits = limits or Limits()
        return launch.launch(job, self.settings.workspace, self.host, limits, run_id)

    def again(self, run: Run) -> Run:
        """The run as it stands now."""
        now = runs.read_run(run.paths.folder, self.host)
        assert now is not None
        return now

    def ended(self, run: Run) -> Run:
        """The run once it has ended."""
        return self.until(run, lambda now: not now.live)

    def until(self, run: Run, holds: Callable[[Run], bool]) -> Run:
        """The run once something holds of it."""
        wait_for(lambda: holds(self.again(run)), lambda: str(self.again(run).document()))
        return self.again(run)

    def sessions(self) -> list[Session]:
        """Every session that screen lists."""
        return sessions.list_sessions(self.host, self.sockets)

    def session(self, run: Run) -> Session:
        """The session of a run, which must exist."""
        found = sessions.session_of(run, self.host)
        assert found is not None
        return found

    def log(self, run: Run) -> str:
        """What the run printed so far."""
        return run.paths.log.read_text() if run.paths.log.exists() else ""

    def fake_gpus(self, count: int = 2, **more: Any) -> None:
        """Put an nvidia-smi on the path that answers like the real one."""
        state = {"gpus": [gpu(number) for number in range(count)], "apps": [], **more}
        (self.bin / "gpus.json").write_text(json.dumps(state))
        program = self.bin / "nvidia-smi"
        script = self.bin / "answers.py"
        script.write_text((HERE / "fake_nvidia_smi.py").read_text())
        # Not a #! line of Python itself: the path of the interpreter may hold a space.
        words = shlex.join([sys.executable, str(script)])
        program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self._monkeypatch.setenv("PATH", f"{self.bin}{os.pathsep}{os.environ['PATH']}")

    def dlwa(self, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run a command line of dlwa; the DDSP half is replaced by small programs."""
        return subprocess.run(
            self.argv(*words),
            capture_output=True,
            text=True,
            env={**os.environ, "DLWA_OWNER": "ann", **env},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    def argv(self, *words: str) -> list[str]:
        """The argument list of such a command line."""
        return [sys.executable, str(HERE / "dlwa_with_fakes.py"), "--root", str(self.root), *words]

    def make_dataset(self, name: str) -> None:
        """A data set as make-dataset leaves it, as far as the lab half looks."""
        folder = self.root / "datasets" / "ddsp" / name
        folder.mkdir(parents=True)
        (folder / "data.tfrecord-00000-of-00001").write_text("records")
        (folder / "dataset.json").write_text("{}")

    def close(self) -> None:
        """End what the test left running."""
        for run in runs.all_runs(self.settings.workspace, self.host):
            for process in (run.wrapper, run.child):
                if process and self.host.is_alive(process):
                    self.host.signal(process, signal.SIGKILL, group=process == run.child)
        for session in self.sessions():
            argv = ["screen", "-S", session.address, "-X", "quit"]
            subprocess.run(argv, env={**os.environ, "SCREENDIR": str(self.sockets)}, check=False)


def gpu(number: int) -> dict[str, Any]:
    """An idle GPU as the fake nvidia-smi describes it."""
    return {
        "index": number,
        "uuid": f"GPU-{number:08d}-0000-0000-0000-000000000000",
        "name": "NVIDIA GeForce RTX 3090",
        "memory.total": 24576,
        "memory.used": 5,
        "utilization.gpu": 0,
    }


def wait_for(holds: Callable[[], bool], told: Callable[[], str] = str) -> None:
    """Look until something holds; fail with what `told` says when it never does."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"never happened: {told()}"
        time.sleep(0.02)


def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab that is closed afterwards; screen's sockets need a short path."""
    sockets = Path(tempfile.mkdtemp(prefix="dl", dir="/tmp"))
    monkeypatch.setenv("SCREENDIR", str(sockets))
    root = tmp_path / "lab"
    for folder in (root / ".dlwa", tmp_path / "bin"):
        folder.mkdir(parents=True)
    lab = Lab(root, sockets, monkeypatch)
    try:
        yield lab
    finally:
        lab.close()
        shutil.rmtree(sockets, ignore_errors=True)
