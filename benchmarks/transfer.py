"""Push and fetch against scp and rsync, in one run, over a real sshd.

    make bench        or        python benchmarks/transfer.py --mb 512 --rounds 5

Three lines: this machine's own loopback, where the processors set the pace; 1 Gbit/s; and 40 ms
there and back. The last two lie between network namespaces (tests/integration/slow_line.py) and
need Linux and root. All ways take turns, each pays for its own connection and start; a ratio is
the median of the rounds. The claims: a big file takes no longer than scp and 1/0.95 of rsync; a
hundred small ones at 40 ms at most twice as long as rsync; looking and finding no change at 40 ms,
1.2 s. What dlwa promises and scp does not, the same SHA-256 on both sides, is measured as
`scp+sha256sum`.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from tests.integration import slow_line  # noqa: E402
from tests.integration.sshd import Client, Server  # noqa: E402

_SMALL, _SMALL_BYTES = 100, 50_000
_BIG_CLAIMS = {"scp": 1.0, "rsync": 1 / 0.95}
_SMALL_CLAIMS = {"rsync": 2.0}
_NO_CHANGE_S = 1.2


@dataclass(frozen=True)
class Line:
    """What lies between the laptop and the VM; none if `mtu` is 0."""

    name: str
    mtu: int = 0
    rtt_ms: float = 0
    rate: str = "inf"
    share: float = 1.0
    """Of the big file's size: slow lines get a smaller one."""

    def opened(self) -> slow_line.SlowLine | None:
        if not self.mtu:
            return None
        line = slow_line.SlowLine(self.rtt_ms / 2, mtu=self.mtu)
        line.tell(f"rate {self.rate}")
        return line


LINES = {
    line.name: line
    for line in (
        Line("loopback"),
        Line("1 Gbit/s", mtu=65000, rate="125e6"),
        Line("40 ms", mtu=1500, rtt_ms=40, share=0.25),
    )
}


class Bench:
    """One sshd, one client, and the three ways of moving files."""

    def __init__(self, folder: Path, line: slow_line.SlowLine | None = None) -> None:
        self.folder = folder
        self._within = line.near if line else []
        self.server = Server(folder / "vm", line=line)
        self.client = Client(folder / "client")
        self.server.let_in(self.client.key)
        self.server.start()
        self.client.add_host("vm", self.server)
        self.client.know(self.server)
        self.far, self.near = folder / "far", folder / "near"
        for place in (self.far / ".dlwa", self.near / ".dlwa", self.near / "labs"):
            place.mkdir(parents=True)
        (self.far / "dlwa").symlink_to(PROJECT / "dlwa")
        words = [sys.executable, "-m", "dlwa.cli"]
        launcher = f"import os, sys\nos.execv({words[0]!r}, {words!r} + sys.argv[1:])\n"
        (self.far / "dlwa.py").write_text(launcher)
        (self.near / "labs/vm.yaml").write_text(json.dumps({"host": "vm", "root": str(self.far)}))

    def dlwa(self, *words: str) -> None:
        self._run([sys.executable, "-m", "dlwa.cli", "--lab", "vm", *words])

    def scp(self, source: str, target: str) -> None:
        self._run(["scp", "-q", "-r", "-F", str(self.client.config), source, target])

    def scp_and_compare(self, source: str, target: str, copies: tuple[str, str]) -> None:
        """Also look at the SHA-256 of what lies here and there."""
        self.scp(source, target)
        here, there = copies
        self._run(["sh", "-c", f"sha256sum {here}/*"])
        self._run(["ssh", "-F", str(self.client.config), "vm", f"sha256sum {there}/*"])

    def rsync(self, source: str, target: str) -> None:
        self._run(["rsync", "-a", "-e", f"ssh -F {self.client.config}", source, target])

    def put(self, files: Path) -> dict[str, Callable[[], None]]:
        there = self.far / "inputs/ann"
        there.mkdir(parents=True, exist_ok=True)
        return {
            "dlwa": lambda: self.dlwa("push", str(files), "--all"),
            "scp": lambda: self.scp(str(files), f"vm:{there}/"),
            "rsync": lambda: self.rsync(str(files), f"vm:{there}/"),
            "scp+sha256sum": lambda: self.scp_and_compare(
                str(files), f"vm:{there}/", (str(files), f"{there}/{files.name}")
            ),
        }

    def get(self, name: str) -> dict[str, Callable[[], None]]:
        folder = self.far / "outputs/ann" / name
        there = f"vm:{folder}"
        down = self.near / "down"
        down.mkdir(exist_ok=True)
        return {
            "dlwa": lambda: self.dlwa("fetch", f"ann/{name}", str(down), "--from", "outputs"),
            "scp": lambda: self.scp(there, str(down)),
            "rsync": lambda: self.rsync(there, str(down)),
            "scp+sha256sum": lambda: self.scp_and_compare(
                there, str(down), (f"{down}/{name}", str(folder))
            ),
        }

    def _run(self, argv: list[str]) -> None:
        env = {**os.environ, **self.client.env, "PYTHONPATH": str(PROJECT), "DLWA_OWNER": "ann"}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # or paramiko is compiled anew each time
        argv = [*self._within, *argv]
        subprocess.run(argv, cwd=self.near, env=env, check=True, capture_output=True)


