"""How long dlwa takes to say its first word, beyond what Python itself takes to start.

    make bench        or        python benchmarks/startup.py --rounds 15

Every round runs all commands once, so that a busy moment of the machine hits them alike; medians
are compared. The claims: --version within 100 ms, --help within 150 ms, beyond `python -c pass`.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
BASE = "python -c pass"
COMMANDS = {
    BASE: [PYTHON, "-c", "pass"],
    "dlwa --version": [PYTHON, "-m", "dlwa.cli", "--version"],
    "dlwa --help": [PYTHON, "-m", "dlwa.cli", "--help"],
    "dlwa ddsp train --help": [PYTHON, "-m", "dlwa.cli", "ddsp", "train", "--help"],
    "dlwa status": [PYTHON, "-m", "dlwa.cli", "status"],
    "import typer (for scale)": [PYTHON, "-c", "import typer"],
}
CLAIMS_MS = {"dlwa --version": 100.0, "dlwa --help": 150.0}


def run_ms(argv: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, cwd=ROOT, capture_output=True, check=True)
    return (time.perf_counter() - began) * 1e3


def measure(rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, argv in COMMANDS.items():
            times[name].append(run_ms(argv))
    return {name: values[1:] for name, values in times.items()}  # the first round fills caches


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    times = measure(parser.parse_args().rounds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = medians[BASE]
    print(f"{'command':<26}{'median ms':>10}{'min':>8}{'beyond':>9}{'ratio':>8}   claim")
    kept = True
    for name, median in medians.items():
        beyond = median - base
        claim = CLAIMS_MS.get(name)
        verdict = ""
        if claim:
            kept &= beyond <= claim
            verdict = f"<= {claim:.0f} ms {'kept' if beyond <= claim else 'MISSED'}"
        row = f"{name:<26}{median:>10.1f}{min(times[name]):>8.1f}"
        row += f"{beyond:>9.1f}{median / base:>8.1f}"
        print(f"{row}   {verdict}".rstrip())
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
