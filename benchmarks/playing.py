"""How fast models play: whole command, synthesis on one core, live blocks, pitch kept.

    python -m benchmarks.playing --model_dir=models/ddsp/demo/violin     (after ./dlwa.py demo)

The reference's road is put at the speed measured for its CREPE full (0.117 x real time on two
cores), which is nearly all of its time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "dlwa" / "demo_data" / "flute_to_transfer.flac"
NOTES = SOURCE.with_suffix(".notes.json")
REFERENCE_SPEED = 0.117
CLIP_S, BLOCK_MS = 10.0, 64.0


def clip(folder, seconds):
    """A clip of the flute, repeated if it is too short."""
    from dlwa.ddsp.audio_io import read_audio, write_audio

    audio, rate = read_audio(SOURCE)
    path = Path(folder) / f"{seconds:.0f}s.wav"
    write_audio(path, np.resize(audio, int(seconds * rate)), rate)
    return path


def run_module(module, words, cores=None):
    """Run a module of dlwa in a process of its own; returns the seconds it took."""
    begun = time.perf_counter()
    argv = [sys.executable, "-m", module, *map(str, words)]
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    subprocess.run(argv, check=True, cwd=ROOT, stderr=subprocess.DEVNULL, preexec_fn=pin)
    return time.perf_counter() - begun


def synthesis_speed(model):
    """Real times at which controls become sound, the pitch not counted."""
    from dlwa.ddsp import timbre_transfer as tt

    n_frames = int(30 * model.sample_rate / model.hop_size)
    controls = tt.Controls(np.full(n_frames, 440, "f4"), np.full(n_frames, -30, "f4"))
    player = tt.Player(model)
    list(player.play(controls))
    begun = time.perf_counter()
    list(player.play(controls))
    return 30.0 / (time.perf_counter() - begun)


def cents_off(played, features_of):
    """Median distance in cents of the made sound's pitch from the pitch that was asked for."""
    result = played
    heard = features_of(result.path)
    n = min(len(heard.f0_hz), len(result.conditioned.f0_hz))
    notes = result.conditioned.mask_on[:n] & (heard.f0_confidence[:n] > 0.5)
    asked = result.conditioned.f0_hz[:n][notes]
    cents = 1200 * np.log2(np.maximum(1.0, heard.f0_hz[:n][notes]) / asked)
    return float(np.median(np.abs(cents)))


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model_dir", type=Path, required=True, help="A trained model.")
    model_dir = parser.parse_args().model_dir.absolute()
    lines = []

    def line(what, value, claim, kept):
        lines.append(f"{what:<44} {value:<22} {claim:<18} {'kept' if kept else 'MISSED'}")
        print(lines[-1], flush=True)

    with tempfile.TemporaryDirectory() as folder:
        ten = clip(folder, CLIP_S)
        words = [ten, Path(folder) / "out.wav", f"--model_dir={model_dir}"]
        took = run_module("dlwa.ddsp.timbre_transfer", words)
        ratio = CLIP_S / REFERENCE_SPEED / took
        line(
            "10 s clip, whole command",
            f"{took:.1f} s, {ratio:.0f} x reference",
            ">= 10 x",
            ratio >= 10,
        )

        report = Path(folder) / "live.json"
        words = [f"--model_dir={model_dir}", f"--source={clip(folder, 30)}"]
        words += [f"--target={folder}/live.wav", f"--report={report}", "--fast"]
        run_module("dlwa.ddsp.live", words, cores={0})
        live = json.loads(report.read_text())
        what = f"live block of {live['block_ms']:g} ms on one core, 99 %"
        line(what, f"{live['p99_ms']:.1f} ms", "<= 32 ms", live["p99_ms"] <= 32)

        os.sched_setaffinity(0, {0})
        from dlwa.ddsp import quiet
        from dlwa.ddsp import timbre_transfer as tt

        quiet.import_tensorflow()
        model = tt.load_model(model_dir)
        speed = synthesis_speed(model)
        line("synthesis alone, on one core", f"{speed:.0f} x real time", ">= 10 x", speed >= 10)
        made = tt.transfer(ten, model, Path(folder) / "made.wav", tt.Knobs(noise_db=-12.0))
        off = cents_off(made, lambda path: tt.measure(path, model.frame_rate))
        line("pitch of the sound, median", f"{off:.1f} cents off", "<= 25 cents", off <= 25)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        line("peak memory", f"{peak_mb:.0f} MB", "<= 1500 MB", peak_mb <= 1500)


if __name__ == "__main__":
    main()
