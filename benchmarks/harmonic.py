"""Harmonic synthesis: dlwa's matrix products a frame against envelopes stretched to samples.

    make bench      or      python -m benchmarks.harmonic --batch 4 --seconds 4 --harmonics 100

Both roads play the same controls in one run, each in a process of its own so that the peak of
its memory can be told; the plain road is written here from core.resample and core.oscillator_bank.
With a gradient, as in training. The claims: at least as fast, at most half the memory, same sound.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROADS = ("frames", "plain")
KINDS = ("play", "gradient")
CLAIM_TIME, CLAIM_MEMORY = 1.0, 2.0  # how many times less than the plain road
MAX_DIFFERENCE = 1e-3
FRAME_RATE, SAMPLE_RATE = 250, 16000
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def _controls(batch: int, seconds: float, n_harmonics: int):
    """A chord of glides with moving spectra: f0_hz, amplitudes, shares, `[batch, frames, n]`."""
    import numpy as np

    random = np.random.default_rng(0)
    n_frames = int(seconds * FRAME_RATE)
    t = np.arange(n_frames) / FRAME_RATE
    f0_hz = np.stack([np.linspace(*random.uniform(80, 400, 2), n_frames) for _ in range(batch)])
    f0_hz *= 1 + 0.01 * np.sin(2 * np.pi * 5 * t)
    shares = random.uniform(0, 1, [batch, n_frames, n_harmonics]) / np.arange(1, n_harmonics + 1)
    shares /= shares.sum(-1, keepdims=True)
    swell = np.broadcast_to(0.5 * np.sin(np.pi * t / seconds), [batch, n_frames])
    return [x.astype("float32") for x in (f0_hz[..., None], swell[..., None], shares)]


def _roads(n_samples: int):
    from dlwa.ddsp import core

    def frames(f0_hz, amplitudes, shares):
        return core.harmonic_synthesis(
            f0_hz, amplitudes, harmonic_distribution=shares, n_samples=n_samples
        )

    def plain(f0_hz, amplitudes, shares):
        harmonics = core.get_harmonic_frequencies(f0_hz, shares.shape[-1])
        return core.oscillator_bank(
            core.resample(harmonics, n_samples),
            core.resample(amplitudes * shares, n_samples, method="window"),
            sample_rate=SAMPLE_RATE,
        )

    return {"frames": frames, "plain": plain}


def _jobs(road: str, n_samples: int):
    import tensorflow as tf

    play = tf.function(_roads(n_samples)[road])

    @tf.function
    def gradient(*controls):
        with tf.GradientTape() as tape:
            tape.watch(controls)
            loss = tf.reduce_sum(play(*controls) ** 2)
        return tape.gradient(loss, controls)

    return {"play": play, "gradient": gradient}


def child(road: str, kind: str, given) -> None:
    """Measure one road; print what was found as JSON."""
    import numpy as np

    controls = _controls(given.batch, given.seconds, given.harmonics)
    n_samples = controls[0].shape[1] * (SAMPLE_RATE // FRAME_RATE)
    short = [x[:1, :25] for x in controls]
    _jobs(road, 25 * (SAMPLE_RATE // FRAME_RATE))[kind](*short)  # loads what TensorFlow needs
    job, before = _jobs(road, n_samples)[kind], _peak_mib()
    job(*controls)
    times = []
    for _ in range(given.rounds):
        began = time.perf_counter()
        answer = job(*controls)
        times.append(time.perf_counter() - began)
    print(json.dumps({"seconds": min(times), "mib": max(1.0, _peak_mib() - before)}))
    if given.keep:
        np.save(given.keep, answer if kind == "play" else answer[2])


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 2**20


def measure(road: str, kind: str, given, keep: Path | None = None) -> dict:
    """Run one road in a fresh process."""
    sizes = [f"--{name}={getattr(given, name)}" for name in ("batch", "seconds", "harmonics")]
    command = [sys.executable, "-m", "benchmarks.harmonic", "--child", road, kind, *sizes]
    command += [f"--rounds={given.rounds}", *([f"--keep={keep}"] if keep else [])]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"error: {road} {kind} failed\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def difference(given, folder: Path) -> float:
    """Largest difference of the two sounds."""
    import numpy as np

    for road in ROADS:
        measure(road, "play", argparse.Namespace(**{**vars(given), "rounds": 1}), folder / road)
    one, other = (np.load(folder / f"{road}.npy") for road in ROADS)
    return float(np.abs(one - other).max())


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--harmonics", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--keep", help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.child:
        child(*given.child, given)
        return 0
    return compare(given)


def compare(given) -> int:
    """Print the table; 1 if a claim is missed."""
    import tempfile

    print(f"{given.batch} x {given.seconds:g} s, {given.harmonics} harmonics")
    print(
        f"{'':<10}{'plain s':>9}{'dlwa s':>9}{'ratio':>7}{'plain MiB':>11}{'dlwa MiB':>10}", end=""
    )
    print(f"{'ratio':>7}   claim: time / {CLAIM_TIME:g}, memory / {CLAIM_MEMORY:g}")
    kept = True
    for kind in KINDS:
        ours, plain = (measure(road, kind, given) for road in ROADS)
        faster, smaller = plain["seconds"] / ours["seconds"], plain["mib"] / ours["mib"]
        good = faster >= CLAIM_TIME and smaller >= CLAIM_MEMORY
        kept &= good
        print(
            f"{kind:<10}{plain['seconds']:>9.3f}{ours['seconds']:>9.3f}{faster:>7.1f}"
            f"{plain['mib']:>11.0f}{ours['mib']:>10.0f}{smaller:>7.1f}"
            f"   {'kept' if good else 'MISSED'}"
        )
    with tempfile.TemporaryDirectory() as folder:
        apart = difference(given, Path(folder))
    kept &= apart <= MAX_DIFFERENCE
    verdict = "kept" if apart <= MAX_DIFFERENCE else "MISSED"
    print(f"largest difference of the sounds {apart:.1e}, claim <= {MAX_DIFFERENCE:g} {verdict}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
