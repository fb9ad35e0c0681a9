"""The two little pieces of the demo, written for it, and what a player does with them.

A phrase is written as `NOTE:BEATS` separated by spaces: `-` is a rest, `(` and `)` enclose a slur
(one bow or one breath: the pitch moves on without a new attack), `.` after the beats makes a note
short, `>` gives it an accent.
"""

import random
import re
from dataclasses import dataclass

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
LEVELS_DB = {"pp": -22.0, "p": -16.0, "mp": -11.0, "mf": -7.0, "f": -3.0, "ff": 0.0}
TOKEN = re.compile(r"(\(?)([A-G])([#b]?)(\d):([\d.]+?)([.>]?)(\)?)$")


@dataclass(frozen=True)
class Phrase:
    """A line of music: its notes, beats a minute, the dynamics it passes through, the vibrato."""

    notes: str
    bpm: float
    dynamics: tuple[str, ...]
    vibrato_cents: float = 22.0
    breath_s: float = 0.5


@dataclass(frozen=True)
class Note:
    """A note as played: when, which, how loud at both ends, how it begins and moves."""

    start_s: float
    end_s: float
    midi: int
    level_db: tuple[float, float]
    slurred: bool
    short: bool
    accent: bool
    vibrato_cents: float
    vibrato_hz: float


VIOLIN = (
    # A singing line that grows and falls.
    Phrase(
        "(G4:1 B4:.5 D5:.5) (G5:1.5 F#5:.5) (E5:1 D5:.5 C5:.5) B4:1.5 - "
        "(A4:.5 B4:.5 C5:1) (E5:.5 D5:.5 C5:1) (B4:.5 A4:.5) G4:2",
        84,
        ("mp", "mf", "f", "mf", "p"),
    ),
    # Low string, broad and dark.
    Phrase(
        "G3:1.5 A3:.5 (Bb3:1 A3:1) D4:2 (C4:.5 Bb3:.5) (A3:.5 G3:.5) A3:1 D4:.5 D4:.5 G3:2",
        76,
        ("p", "mf", "f", "mf"),
        26.0,
    ),
    # Detached, dancing, with short notes.
    Phrase(
        "D5:.5. D5:.25. E5:.25. F#5:.5. A5:.5> G5:.25 F#5:.25 E5:.5. D5:.5. A4:.5. "
        "B4:.5. C#5:.25. D5:.25. E5:.5. C#5:.5. D5:1> - A4:.25. A4:.25. D5:1",
        104,
        ("mf", "f", "mp", "f"),
        14.0,
    ),
    # Very quiet and high, held.
    Phrase(
        "(B5:2 A5:1 G5:1) (F#5:1.5 G5:.5) A5:2 - (D6:2 B5:1) (C6:.5 A5:.5) G5:3",
        80,
        ("pp", "p", "mp", "pp"),
        18.0,
        0.7,
    ),
    # Quick scales in slurs, then a broken chord.
    Phrase(
        "(G4:.25 A4:.25 B4:.25 C5:.25) (D5:.25 E5:.25 F#5:.25 G5:.25) A5:1> "
        "(G5:.25 F#5:.25 E5:.25 D5:.25) (C5:.25 B4:.25 A4:.25 G4:.25) F#4:1 "
        "G4:.5 B4:.5 D5:.5 G5:.5 B5:.5 G5:.5 D5:.5 B4:.5 G4:2",
        92,
        ("p", "f", "mp", "ff", "p"),
        16.0,
    ),
    # Repeated notes, from a whisper to full sound.
    Phrase(
        "E4:.5. E4:.5. E4:.5 E4:.5 (F4:1 E4:.5 D4:.5) E4:.5. G4:.5 (A4:1 B4:1) C5:1> "
        "B4:.5 A4:.5 E5:3",
        88,
        ("pp", "mp", "f", "ff", "mf"),
        24.0,
    ),
    # A slow tune with wide leaps and long crescendi.
    Phrase(
        "(E5:2 F#5:.5 G5:.5) B4:2 (C5:1 E5:1) A4:2 (D5:1 C5:.5 B4:.5) E4:1 G#4:1 (A4:1 B4:1) A4:3",
        72,
        ("mf", "p", "f", "p", "mf", "pp"),
        28.0,
        0.8,
    ),
)

FLUTE = (
    Phrase(
        "(G4:1 B4:.5 D5:.5) (E5:1 D5:.5 B4:.5) C5:1 A4:.5. A4:.5. (B4:1.5 G4:.5) D5:1 - "
        "(D5:.5 E5:.5 F#5:.5 G5:.5) A5:1> (G5:.5 E5:.5) (D5:1 C5:.5 A4:.5) G4:2",
        104,
        ("mp", "mf", "p", "f", "mf", "pp"),
        12.0,
        0.2,
    ),
)


def midi_number(letter: str, sign: str, octave: str) -> int:
    """C4 is 60."""
    return 12 * (int(octave) + 1) + STEPS[letter] + {"#": 1, "b": -1, "": 0}[sign]


def _level(dynamics: tuple[str, ...], position: float) -> float:
    """The level at a position 0...1 of a phrase, between the dynamics written along it."""
    place = position * (len(dynamics) - 1)
    left = min(int(place), len(dynamics) - 2)
    a, b = LEVELS_DB[dynamics[left]], LEVELS_DB[dynamics[left + 1]]
    return a + (b - a) * (place - left)


def perform(phrases: tuple[Phrase, ...], seed: int, lead_in_s: float = 0.35) -> list[Note]:
    """Play the phrases: breathe between them, be a little early or late, slow down at the end."""
    chance = random.Random(seed)
    played: list[Note] = []
    now = lead_in_s
    for phrase in phrases:
        tokens = phrase.notes.split()
        total = sum(1.0 if t == "-" else float(TOKEN.match(t).group(5)) for t in tokens)
        done, inside = 0.0, False
        for token in tokens:
            slow = 1.0 + 0.18 * max(0.0, done / total - 0.85) / 0.15  # a slight ritardando
            beat_s = 60.0 / phrase.bpm * slow
            if token == "-":
                now, done = now + 0.6 * beat_s, done + 1.0
                continue
            opens, letter, sign, octave, beats, mark, closes = TOKEN.match(token).groups()
            length_s = float(beats) * beat_s * chance.uniform(0.97, 1.03)
            slurred, inside = inside, (inside or opens == "(") and not closes
            sounding = 0.45 if mark == "." else (1.0 if inside else 0.93)
            begin, end = done / total, (done + float(beats)) / total
            slack = 0.0 if slurred else chance.uniform(-0.008, 0.008)
            played.append(
                Note(
                    start_s=max(0.0, now + slack),
                    end_s=now + length_s * sounding,
                    midi=midi_number(letter, sign, octave),
                    level_db=(_level(phrase.dynamics, begin), _level(phrase.dynamics, min(1, end))),
                    slurred=slurred,
                    short=mark == ".",
                    accent=mark == ">",
                    vibrato_cents=phrase.vibrato_cents if length_s > 0.45 and mark != "." else 0.0,
                    vibrato_hz=chance.uniform(5.0, 6.0),
                )
            )
            now, done = now + length_s, done + float(beats)
        now += phrase.breath_s * chance.uniform(0.8, 1.3)
    return played