def measure(
    ways: dict[str, Callable[[], None]], clean: Path, rounds: int
) -> dict[str, list[float]]:
    """The seconds each way took in each round, in turns, each into an empty place."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            shutil.rmtree(clean, ignore_errors=True)
            began = time.monotonic()
            way()
            took[name].append(time.monotonic() - began)
    return took


def run(folder: Path, line: Line, mb: int, rounds: int) -> list[bool]:
    """Measure over one line; which claims were kept."""
    opened = line.opened()
    bench = Bench(folder, opened)
    kept = []
    try:
        big, small = folder / "near/big", folder / "near/small"
        big_mb = max(1, round(mb * line.share))
        make(big, 1, big_mb << 20)
        make(small, _SMALL, _SMALL_BYTES)
        for files, told in (
            (big, f"{big_mb} MiB"),
            (small, f"{_SMALL} x {_SMALL_BYTES // 1000} kB"),
        ):
            shutil.copytree(files, bench.far / "outputs/ann" / files.name)
            claims = _BIG_CLAIMS if files is big else _SMALL_CLAIMS if line.rtt_ms else {}
            size = sum(path.stat().st_size for path in files.iterdir())
            ways = {
                "put": (bench.put(files), bench.far / f"inputs/ann/{files.name}"),
                "get": (bench.get(files.name), bench.near / f"down/{files.name}"),
            }
            for verb, (how, clean) in ways.items():
                if files is small:
                    how.pop("scp+sha256sum")
                if files is small and line.rtt_ms:
                    how.pop("scp")  # waits for each file: 20 s
                took = measure(how, clean, rounds)
                kept += tell((line.name, f"{verb} {told}"), size, took, claims)
        bench.put(small)["dlwa"]()
        again = {"dlwa": bench.put(small)["dlwa"]}
        took_s = statistics.median(measure(again, folder / "nothing", rounds)["dlwa"])
        shown = f"{line.name:<10} no change: {took_s:.2f} s"
        if line.rtt_ms:
            kept.append(took_s <= _NO_CHANGE_S)
            shown += f"   <= {_NO_CHANGE_S} s {verdict(kept[-1])}"
        print(shown)
        return kept
    finally:
        bench.server.stop()
        if opened:
            opened.close()


def make(folder: Path, count: int, size: int) -> None:
    """Files that cannot be compressed."""
    folder.mkdir()
    for number in range(count):
        with (folder / f"{number}.bin").open("wb") as stream:
            for at in range(0, size, 1 << 20):
                stream.write(os.urandom(min(1 << 20, size - at)))


def tell(
    what: tuple[str, str], size: int, took: dict[str, list[float]], claims: dict[str, float]
) -> list[bool]:
    """Print median seconds and rates, then each ratio with its claim; which claims were kept.

    A ratio is the median of those of the rounds: what slows the machine down for a while slows
    all ways of a round.
    """
    middle = {name: statistics.median(times) for name, times in took.items()}
    shown = "  ".join(
        f"{name} {seconds:.2f} s ({size / seconds / 1e6:.0f} MB/s)"
        for name, seconds in middle.items()
    )
    print(f"{what[0]:<10} {what[1]:<16} {shown}")
    kept = []
    for name in [name for name in took if name != "dlwa"]:
        pairs = zip(took["dlwa"], took[name], strict=True)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        line = f"{'':<10} dlwa takes {ratio:.2f} x {name}"
        if name in claims:
            kept.append(ratio <= claims[name])
            line += f"   <= {claims[name]:.2f} {verdict(kept[-1])}"
        print(line, flush=True)
    return kept


def verdict(good: bool) -> str:
    return "kept" if good else "MISSED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--line", action="append", choices=LINES)
    given = parser.parse_args()
    reason = slow_line.why_not()
    kept = []
    for name in given.line or LINES:
        if LINES[name].mtu and reason:
            print(f"{name}: not measured, {reason}")
            continue
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        with tempfile.TemporaryDirectory(dir=memory) as at:
            kept += run(Path(at) / "lab", LINES[name], given.mb, given.rounds)
    print(f"{sum(kept)} of {len(kept)} claims kept")


if __name__ == "__main__":
    main()
