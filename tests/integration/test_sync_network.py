"""Push and fetch over lines that are slow, lossy, narrow, and cut, in network namespaces."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.integration import slow_line
from tests.integration.sshd import Client, Server, needs_sshd, random_bytes

REASON = slow_line.why_not()
pytestmark = [
    pytest.mark.integration,
    needs_sshd,
    pytest.mark.skipif(bool(REASON), reason=REASON or "-"),
]
PROJECT = Path(__file__).resolve().parents[2]
IMPATIENT = Path(__file__).with_name("impatient_dlwa.py")


class FarAway:
    """A laptop and a VM with a slow line between them."""

    def __init__(self, folder: Path, line: slow_line.SlowLine) -> None:
        self.line = line
        self.laptop, self.vm = folder / "laptop", folder / "vm"
        self.server = Server(folder / "sshd", line=line)
        self.client = Client(folder / "client")
        self.server.let_in(self.client.key)
        self.server.start()
        self.client.add_host("vm", self.server)
        self.client.know(self.server)
        for place in (self.laptop / ".dlwa", self.laptop / "labs", self.vm / ".dlwa"):
            place.mkdir(parents=True)
        lab = {"host": "vm", "root": str(self.vm)}
        (self.laptop / "labs/vm.yaml").write_text(json.dumps(lab))
        (self.vm / "dlwa").symlink_to(PROJECT / "dlwa")
        words = [sys.executable, "-m", "dlwa.cli"]
        launcher = f"import os, sys\nos.execv({words[0]!r}, {words!r} + sys.argv[1:])\n"
        (self.vm / "dlwa.py").write_text(launcher)

    def start(self, *words: str, **more: str) -> "subprocess.Popen[str]":
        """Start dlwa on the laptop."""
        own = {"PYTHONPATH": str(PROJECT), "DLWA_OWNER": "ann", "DLWA_LAB": "vm"}
        return subprocess.Popen(
            [*self.line.near, sys.executable, str(IMPATIENT), *words, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.client.env, **own, **more},
            cwd=self.laptop,
            stdin=subprocess.DEVNULL,
        )

    def dlwa(self, *words: str, code: int = 0, **more: str) -> dict:
        """Run dlwa on the laptop; what it answers."""
        running = self.start(*words, **more)
        out, err = running.communicate(timeout=90)
        assert running.returncode == code, (out, err)
        return json.loads(out)


@pytest.fixture(scope="module")
def away():
    """40 ms there and back, and two packets of a hundred are lost."""
    line = slow_line.SlowLine(delay_ms=20, loss=0.02)
    with tempfile.TemporaryDirectory() as folder:
        world = None
        try:
            world = FarAway(Path(folder), line)
            yield world
        finally:
            if world:
                world.server.stop()
            line.close()


def make(folder: Path, sizes: list[int]) -> dict[str, bytes]:
    folder.mkdir(parents=True)
    made = {f"{number}.bin": random_bytes(size, number) for number, size in enumerate(sizes)}
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return made


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_delay_and_loss_change_nothing_but_the_time(away: FarAway):
    made = make(away.laptop / "lossy", [3 << 20, 0, *[5000] * 50])
    assert len(away.dlwa("push", "lossy", "--all")["sent"]) == 52
    there = away.vm / "inputs/ann/lossy"
    assert content(there) == made
    assert len(away.dlwa("fetch", "ann/lossy", "down", "--from", "inputs")["sent"]) == 52
    assert content(away.laptop / "down/lossy") == made


def test_a_narrow_line_is_not_taken_for_a_dead_one(away: FarAway):
    """Megabytes wait in the laptop's own system before anything that asks whether it lives."""
    made = make(away.laptop / "narrow", [1 << 20])
    away.line.tell("rate 150000")
    try:
        began = time.monotonic()
        done = away.dlwa("push", "narrow", "--all", FILLS_QUEUES="1")
        took_s = time.monotonic() - began
    finally:
        away.line.tell("rate inf")
    assert took_s > (1 << 20) / 150_000
    assert done["bytes"] < (1 << 20) + 2000  # in one try
    assert content(away.vm / "inputs/ann/narrow") == made
