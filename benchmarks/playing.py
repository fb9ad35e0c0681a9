"""How fast models play: whole command, synthesis and live blocks on one core, pitch, memory.

    make bench-playing     or      python -m benchmarks.playing --model_dir=models/ddsp/demo/violin

The whole command is the one a musician types, on two cores, from the shell to the file; the fastest
of the rounds counts. The reference's road is put at the speed measured for its CREPE full (0.117 x
real time on two cores), which is nearly all of its time. Other programs at work make every time
longer, so the load is told; the seconds of CPU hardly change.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "dlwa" / "demo_data" / "flute_to_transfer.flac"
TRANSFER, LIVE = "dlwa.ddsp.timbre_transfer", "dlwa.ddsp.live"
REFERENCE_SPEED = 0.117
CLIP_S, LIVE_S, LONG_S = 10.0, 30.0, 300.0
BLOCK_MS = 64.0
STARTER = """
import resource, subprocess, sys, time
begun = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
took_s, used = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
print(took_s, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(code)
"""


class Claims:
    """Prints a line for every claim: what, how much, what was promised, and whether it holds."""

    def __init__(self):
        self.missed = 0

    def judge(self, what, told, claim, kept):
        """Print one line; `kept` says whether the claim holds."""
        self.missed += not kept
        print(f"{what:<42} {told:<30} {claim:<11} {'kept' if kept else 'MISSED'}", flush=True)


def main(argv=None):
    """Measure and print; returns 1 if a claim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model_dir", type=Path, required=True, help="A trained model.")
    parser.add_argument("--rounds", type=int, default=3, help="Of what others may disturb.")
    given = parser.parse_args(argv)
    model_dir = given.model_dir.absolute()
    if not model_dir.is_dir():
        parser.error(f"model_dir={model_dir} does not exist; train it: ./dlwa.py demo --yes")
    claims = Claims()
    if hasattr(os, "getloadavg"):
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole_command(claims, model_dir, folder, given.rounds)
        live_blocks(claims, model_dir, folder, given.rounds)
        memory(claims, model_dir, folder)
        on_one_core(claims, model_dir, folder)
    return 1 if claims.missed else 0


def whole_command(claims, model_dir, folder, rounds):
    """From the shell to the file."""
    shelf = folder / "models" / "ddsp" / "bench"
    shelf.mkdir(parents=True)
    (shelf / "model").symlink_to(model_dir)
    words = ["dlwa.py", "--root", folder, "ddsp", "timbre-transfer", clip(folder, CLIP_S)]
    words += [folder / "out.wav", "--model_name=bench/model", "--yes"]
    runs = [run(words, cores={0, 1}) for _ in range(rounds)]
    took_s, cpu_s, _ = min(runs)
    ratio = CLIP_S / REFERENCE_SPEED / took_s
    told = f"{took_s:.1f} s ({cpu_s:.1f} s of CPU), {ratio:.0f} x"
    claims.judge("10 s clip, whole command, to reference", told, ">= 10 x", ratio >= 10)


def live_blocks(claims, model_dir, folder, rounds):
    """Blocks as they come from a microphone, without the waiting."""
    report = folder / "live.json"
    words = ["-m", LIVE, f"--model_dir={model_dir}", f"--source={clip(folder, LIVE_S)}"]
    words += [f"--target={folder}/live.wav", f"--report={report}", f"--block_ms={BLOCK_MS:g}"]
    slowest_ms = []
    for _ in range(rounds):
        run([*words, "--fast"], cores={0})
        slowest_ms.append(json.loads(report.read_text())["p99_ms"])
    what = f"live block of {BLOCK_MS:g} ms on one core, 99 %"
    claims.judge(what, f"{min(slowest_ms):.1f} ms", "<= 32 ms", min(slowest_ms) <= 32)


def memory(claims, model_dir, folder):
    """The most a transfer takes, for a short recording and a long one."""
    peaks = []
    for seconds in (CLIP_S, LONG_S):
        words = ["-m", TRANSFER, clip(folder, seconds), folder / "long.wav"]
        peaks.append(run([*words, f"--model_dir={model_dir}"])[2])
    told = " and ".join(f"{peak:.0f} MB" for peak in peaks)
    what = f"memory for {CLIP_S:g} s and for {LONG_S:g} s"
    claims.judge(what, told, "<= 1500 MB", max(peaks) <= 1500)


def on_one_core(claims, model_dir, folder):
    """Synthesis alone, and the pitch of what it makes; this process stays on one core."""
    pin({0})
    from dlwa.ddsp import quiet
    from dlwa.ddsp import timbre_transfer as tt

    quiet.import_tensorflow()
    model = tt.load_model(model_dir)
    speed = synthesis_speed(model)
    what = "synthesis alone, on one core"
    claims.judge(what, f"{speed:.0f} x real time", ">= 10 x", speed >= 10)
    result = tt.transfer(clip(folder, CLIP_S), model, folder / "made.wav", tt.Knobs(noise_db=-12.0))
    off = cents_off(result, tt.measure(result.path, model.frame_rate))
    claims.judge("pitch of the sound, median", f"{off:.1f} cents off", "<= 25 cents", off <= 25)


def clip(folder, seconds):
    """The flute, repeated or cut to a length."""
    from dlwa.ddsp.audio_io import read_audio, write_audio

    audio, rate = read_audio(SOURCE)
    path = Path(folder) / f"{seconds:.0f}s.wav"
    write_audio(path, np.resize(audio, int(seconds * rate)), rate)
    return path


def run(words, cores=None):
    """Run Python in a process of its own; returns (seconds, seconds of CPU, MB at most).

    A small process starts it and measures, because what a child had of its parent's memory before
    it became another program counts as its own.
    """
    done = subprocess.run(
        [sys.executable, "-S", "-c", STARTER, sys.executable, *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        preexec_fn=(lambda: pin(cores)) if cores else None,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{words} ended with {done.returncode}:\n{done.stderr.decode()}")
    took_s, cpu_s, kib = map(float, done.stdout.split())
    return took_s, cpu_s, kib / 1024


def pin(cores):
    """Keep this process on some cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def synthesis_speed(model):
    """Real times at which controls become sound, the pitch not counted."""
    from dlwa.ddsp import timbre_transfer as tt

    n_frames = int(30 * model.sample_rate / model.hop_size)
    controls = tt.Controls(np.full(n_frames, 440, "f4"), np.full(n_frames, -30, "f4"))
    player = tt.Player(model)
    player.rehearse()
    begun = time.perf_counter()
    list(player.play(controls))
    return 30.0 / (time.perf_counter() - begun)


def cents_off(result, heard):
    """Median distance in cents of the made sound's pitch from the pitch that was asked for."""
    n = min(len(heard.f0_hz), len(result.conditioned.f0_hz))
    notes = result.conditioned.mask_on[:n] & (heard.f0_confidence[:n] > 0.5)
    asked = result.conditioned.f0_hz[:n][notes]
    cents = 1200 * np.log2(np.maximum(1.0, heard.f0_hz[:n][notes]) / asked)
    return float(np.median(np.abs(cents)))


if __name__ == "__main__":
    sys.exit(main())
