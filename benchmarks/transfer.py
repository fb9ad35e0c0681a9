"""Push and fetch against scp and rsync, in one run, over a real sshd on loopback.

usage: python benchmarks/transfer.py [--mb 256] [--rounds 3]

Each method pays for its own connection and start. Prints seconds (median) and ratios: a ratio
below 1 means that dlwa is faster. The delay is made by a proxy that holds each byte back.
"""

import argparse
import heapq
import itertools
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from tests.integration.sshd import Client, Server  # noqa: E402

_SMALL, _SMALL_BYTES = 100, 50_000


class Delay:
    """A TCP proxy that delivers every piece a fixed time after it came."""

    def __init__(self, port: int, one_way_s: float) -> None:
        self._to, self._delay_s = port, one_way_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._to))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        waiting: list[tuple[float, int, bytes]] = []
        numbers, ready = itertools.count(), threading.Condition()

        def deliver() -> None:
            while True:
                with ready:
                    while not waiting:
                        ready.wait()
                    due, _, data = waiting[0]
                    left = due - time.monotonic()
                    if left > 0:
                        ready.wait(left)
                        continue
                    heapq.heappop(waiting)
                with suppress(OSError):
                    if data:
                        other.sendall(data)
                    else:
                        other.shutdown(socket.SHUT_WR)
                if not data:
                    return

        threading.Thread(target=deliver, daemon=True).start()
        data = b"x"
        while data:
            try:
                data = one.recv(1 << 18)
            except OSError:
                data = b""
            with ready:
                heapq.heappush(waiting, (time.monotonic() + self._delay_s, next(numbers), data))
                ready.notify()


class Bench:
    """One sshd, one client, and the three ways of moving files."""

    def __init__(self, folder: Path, rtt_ms: float) -> None:
        self.folder = folder
        self.server = Server(folder / "vm")
        self.client = Client(folder / "client")
        self.server.let_in(self.client.key)
        self.server.start()
        port = Delay(self.server.port, rtt_ms / 2000).port if rtt_ms else self.server.port
        self.client.add_host("vm", self.server, Port=port)
        self.client.know(self.server, port=port)
        self.far, self.near = folder / "far", folder / "near"
        for place in (self.far / ".dlwa", self.near / ".dlwa", self.near / "labs"):
            place.mkdir(parents=True)
        (self.far / "dlwa").symlink_to(PROJECT / "dlwa")
        words = [sys.executable, "-m", "dlwa.cli"]
        launcher = f"import os, sys\nos.execv({words[0]!r}, {words!r} + sys.argv[1:])\n"
        (self.far / "dlwa.py").write_text(launcher)
        (self.near / "labs/vm.yaml").write_text(json.dumps({"host": "vm", "root": str(self.far)}))

    def dlwa(self, *words: str) -> None:
        env = {**os.environ, **self.client.env, "PYTHONPATH": str(PROJECT), "DLWA_OWNER": "ann"}
        argv = [sys.executable, "-m", "dlwa.cli", "--lab", "vm", *words]
        subprocess.run(argv, cwd=self.near, env=env, check=True, capture_output=True)

    def scp(self, source: str, target: str) -> None:
        argv = ["scp", "-q", "-r", "-F", str(self.client.config), source, target]
        subprocess.run(argv, check=True, capture_output=True)

    def rsync(self, source: str, target: str) -> None:
        argv = ["rsync", "-a", "-e", f"ssh -F {self.client.config}", source, target]
        subprocess.run(argv, check=True, capture_output=True)

    def put(self, files: Path) -> dict[str, Callable[[], None]]:
        there = self.far / "inputs/ann"
        there.mkdir(parents=True, exist_ok=True)
        return {
            "dlwa": lambda: self.dlwa("push", str(files), "--all"),
            "scp": lambda: self.scp(str(files), f"vm:{there}/"),
            "rsync": lambda: self.rsync(str(files), f"vm:{there}/"),
        }

    def get(self, name: str) -> dict[str, Callable[[], None]]:
        there = f"vm:{self.far}/outputs/ann/{name}"
        down = self.near / "down"
        down.mkdir(exist_ok=True)
        return {
            "dlwa": lambda: self.dlwa("fetch", f"ann/{name}", str(down), "--from", "outputs"),
            "scp": lambda: self.scp(there, str(down)),
            "rsync": lambda: self.rsync(there, str(down)),
        }


def measure(ways: dict[str, Callable[[], None]], clean: Path, rounds: int) -> dict[str, float]:
    """Median seconds of each way, in turns, each into an empty place."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            shutil.rmtree(clean, ignore_errors=True)
            began = time.monotonic()
            way()
            took[name].append(time.monotonic() - began)
    return {name: statistics.median(times) for name, times in took.items()}


def run(folder: Path, rtt_ms: float, mb: int, rounds: int) -> None:
    bench = Bench(folder, rtt_ms)
    try:
        big, small = folder / "near/big", folder / "near/small"
        for place in (big, small):
            place.mkdir()
        (big / "one.bin").write_bytes(os.urandom(mb << 20))
        for number in range(_SMALL):
            (small / f"{number}.bin").write_bytes(os.urandom(_SMALL_BYTES))
        for files in (big, small):
            shutil.copytree(files, bench.far / "outputs/ann" / files.name)
            what = f"{mb} MB" if files is big else f"{_SMALL} x {_SMALL_BYTES // 1000} KB"
            put = measure(bench.put(files), bench.far / f"inputs/ann/{files.name}", rounds)
            tell(f"put {what}", rtt_ms, put)
            get = measure(bench.get(files.name), bench.near / f"down/{files.name}", rounds)
            tell(f"get {what}", rtt_ms, get)
            bench.put(files)["dlwa"]()
            again = measure({"dlwa": bench.put(files)["dlwa"]}, folder / "nothing", rounds)
            print(f"{'no change':<22} {rtt_ms:4.0f} ms   dlwa {again['dlwa']:6.2f} s")
    finally:
        bench.server.stop()


def tell(what: str, rtt_ms: float, took: dict[str, float]) -> None:
    shown = "  ".join(f"{name} {seconds:6.2f} s" for name, seconds in took.items())
    ratios = "  ".join(
        f"dlwa/{name} {took['dlwa'] / seconds:5.2f}"
        for name, seconds in took.items()
        if name != "dlwa"
    )
    print(f"{what:<22} {rtt_ms:4.0f} ms   {shown}   {ratios}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rtt", type=float, action="append")
    given = parser.parse_args()
    for rtt_ms in given.rtt or [0.0, 40.0]:
        with tempfile.TemporaryDirectory(
            dir="/dev/shm" if Path("/dev/shm").is_dir() else None
        ) as at:
            run(Path(at) / "lab", rtt_ms, given.mb, given.rounds)


if __name__ == "__main__":
    main()
