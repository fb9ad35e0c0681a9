"""Push and fetch when the line is cut at any byte or stalls, and when a disk is full."""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlwa.actions.sync import files, near
from dlwa.actions.sync.files import BLOCK_BYTES
from dlwa.actions.sync.names import PARTS
from dlwa.cli._pipe import open_wire
from dlwa.errors import ExitCode, NetworkError
from dlwa.labs import Lab
from dlwa.settings import Settings
from tests.integration.far_lab import FarLab
from tests.integration.lab import wait_for
from tests.integration.sshd import needs_sshd, random_bytes
from tests.sync_ends import QUIET

pytestmark = [pytest.mark.integration, needs_sshd]
IMPATIENT = Path(__file__).with_name("impatient_dlwa.py")
SIZE = 3 * BLOCK_BYTES + 123
TALK_BYTES = 20_000  # what is said beside the file
CHANCE = random.Random(11)
CUTS = [CHANCE.randrange(1000, SIZE) for _ in range(20)]


@pytest.fixture
def here(world: FarLab, monkeypatch) -> FarLab:
    """A laptop whose commands run in this process: forty connections start no Python here."""
    for name, value in {**world.client.env, "DLWA_OWNER": "ann"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(world.laptop)
    return world


def put(world: FarLab, host: str, folder: Path) -> near.Result:
    listed = files.scan(folder, lambda path: True)
    request = {"home": "inputs", "name": "ann/cut", "client": "me"}
    with wire_to(world, host) as wire:
        return near.push(wire, folder, listed, request, QUIET)


def get(world: FarLab, host: str, folder: Path) -> near.Result:
    request = {"home": "outputs", "name": "ann/cut", "what": "all"}
    with wire_to(world, host) as wire:
        return near.fetch(wire, folder, request, QUIET, together=False)


def wire_to(world: FarLab, host: str):
    settings = Settings("ann", world.laptop, origins={"owner": "test"})
    return open_wire(Lab(host, host=host, root=str(world.far.root)), settings, no_input=True)


def kept(folder: Path) -> int:
    """How much of a file waits to be gone on with."""
    return max((path.stat().st_size for path in folder.glob(f"{PARTS}/*")), default=0)


def test_a_cut_at_any_byte_costs_at_most_the_rest_and_a_block(here: FarLab):
    """Half of the cuts are in a push, half in a fetch; the old good copy stays until the end."""
    data = random_bytes(SIZE)
    (here.laptop / "cut").mkdir()
    (here.laptop / "cut/a.bin").write_bytes(data)
    offered = here.far.root / "outputs/ann/cut/a.bin"
    offered.parent.mkdir(parents=True)
    offered.write_bytes(data)
    ways = [
        (put, here.laptop / "cut", here.far.root / "inputs/ann/cut"),
        (get, here.laptop / "down", here.laptop / "down"),
    ]
    for number, after in enumerate(CUTS):
        way, folder, arrives = ways[number % 2]
        arrives.mkdir(parents=True, exist_ok=True)
        place = arrives / "a.bin"
        place.write_bytes(b"the old good copy")
        here.proxy.carried, here.proxy.cut_after = 0, after
        with pytest.raises(NetworkError):
            way(here, "shaky", folder)
        wait_for(lambda: not here.server.sessions())
        assert place.read_bytes() == b"the old good copy"
        rest = SIZE - kept(arrives)
        result = way(here, "vm", folder)
        assert result.sent == ["a.bin"] and place.read_bytes() == data
        assert result.bytes <= rest + BLOCK_BYTES + TALK_BYTES
        assert not (arrives / PARTS).exists()


def test_a_lab_that_falls_silent_is_noticed(world: FarLab, monkeypatch):
    """TCP goes on acknowledging what nobody reads any more."""
    monkeypatch.setattr(world, "argv", lambda *words: [sys.executable, str(IMPATIENT), *words])
    (world.laptop / "violin").mkdir()
    (world.laptop / "violin/a.bin").write_bytes(random_bytes(SIZE))
    world.proxy.stall_after = SIZE // 2
    began = time.monotonic()
    done = world.dlwa("push", "violin", "--all", "--lab", "shaky", "--json")
    assert done.returncode == ExitCode.NETWORK, done.stderr
    assert "error" in json.loads(done.stdout) and "going on" in done.stderr
    assert time.monotonic() - began < 40
    assert not (world.far.root / "inputs/ann/violin/a.bin").exists()


@contextlib.contextmanager
def small_disk(place: Path, megabytes: int):
    """A file system of its own, mounted there."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs Linux and root")
    place.mkdir(parents=True)
    argv = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine mounts nothing: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_of_the_lab_is_told_and_harms_nothing(world: FarLab):
    violin = world.laptop / "violin"
    violin.mkdir()
    (violin / "big.bin").write_bytes(random_bytes(SIZE))
    there = world.far.root / "inputs/ann/violin"
    with small_disk(there, 5):
        old = there / "big.bin"
        old.write_bytes(random_bytes(BLOCK_BYTES, 5))
        full = there / "full.bin"
        full.write_bytes(bytes(2 * BLOCK_BYTES))
        refused = world.dlwa("push", "violin", "--all", "--lab", "vm")
        assert refused.returncode == ExitCode.FAILED
        assert "the disk of the lab has 2.1 MB free, 3.1 MB are needed" in refused.stderr
        full.unlink()
        running = _held(world, "push", "violin", "--all", "--lab", "shaky")
        _fill(full)
        said = _released(world, running)
        assert running.returncode == ExitCode.FAILED, said
        assert "it does not fit: the disk of the lab is full" in said
        assert old.read_bytes() == random_bytes(BLOCK_BYTES, 5)
        full.unlink()
        assert world.dlwa("push", "violin", "--all", "--lab", "vm").returncode == 0
        assert old.read_bytes() == (violin / "big.bin").read_bytes()


def test_a_full_disk_of_the_laptop_is_told_and_harms_nothing(world: FarLab):
    offered = world.far.root / "outputs/ann/song/big.bin"
    offered.parent.mkdir(parents=True)
    offered.write_bytes(random_bytes(SIZE))
    down = world.laptop / "down"
    words = ("fetch", "ann/song", "down", "--from", "outputs")
    with small_disk(down, 4):
        old, full = down / "song/big.bin", down / "full.bin"
        old.parent.mkdir()
        old.write_bytes(b"the old good copy")
        full.write_bytes(bytes(2 * BLOCK_BYTES))
        refused = world.dlwa(*words, "--lab", "vm")
        assert refused.returncode == ExitCode.FAILED
        assert "the disk of this machine has 2.1 MB free" in refused.stderr
        full.unlink()
        running = _held(world, *words, "--lab", "shaky")
        _fill(full)
        said = _released(world, running)
        assert running.returncode == ExitCode.FAILED, said
        assert "it does not fit: the disk of this machine is full" in said
        assert old.read_bytes() == b"the old good copy"
        full.unlink()
        assert world.dlwa(*words, "--lab", "vm").returncode == 0
        assert old.read_bytes() == offered.read_bytes()


def _held(world: FarLab, *words: str) -> "subprocess.Popen[str]":
    """Start a transfer whose line holds in the middle."""
    world.proxy.carried, world.proxy.stall_after = 0, SIZE // 2
    world.proxy.released.clear()
    running = world.start(*words)
    wait_for(lambda: world.proxy.carried >= SIZE // 2)
    return running


def _released(world: FarLab, running: "subprocess.Popen[str]") -> str:
    world.proxy.stall_after = None
    world.proxy.released.set()
    return running.communicate(timeout=60)[0]


def _fill(place: Path) -> None:
    with contextlib.suppress(OSError), place.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(4096))
