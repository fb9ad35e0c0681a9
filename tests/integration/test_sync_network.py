"""Push and fetch over lines that are slow, lossy, narrow, and cut, in network namespaces."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from dlwa.actions.sync.files import BLOCK_BYTES
from dlwa.actions.sync.names import PARTS
from dlwa.errors import ExitCode
from tests.integration import slow_line
from tests.integration.lab import wait_for
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
        self.line, self.said = line, ""
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
        self.said = err
        return json.loads(out)


@pytest.fixture(scope="module")
def away():
    """40 ms there and back."""
    line = slow_line.SlowLine(delay_ms=20)
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
    away.line.tell("loss 0.02")
    try:
        assert len(away.dlwa("push", "lossy", "--all")["sent"]) == 52
        there = away.vm / "inputs/ann/lossy"
        assert content(there) == made
        assert len(away.dlwa("fetch", "ann/lossy", "down", "--from", "inputs")["sent"]) == 52
    finally:
        away.line.tell("loss 0")
    assert content(away.laptop / "down/lossy") == made


def test_a_narrow_line_is_not_taken_for_a_dead_one(away: FarAway):
    """Megabytes wait in the laptop's own system before anything that asks whether it lives."""
    made = make(away.laptop / "narrow", [700_000])
    away.line.tell("rate 150000")
    try:
        began = time.monotonic()
        away.dlwa("push", "narrow", "--all", FILLS_QUEUES="1")
        took_s = time.monotonic() - began
    finally:
        away.line.tell("rate inf")
    assert took_s > 700_000 / 150_000
    assert "going on" not in away.said
    assert content(away.vm / "inputs/ann/narrow") == made


def test_a_dead_line_is_told_in_bounded_time_and_the_repeat_goes_on(away: FarAway):
    """No packet passes any more, and nobody says so: for TCP alone both sides would wait."""
    made = make(away.laptop / "big", [3 << 20])
    make(away.vm / "outputs/ann/big", [3 << 20])
    place = away.vm / "inputs/ann/big/0.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"the old good copy")
    away.line.tell("rate 1500000")
    words = (("push", "big", "--all"), ("fetch", "ann/big", "down", "--from", "outputs"))
    running = [away.start(*one) for one in words]
    parts = [place.parent / PARTS, away.laptop / "down/big" / PARTS]
    wait_for(lambda: all(kept(part) > BLOCK_BYTES for part in parts))
    away.line.tell("cut")
    began = time.monotonic()
    for one in running:
        out, err = one.communicate(timeout=60)
        assert one.returncode == ExitCode.NETWORK, (out, err)
        assert "error" in json.loads(out) and "going on" in err
    assert time.monotonic() - began < 30
    assert place.read_bytes() == b"the old good copy"
    assert not (away.laptop / "down/big/0.bin").exists()
    came = [kept(part) for part in parts]
    for order in ("mend", "rate inf"):
        away.line.tell(order)
    for one, there in zip(words, came, strict=True):
        assert away.dlwa(*one)["bytes"] <= (3 << 20) - there + BLOCK_BYTES + 2000
    assert content(place.parent) == content(away.laptop / "down/big") == made


def kept(folder: Path) -> int:
    return max((path.stat().st_size for path in folder.glob("*")), default=0)


def test_a_server_that_is_killed_and_comes_back_is_gone_on_with(away: FarAway):
    made = make(away.laptop / "killed", [3 << 20])
    there = away.vm / "inputs/ann/killed"
    away.line.tell("rate 1000000")
    running = away.start("push", "killed", "--all")
    wait_for(lambda: kept(there / PARTS) > BLOCK_BYTES)
    away.server.stop()
    away.server.start()
    away.line.tell("rate inf")
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0 and "going on" in err, (out, err)
    assert content(there) == made
