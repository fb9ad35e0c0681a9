"""Render the demo recordings anew: `python -m benchmarks.demo_audio.render` (needs fluidsynth).

Writes dlwa/demo_data/*.flac and the true notes beside them. Rendering is exact: the same score
and sound font give the same samples.
"""

import argparse
import dataclasses
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from . import midi, score

SOUND_FONT = "/usr/share/sounds/sf3/FluidR3Mono_GM.sf3"
TARGET = Path(__file__).resolve().parents[2] / "dlwa" / "demo_data"
ROOM_NOISE_DB = -84.0  # no real recording has digital silence between its notes
PIECES = {
    "violin_to_learn": (40, score.VIOLIN, 11),
    "flute_to_transfer": (73, score.FLUTE, 5),
}


def render(name: str, rate: int, target: Path) -> None:
    """Write NAME.flac and NAME.notes.json."""
    program, phrases, seed = PIECES[name]
    notes = score.perform(phrases, seed)
    with tempfile.TemporaryDirectory() as folder:
        midi_file, wav_file = Path(folder, "piece.mid"), Path(folder, "piece.wav")
        midi.write(midi_file, notes, program)
        quiet = ["-niq", "-R", "0", "-C", "0", "-g", "0.6", "-r", str(rate)]
        subprocess.run(
            ["fluidsynth", *quiet, "-F", str(wav_file), SOUND_FONT, str(midi_file)], check=True
        )
        audio, rate = soundfile.read(wav_file)
    audio = audio.mean(axis=1)
    audio = audio[: int((notes[-1].end_s + 0.5) * rate)]
    audio *= 0.7 / np.abs(audio).max()
    noise = np.random.default_rng(seed).standard_normal(len(audio))
    audio += 10 ** (ROOM_NOISE_DB / 20) * noise
    soundfile.write(target / f"{name}.flac", audio, rate, subtype="PCM_16")
    document = {
        "audio": f"{name}.flac",
        "sample_rate": rate,
        "notes": [
            {
                key: round(value, 4) if isinstance(value, float) else value
                for key, value in dataclasses.asdict(note).items()
            }
            for note in notes
        ],
    }
    text = json.dumps(document, indent=None)
    (target / f"{name}.notes.json").write_text(text.replace('{"start', '\n {"start') + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=32000)
    parser.add_argument("--target", type=Path, default=TARGET)
    given = parser.parse_args()
    given.target.mkdir(parents=True, exist_ok=True)
    for name in PIECES:
        render(name, given.rate, given.target)


if __name__ == "__main__":
    main()
