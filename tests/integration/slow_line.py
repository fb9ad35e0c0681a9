"""Two machines and a bad line between them: network namespaces joined by a relay.

The kernel's own tool for this (netem) is missing on many machines; a TUN device in each namespace
and this relay between them do the same: delay, loss, a rate limit, and cuts. Needs root. Run as a
program it is the relay; it obeys lines on its stdin (`cut`, `mend`, `rate 100000`, `loss 0.02`)
and answers each. The namespaces last as long as it: nothing is left behind.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import time
from contextlib import suppress

NEAR, FAR = "10.78.0.1", "10.78.0.2"
_NEW_NETWORK = 0x40000000
_TUN_SET, _TUN_NO_HEADER = 0x400454CA, 0x1001
_PACKET_BYTES = 1 << 16
_QUEUE_S = 2.0  # a router that keeps as much as it can send in this time, as many do


def why_not() -> str:
    """What is missing for namespaces here; empty if nothing is."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    if missing := [name for name in ("ip", "nsenter") if shutil.which(name) is None]:
        return f"missing: {' '.join(missing)}"
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        return f"/dev/net/tun: {error.strerror}"
    allowed = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return "" if allowed.returncode == 0 else "this container may not make network namespaces"


class SlowLine:
    """A relay that runs; `near` and `far` are put before a command to run it on that side."""

    def __init__(self, delay_ms: float = 0, loss: float = 0, mtu: int = 1500) -> None:
        """`delay_ms` is that of one way; `loss` the share of packets that never arrive."""
        argv = [sys.executable, __file__, str(delay_ms), str(loss), str(mtu)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._relay = subprocess.Popen(argv, text=True, bufsize=1, **pipes)
        fds = self._answer().split()
        place = f"/proc/{self._relay.pid}/fd"
        self.near, self.far = (["nsenter", f"--net={place}/{fd}", "--"] for fd in fds)

    def tell(self, order: str) -> None:
        """Give an order; it holds when this returns."""
        self._relay.stdin.write(order + "\n")
        self._answer()

    def close(self) -> None:
        self._relay.kill()
        self._relay.communicate()

    def _answer(self) -> str:
        line = self._relay.stdout.readline()
        assert line, f"the relay ended: {self._relay.wait()}"
        return line


class Way:
    """One direction: packets wait here for their turn."""

    def __init__(self, to: int, delay_s: float, loss: float) -> None:
        self._to, self._delay_s, self.loss = to, delay_s, loss
        self._waiting: list[tuple[float, int, bytes]] = []
        self._chance = random.Random(to)
        self._count, self._free_at_s = 0, 0.0
        self.bytes_per_s = float("inf")

    @property
    def due_s(self) -> float:
        return self._waiting[0][0] if self._waiting else float("inf")

    def take(self, packet: bytes, now_s: float) -> None:
        if self._chance.random() < self.loss or self._free_at_s > now_s + _QUEUE_S:
            return
        self._free_at_s = max(now_s, self._free_at_s) + len(packet) / self.bytes_per_s
        self._count += 1
        heapq.heappush(self._waiting, (self._free_at_s + self._delay_s, self._count, packet))

    def deliver(self, now_s: float) -> None:
        while self._waiting and self._waiting[0][0] <= now_s:
            with suppress(OSError):
                os.write(self._to, heapq.heappop(self._waiting)[2])

    def drop(self) -> None:
        self._waiting.clear()


def _machine(address: str, mtu: str) -> tuple[int, int]:
    """A new network namespace, entered, and the TUN device in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    inside = os.open("/proc/self/ns/net", os.O_RDONLY)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUN_SET, struct.pack("16sH22x", b"line", _TUN_NO_HEADER))
    for words in (
        f"addr add {address}/24 dev line",
        f"link set line mtu {mtu} txqueuelen 2000 up",
        "link set lo up",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    return inside, device


def _relay(delay_ms: str, loss: str, mtu: str) -> None:
    namespaces, devices = zip(_machine(NEAR, mtu), _machine(FAR, mtu), strict=True)
    print(*namespaces, flush=True)
    one, other = devices
    ways = {
        device: Way(to, float(delay_ms) / 1000, float(loss))
        for device, to in ((one, other), (other, one))
    }
    up = True
    while True:
        wait_s = min(way.due_s for way in ways.values()) - time.monotonic()
        ready, _, _ = select.select([*ways, sys.stdin], [], [], min(max(0.0, wait_s), 1.0))
        now_s = time.monotonic()
        if sys.stdin in ready:
            up = _obey(sys.stdin.readline().split(), ways, up)
        for device in ready:
            if device in ways:
                _carry(device, ways[device] if up else None, now_s)
        for way in ways.values():
            way.deliver(now_s)


def _obey(words: list[str], ways: dict[int, Way], up: bool) -> bool:
    if not words:
        raise SystemExit  # whoever started us has gone
    for way in ways.values():
        if words[0] == "cut":
            way.drop()
        elif words[0] == "rate":
            way.bytes_per_s = float(words[1])
        elif words[0] == "loss":
            way.loss = float(words[1])
    print("done", flush=True)
    return {"cut": False, "mend": True}.get(words[0], up)


def _carry(device: int, way: Way | None, now_s: float) -> None:
    for _ in range(64):
        try:
            packet = os.read(device, _PACKET_BYTES)
        except BlockingIOError:
            return
        if way:
            way.take(packet, now_s)


if __name__ == "__main__":
    _relay(*sys.argv[1:])
