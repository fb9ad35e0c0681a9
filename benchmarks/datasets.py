"""How long a data set takes: made for the first time, again, and with one more recording.

    make bench-datasets      or      python -m benchmarks.datasets --minutes 15 --hours 2

Renders recordings of a violin (needs fluidsynth), runs ddsp_prepare_tfrecord with its defaults in
processes of its own, and compares wall time with the length of the audio, with the reference's
speed (CREPE full at 0.117 x real time on two cores) and with the import of TensorFlow here.
"computing" is time on all cores together; divided by the cores it is what a quiet machine needs at
least. Claims for 15 minutes on two cores: 60 s, again 3 s, the same bytes, 1.5 GB of memory; this
also for one recording of two hours (--hours), which takes minutes.
"""

import argparse
import dataclasses
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.demo_audio import midi, score
from benchmarks.demo_audio.render import SOUND_FONT

MODULE = "dlwa.ddsp.training.data_preparation.ddsp_prepare_tfrecord"
RATE = 44100
VIOLIN_PROGRAM = 40
ROOM_NOISE_DB = -84.0
REFERENCE_SPEED = 0.117  # x real time
FIRST_S, AGAIN_S, MEMORY_GB = 60.0, 3.0, 1.5
TRANSPOSITIONS = (-1, 0, 1, 2, 3)


def render(path: Path, seed: int) -> float:
    """One performance of the demo's violin piece, transposed and timed anew; its seconds."""
    notes = [
        dataclasses.replace(note, midi=note.midi + TRANSPOSITIONS[seed % len(TRANSPOSITIONS)])
        for note in score.perform(score.VIOLIN, seed)
    ]
    with tempfile.TemporaryDirectory() as folder:
        midi_file, wav_file = Path(folder, "piece.mid"), Path(folder, "piece.wav")
        midi.write(midi_file, notes, VIOLIN_PROGRAM)
        quiet = ["-niq", "-R", "0", "-C", "0", "-g", "0.6", "-r", str(RATE)]
        argv = ["fluidsynth", *quiet, "-F", str(wav_file), SOUND_FONT, str(midi_file)]
        subprocess.run(argv, check=True)
        audio, _ = soundfile.read(wav_file)
    audio = audio[: int((notes[-1].end_s + 0.5) * RATE)] * (0.7 / np.abs(audio).max())
    audio += 10 ** (ROOM_NOISE_DB / 20) * np.random.default_rng(seed).standard_normal(audio.shape)
    soundfile.write(path, audio, RATE, subtype="PCM_16")
    return len(audio) / RATE


def computed_s() -> float:
    """Seconds that the processes started so far have computed, on all cores together."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def prepare(folder: Path, out: Path, *more: str) -> tuple[float, float]:
    """Wall seconds and seconds of computing of the command, from its start to its end."""
    argv = [sys.executable, "-m", MODULE, f"--input_audio_dir={folder}", "--num_shards=10"]
    argv += [f"--output_tfrecord_path={out / 'data.tfrecord'}", *more]
    began, computed = time.perf_counter(), computed_s()
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return time.perf_counter() - began, computed_s() - computed


def imported_s() -> float:
    """What TensorFlow takes to import here, for scale."""
    began = time.perf_counter()
    argv = [sys.executable, "-c", "import tensorflow"]
    subprocess.run(argv, capture_output=True, check=True)
    return time.perf_counter() - began


def same_bytes(a: Path, b: Path) -> bool:
    """Whether two data sets hold the same records, statistics and papers."""
    names = sorted(path.name for path in a.iterdir())
    if names != sorted(path.name for path in b.iterdir()):
        return False
    pages = {"report.html"}  # names the folder it lies in
    return all((a / n).read_bytes() == (b / n).read_bytes() for n in names if n not in pages)


def measure(minutes: float, work: Path) -> bool:
    """Print the table; whether every claim was kept."""
    folder, cache = work / "in", f"--cache_dir={work / 'cache'}"
    folder.mkdir()
    seconds, takes = 0.0, 0
    while seconds < 60 * minutes:
        seconds += render(folder / f"take{takes:02d}.wav", takes)
        takes += 1
    scale_s = imported_s()
    first = prepare(folder, work / "first", cache)
    memory_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    again = prepare(folder, work / "again", cache)
    anew = prepare(folder, work / "anew", "--no_cache")
    added_s = render(folder / "zz_added.wav", 99)
    added = prepare(folder, work / "added", cache)
    same = same_bytes(work / "first", work / "again") and same_bytes(work / "first", work / "anew")
    reference = seconds / REFERENCE_SPEED
    print(f"{seconds:.0f} s of audio in {takes} recordings; {os.cpu_count()} cores")
    columns = f"{'x real time':>13}{'/ reference':>13}{'/ import tf':>13}"
    print(f"{'':<26}{'s':>8}{'computing s':>13}{columns}   claim")
    kept = same
    scaled = FIRST_S * seconds / 900.0
    for name, (took, computed), claim in (
        ("first time", first, scaled),
        ("again", again, AGAIN_S),
        ("without the cache", anew, scaled),
        (f"one more ({added_s:.0f} s)", added, None),
    ):
        verdict = ""
        if claim:
            kept &= took <= claim
            verdict = f"<= {claim:.0f} s {'kept' if took <= claim else 'MISSED'}"
        row = f"{name:<26}{took:>8.1f}{computed:>13.1f}{seconds / took:>13.1f}"
        print(f"{row}{reference / took:>13.0f}{took / scale_s:>13.1f}   {verdict}".rstrip())
    kept &= memory_gb <= MEMORY_GB
    verdict = "kept" if memory_gb <= MEMORY_GB else "MISSED"
    print(f"memory at most {memory_gb:.2f} GB   <= {MEMORY_GB} GB {verdict}")
    print(f"records, statistics and dataset.json the same: {'yes' if same else 'NO'}")
    return bool(kept)


def measure_long(hours: float, work: Path) -> bool:
    """Print the memory and time that one recording of hours takes; whether the claim was kept."""
    folder = work / "long"
    folder.mkdir()
    piece_s = render(work / "piece.wav", 0)
    piece, _ = soundfile.read(work / "piece.wav", dtype="int16")
    with soundfile.SoundFile(folder / "long.flac", "w", RATE, piece.shape[1]) as file:
        for _ in range(round(3600 * hours / piece_s)):
            file.write(piece)
    took, _ = prepare(folder, work / "of_long", f"--cache_dir={work / 'cache'}")
    # of all processes so far, so measured after shorter ones this is the larger of both
    memory_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    verdict = "kept" if memory_gb <= MEMORY_GB else "MISSED"
    print(f"one recording of {hours:g} h: {took:.0f} s ({3600 * hours / took:.0f} x real time)")
    print(f"memory at most {memory_gb:.2f} GB   <= {MEMORY_GB} GB {verdict}")
    return memory_gb <= MEMORY_GB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--hours", type=float, default=0.0, help="of one long recording more")
    given = parser.parse_args()
    if not shutil.which("fluidsynth") or not Path(SOUND_FONT).is_file():
        print("needs fluidsynth and the sound font fluidr3mono-gm-soundfont", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="dlwa-bench-") as work:
        kept = measure(given.minutes, Path(work)) if given.minutes else True
        if given.hours:
            kept &= measure_long(given.hours, Path(work))
        return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
