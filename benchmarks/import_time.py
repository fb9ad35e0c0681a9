"""How long `import dlwa.ddsp` and its parts take, against `import tensorflow` alone.

    make bench      or      python -m benchmarks.import_time --rounds 7

Every round imports each once in a fresh process, so that a busy moment of the machine hits them
alike; the fastest of all rounds count. The claim: all public parts within 1.3 x TensorFlow.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASE = "import tensorflow"
LIBRARY = ("core", "spectral_ops", "processors", "dags", "synths", "effects", "losses")
STATEMENTS = {
    "python": "pass",
    BASE: BASE,
    "import dlwa.ddsp": "import dlwa.ddsp",
    "the library": "from dlwa.ddsp import " + ", ".join(LIBRARY),
    "and the models": f"from dlwa.ddsp import {', '.join(LIBRARY)}; "
    "from dlwa.ddsp.training import models",
}
CLAIM = 1.3


def measure(rounds: int, run=None) -> dict[str, float]:
    """Fastest seconds of each statement; the first round fills caches and does not count."""
    run = run or _seconds
    best = dict.fromkeys(STATEMENTS, float("inf"))
    for number in range(rounds + 1):
        for name, statement in STATEMENTS.items():
            seconds = run(statement)
            if number:
                best[name] = min(best[name], seconds)
    return best


def _seconds(statement: str) -> float:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", statement],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - began


def report(best: dict[str, float]) -> int:
    """Print the table; 1 if a claim is missed."""
    print(f"{'':<20}{'seconds':>9}{'x tensorflow':>14}   claim")
    missed = 0
    for name, seconds in best.items():
        ratio = seconds / best[BASE]
        judged = "" if name in ("python", BASE) else f"<= {CLAIM} "
        if judged:
            missed += ratio > CLAIM
            judged += "kept" if ratio <= CLAIM else "MISSED"
        print(f"{name:<20}{seconds:>9.2f}{ratio:>14.2f}   {judged}".rstrip())
    return 1 if missed else 0


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    return report(measure(parser.parse_args(argv).rounds))


if __name__ == "__main__":
    sys.exit(main())
