"""Harmonic synthesis: dlwa's matrix products a frame against envelopes stretched to samples.

    make bench      or      python -m benchmarks.harmonic --batch 4 --seconds 4 --harmonics 100

Both roads play the same controls in one run, each in a process of its own so that the peak of
its memory can be told; the plain road is written here from core.resample and core.oscillator_bank.
With a gradient, as in training. The claims: at least as fast, at most half the memory, same sound.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROADS = ("frames", "plain")
KINDS = ("play", "gradient")
CLAIM_TIME, CLAIM_MEMORY = 1.0, 2.0  # how many times less than the plain road
MAX_DIFFERENCE = 1e-3
FRAME_RATE, SAMPLE_RATE = 250, 16000


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
    job, before = _jobs(road, n_samples)[kind], _memory_mib()
    job(*controls)
    times = []
    for _ in range(given.rounds):
        began = time.perf_counter()
        answer = job(*controls)
        times.append(time.perf_counter() - began)
    print(json.dumps({"seconds": min(times), "mib": max(1.0, _memory_mib(peak=True) - before)}))
    np.save(given.keep, answer if kind == "play" else answer[2])


def _memory_mib(peak: bool = False) -> float:
    """Memory in use now, which forgets the peak so far, or the peak since then (Linux)."""
    if sys.platform != "linux":  # only the peak of the whole life is known
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if not peak:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    name = "VmHWM:" if peak else "VmRSS:"
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def measure(road: str, kind: str, given, keep: Path) -> dict:
    """Run one road in a fresh process; its sound or gradient is kept in a file."""
    sizes = [f"--{name}={getattr(given, name)}" for name in ("batch", "seconds", "harmonics")]
    command = [sys.executable, "-m", "benchmarks.harmonic", "--child", road, kind, *sizes]
    command += [f"--rounds={given.rounds}", f"--keep={keep}"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"error: {road} {kind} failed\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--harmonics", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--keep", help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.child:
        child(*given.child, given)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return compare(given, Path(folder))


def compare(given, folder: Path) -> int:
    """Print the table; 1 if a claim is missed."""
    print(f"{given.batch} x {given.seconds:g} s, {given.harmonics} harmonics")
    print(
        f"{'':<10}{'plain s':>9}{'dlwa s':>9}{'ratio':>7}{'plain MiB':>11}{'dlwa MiB':>10}", end=""
    )
    print(f"{'ratio':>7}   claim: time / {CLAIM_TIME:g}, memory / {CLAIM_MEMORY:g}")
    kept = True
    for kind in given.kinds:
        ours, plain = (measure(road, kind, given, folder / f"{kind}-{road}") for road in ROADS)
        faster, smaller = plain["seconds"] / ours["seconds"], plain["mib"] / ours["mib"]
        good = faster >= CLAIM_TIME and smaller >= CLAIM_MEMORY
        kept &= good
        print(
            f"{kind:<10}{plain['seconds']:>9.3f}{ours['seconds']:>9.3f}{faster:>7.1f}"
            f"{plain['mib']:>11.0f}{ours['mib']:>10.0f}{smaller:>7.1f}"
            f"   {'kept' if good else 'MISSED'}"
        )
        kept &= same_sound(kind, *(folder / f"{kind}-{road}.npy" for road in ROADS))
    return 0 if kept else 1


def same_sound(kind: str, *answers: Path) -> bool:
    """Print how far apart the two sounds, or gradients, are in relation to their size."""
    import numpy as np

    ours, plain = (np.load(path) for path in answers)
    apart = np.abs(ours - plain).max() / np.abs(plain).max()
    verdict = "kept" if apart <= MAX_DIFFERENCE else "MISSED"
    print(
        f"{'':<10}largest difference {apart:.1e} of the peak, claim <= {MAX_DIFFERENCE:g} {verdict}"
    )
    return bool(apart <= MAX_DIFFERENCE)


if __name__ == "__main__":
    sys.exit(main())
