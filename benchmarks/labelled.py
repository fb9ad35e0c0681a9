"""Instruments that play a written tune: recordings of which the pitch is known at every moment.

A seeded walk through G major with swells and vibrato is written as a MIDI file and played by
FluidSynth from a General MIDI font (Debian: fluidsynth and fluidr3mono-gm-soundfont, both free).
"""

import math
import random
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.demo_audio import midi

FONT = Path("/usr/share/sounds/sf3/FluidR3Mono_GM.sf3")
RATE = 16000
# program of General MIDI, lowest and highest note
INSTRUMENTS = {
    "clarinet": (71, 52, 80),
    "violin": (40, 55, 84),
    "flute": (73, 60, 90),
    "cello": (42, 36, 65),
    "trumpet": (56, 55, 80),
}
_WHEEL_SEMITONES = 2 / 8192
_STEP_S = 0.02
_PEDAL = 11


@dataclass
class Tune:
    """MIDI messages (second, bytes), notes (start, end, number) and wheel positions (second, v)."""

    messages: list[tuple[float, bytes]] = field(default_factory=list)
    notes: list[tuple[float, float, int]] = field(default_factory=list)
    wheel: list[tuple[float, int]] = field(default_factory=lambda: [(0.0, 0)])

    def f0_hz(self, seconds: np.ndarray, after_onset_s: float = 0.0) -> np.ndarray:
        """Written pitch at these moments, 0 where no note is held."""
        moments, positions = (np.array(column) for column in zip(*self.wheel, strict=True))
        bend = positions[np.searchsorted(moments, seconds, "right") - 1] * _WHEEL_SEMITONES
        note = np.zeros(len(seconds))
        for start, end, number in self.notes:
            note[(seconds >= start + after_onset_s) & (seconds < end)] = number
        return np.where(note > 0, 440.0 * 2.0 ** ((note + bend - 69) / 12), 0.0)


def available() -> bool:
    """Whether FluidSynth and its font are on this machine."""
    return shutil.which("fluidsynth") is not None and FONT.is_file()


def render(instrument: str, seconds: float, folder: Path, seed: int = 1, rate: int = RATE):
    """Play a tune: mono audio `[n]` with a peak of 0.8, and the Tune behind it."""
    program, low, high = INSTRUMENTS[instrument]
    tune = compose(low, high, seconds, seed)
    score, wav = folder / f"{instrument}.mid", folder / f"{instrument}.wav"
    score.write_bytes(midi.file_bytes([(0.0, bytes([midi.PROGRAM, program])), *tune.messages]))
    options = ["-niq", "-R", "0", "-C", "0", "-g", "0.8", "-r", str(rate), "-F", str(wav)]
    subprocess.run(["fluidsynth", *options, str(FONT), str(score)], check=True, capture_output=True)
    audio = soundfile.read(wav, dtype="float32")[0].mean(1)[: int(seconds * rate)]
    return audio / np.abs(audio).max() * 0.8, tune


def compose(low: int, high: int, seconds: float, seed: int) -> Tune:
    """A walk through the notes of G major between two numbers."""
    dice, tune, now = random.Random(seed), Tune(), 0.0
    pool = [n for n in range(low, high) if (n - 7) % 12 in (0, 2, 4, 5, 7, 9, 11)]
    place = len(pool) // 2
    while now < seconds - 1.5:
        length = dice.choice([0.25, 0.25, 0.5, 0.5, 1.0, 1.5])
        place = max(0, min(len(pool) - 1, place + dice.choice([-2, -1, -1, 1, 1, 2])))
        _play(tune, pool[place], now, now + 0.95 * length, dice.randint(60, 110))
        now += length + (0.3 if dice.random() < 0.1 else 0.0)
    tune.messages.sort(key=lambda message: message[0])
    return tune


def _play(tune: Tune, number: int, start: float, end: float, velocity: int) -> None:
    tune.notes.append((start, end, number))
    add = tune.messages.append
    add((start, bytes([midi.NOTE_ON, number, velocity])))
    n_steps = int((end - start) / _STEP_S)
    for step in range(n_steps):
        when, share = start + step * _STEP_S, step / n_steps
        swell = int(70 + 50 * math.sin(math.pi * share))
        add((when, bytes([midi.EXPRESSION, _PEDAL, swell])))
        if end - start > 0.9:
            depth = 800 * min(1.0, max(0.0, share - 0.25) * 3)
            _bend(tune, when, int(depth * math.sin(2 * math.pi * 5.5 * step * _STEP_S)))
    add((end, bytes([midi.NOTE_OFF, number, 0])))
    _bend(tune, end, 0)


def _bend(tune: Tune, when: float, position: int) -> None:
    tune.wheel.append((when, position))
    value = position + 8192
    tune.messages.append((when, bytes([midi.WHEEL, value & 0x7F, value >> 7])))
