"""How long looking at a lab takes, near and 200 ms away: `status`, and leaving a session.

usage: python benchmarks/looking.py [--rounds 5]

Prints seconds and, from the difference, how many round trips `status` makes, the
connection included; tests/integration/test_ssh_remote.py counts those after it.
"""

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pexpect
import pytest

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.delay import Delay  # noqa: E402
from tests.integration.far_lab import FarLab, far_lab  # noqa: E402

_RTT_S = 0.2
_COUNTING = "import time\nwhile True:\n    print('line', flush=True)\n    time.sleep(0.1)"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory(prefix="dl") as folder,
        pytest.MonkeyPatch.context() as patches,
        _world(Path(folder), patches) as world,
    ):
        delayed = Delay(world.server.port, _RTT_S / 2)
        world.client.add_host("distant", world.server, Port=delayed.port)
        world.client.know(world.server, port=delayed.port)
        world.describe("distant", host="distant")
        world.far.start(_COUNTING, "ann/looks")
        # in turns, so that a busy machine is busy for both; the quickest is the least disturbed
        took = [[_status(world, lab) for lab in _LABS] for _ in range(rounds)]
        near, far = (min(column) for column in zip(*took, strict=True))
        print(f"status         near {near:.2f} s, 200 ms away {far:.2f} s")
        print(f"round trips    {(far - near) / _RTT_S:.1f} with the connection")
        for lab in _LABS:
            print(
                f"leaving        {_median(lambda lab=lab: _leave(world, lab), rounds):.2f} s, {lab}"
            )


_LABS = ("vm", "distant")


def _world(folder: Path, patches: pytest.MonkeyPatch) -> AbstractContextManager[FarLab]:
    for name in ("DLWA_LOCK_DIR", "XDG_CONFIG_HOME"):  # nothing of this machine's own
        patches.setenv(name, str(folder / name))
    return far_lab(folder, patches)


def _median(measure, rounds: int) -> float:
    return statistics.median(measure() for _ in range(rounds))


def _status(world: FarLab, lab: str) -> float:
    began = time.perf_counter()
    done = world.dlwa("status", "--lab", lab)
    assert done.returncode == 0 and "ann/looks" in done.stdout, done.stderr
    return time.perf_counter() - began


def _leave(world: FarLab, lab: str) -> float:
    """From Ctrl-A D to the prompt."""
    argv = world.argv("util", "screen-attach", "ann/looks", "--lab", lab)
    env = world.environment(TERM="xterm-256color")
    one = pexpect.spawn(argv[0], argv[1:], env=env, cwd=str(world.laptop), timeout=30)
    one.expect("line")
    time.sleep(1.0)  # screen has drawn
    began = time.perf_counter()
    one.send("\x01d")
    one.expect(pexpect.EOF)
    one.close()
    assert one.exitstatus == 0
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
