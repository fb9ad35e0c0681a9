"""How right and how fast the pitch trackers are, on instruments whose notes are written down.

    make bench-pitch      or      python -m benchmarks.pitch --models tiny swift --seconds 30

Each instrument plays a tune (see labelled.py); a frame counts as right within 50 cents of what
is written, from --after_onset seconds after the start of a note to its end. Speed is seconds of
audio a second of computing, all instruments together, after a warm-up. The claims compare it
with 0.117 x real time, measured for the reference's CREPE full on two cores.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import labelled

REFERENCE_SPEED = 0.117  # x real time
CLAIMS = {"full": 10, "tiny": 200, "swift": 600}  # times the reference
FRAME_RATE = 250


def score(f0_hz: np.ndarray, confidence: np.ndarray, truth_hz: np.ndarray) -> dict[str, float]:
    """Shares in percent: frames within 50 cents, the same but for octaves, and confidence >= 0.5.

    ``f0_hz``, ``confidence`` and ``truth_hz`` are `[n_frames]`; only frames with truth count.
    """
    voiced = truth_hz > 0
    cents = 1200 * np.log2(np.maximum(f0_hz[voiced], 1e-3) / truth_hz[voiced])
    folded = np.mod(cents + 600, 1200) - 600
    return {
        "right": 100 * np.mean(np.abs(cents) <= 50),
        "but octaves": 100 * np.mean(np.abs(folded) <= 50),
        "sure": 100 * np.mean(confidence[voiced] >= 0.5),
        "sure in rests": 100 * np.mean(confidence[~voiced] >= 0.5),
    }


def measure(model: str, recordings: dict, after_onset_s: float, rounds: int):
    """Scores by instrument, and the speed: the fastest of ``rounds`` over all recordings."""
    from dlwa.ddsp.pitch import compute_f0

    first = next(iter(recordings.values()))[0]
    compute_f0(first[: 6 * labelled.RATE], FRAME_RATE, model=model, precision="auto")
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        tracked = {
            name: compute_f0(audio, FRAME_RATE, model=model, precision="auto")
            for name, (audio, _) in recordings.items()
        }
        best = min(best, time.perf_counter() - began)
    scores = {}
    for name, (f0_hz, confidence) in tracked.items():
        seconds = np.arange(len(f0_hz)) / FRAME_RATE
        scores[name] = score(f0_hz, confidence, recordings[name][1].f0_hz(seconds, after_onset_s))
    total_s = sum(len(audio) for audio, _ in recordings.values()) / labelled.RATE
    return scores, total_s / best


def table(results: dict, instruments) -> str:
    """The Markdown table of docs/explanation/pitch.md."""
    titles = {"full": "CREPE full", "tiny": "CREPE tiny", "swift": "SwiftF0"}
    names = [titles.get(model, model) for model in results]
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for instrument in instruments:
        cells = []
        for scores, _ in results.values():
            one = scores[instrument]
            octaves = one["but octaves"] - one["right"]
            note = f" ({one['but octaves']:.1f} but for octaves)" if octaves >= 0.5 else ""
            cells.append(f"{one['right']:.1f} %{note}")
        lines.append(f"| {instrument} | " + " | ".join(cells) + " |")
    speeds = [f"{speed:.1f}" for _, speed in results.values()]
    lines.append("| **x real time** | " + " | ".join(speeds) + " |")
    ratios = [f"{speed / REFERENCE_SPEED:.0f}" for _, speed in results.values()]
    lines.append("| **x reference** | " + " | ".join(ratios) + " |")
    return "\n".join(lines)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["full", "tiny", "swift"])
    parser.add_argument("--instruments", nargs="+", default=list(labelled.INSTRUMENTS))
    parser.add_argument("--seconds", type=float, default=30.0, help="a tune's length")
    parser.add_argument("--after_onset", type=float, default=0.0, help="seconds left out")
    parser.add_argument("--rounds", type=int, default=1, help="the fastest one counts")
    parser.add_argument("--details", action="store_true", help="confidence in notes and rests")
    given = parser.parse_args(argv)
    if not labelled.available():
        print(
            "error: FluidSynth or its font is missing\nhint: sudo apt-get install fluidsynth "
            "fluidr3mono-gm-soundfont",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory() as folder:
        recordings = {
            name: labelled.render(name, given.seconds, Path(folder)) for name in given.instruments
        }
    results = {}
    for model in given.models:
        results[model] = measure(model, recordings, given.after_onset, given.rounds)
    print(table(results, given.instruments))
    if given.details:
        for model, (scores, _) in results.items():
            for name, one in scores.items():
                print(model, name, {key: round(float(value), 1) for key, value in one.items()})
    return verdict({model: speed for model, (_, speed) in results.items()})


def verdict(speeds: dict[str, float]) -> int:
    """Print which claims are kept; 1 if one is not."""
    missed = 0
    for model, speed in speeds.items():
        if wanted := CLAIMS.get(model):
            ratio = speed / REFERENCE_SPEED
            kept = "kept" if ratio >= wanted else "MISSED"
            missed += ratio < wanted
            print(f"{model}: {ratio:.0f} x the reference, claim >= {wanted} {kept}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
