"""A performance as a MIDI file: one channel, its pitch wheel and its expression pedal."""

import math
import struct
from pathlib import Path

from .score import Note

TICKS_PER_S = 960
WHEEL_RANGE_SEMITONES = 12
CONTROL_EVERY_S = 0.01
GLIDE_S = 0.045  # how long a finger takes to the next note of a slur
EXPRESSION, WHEEL, NOTE_ON, NOTE_OFF, PROGRAM = 0xB0, 0xE0, 0x90, 0x80, 0xC0

Event = tuple[float, int, bytes]  # time, order within the same moment, message


def _variable_length(number: int) -> bytes:
    out = [number & 0x7F]
    while number := number >> 7:
        out.append(0x80 | (number & 0x7F))
    return bytes(reversed(out))


def _wheel(semitones: float) -> bytes:
    value = round(8192 + 8192 * semitones / WHEEL_RANGE_SEMITONES)
    value = max(0, min(16383, value))
    return bytes([WHEEL, value & 0x7F, value >> 7])


def _expression(level_db: float) -> bytes:
    # General MIDI: gain in dB = 40 log10(value / 127).
    value = round(127 * 10 ** (max(-60.0, min(0.0, level_db)) / 40))
    return bytes([EXPRESSION, 11, max(1, value)])


def _wheel_range() -> list[Event]:
    numbers = ((101, 0), (100, 0), (6, WHEEL_RANGE_SEMITONES), (38, 0))
    return [(0.0, 0, bytes([EXPRESSION, number, value])) for number, value in numbers]


def _bows(notes: list[Note]) -> list[list[Note]]:
    """Group notes that share one attack: a slur, as far as the sample bears being bent."""
    bows: list[list[Note]] = []
    for note in notes:
        bow = bows[-1] if bows else []
        if note.slurred and bow and abs(note.midi - bow[0].midi) <= 5:
            bow.append(note)
        else:
            bows.append([note])
    return bows


def _shape(bow: list[Note], note: Note, at_s: float) -> tuple[float, float]:
    """Return (bend in semitones, level in dB) at a time within a note of a bow."""
    base = bow[0].midi
    index = bow.index(note)
    since, length = at_s - note.start_s, note.end_s - note.start_s
    bend = float(note.midi - base)
    if index:
        glide = min(1.0, since / GLIDE_S)
        bend -= (note.midi - bow[index - 1].midi) * 0.5 * (1 + math.cos(math.pi * glide))
    grown = min(1.0, max(0.0, since - 0.18) / 0.3)  # vibrato comes after the note
    phase = 2 * math.pi * note.vibrato_hz * max(0.0, since - 0.18)
    bend += note.vibrato_cents / 100 * grown * math.sin(phase)
    a, b = note.level_db
    level = a + (b - a) * min(1.0, since / max(length, 1e-3)) - 3.0
    if note.accent:
        level += 3.0 * math.exp(-since / 0.12)
    if note.vibrato_cents:  # long notes swell a little
        level += 1.5 * math.sin(math.pi * min(1.0, since / length)) + 0.4 * grown * math.sin(phase)
    if index:
        level -= 2.5 * math.exp(-((since - GLIDE_S / 2) ** 2) / (2 * 0.02**2))
    return bend, level


def events(notes: list[Note], program: int, seed_velocity: int = 88) -> list[Event]:
    """Every message of the performance, in seconds."""
    out = [*_wheel_range(), (0.0, 1, bytes([PROGRAM, program]))]
    for bow in _bows(notes):
        first, end_s = bow[0], bow[-1].end_s
        velocity = int(seed_velocity + 1.2 * first.level_db[0] + (12 if first.accent else 0))
        velocity = max(35, min(120, velocity))
        for number, note in enumerate(bow):
            stop = bow[number + 1].start_s if number + 1 < len(bow) else note.end_s
            steps = max(1, int((stop - note.start_s) / CONTROL_EVERY_S))
            for step in range(steps):
                at_s = note.start_s + step * CONTROL_EVERY_S
                bend, level = _shape(bow, note, at_s)
                out += [(at_s, 2, _wheel(bend)), (at_s, 2, _expression(level))]
        out.append((first.start_s, 3, bytes([NOTE_ON, first.midi, velocity])))
        out.append((end_s, 1, bytes([NOTE_OFF, first.midi, 0])))
    return sorted(out, key=lambda event: event[:2])


def file_bytes(messages: list[tuple[float, bytes]], tail_s: float = 0.8) -> bytes:
    """A standard MIDI file of one track from messages in order, each with its second."""
    track, last = bytearray(), 0
    track += b"\x00\xff\x51\x03" + (500_000).to_bytes(3, "big")
    for at_s, message in messages:
        tick = round(at_s * TICKS_PER_S)
        track += _variable_length(tick - last) + message
        last = tick
    track += _variable_length(round(tail_s * TICKS_PER_S)) + b"\xff\x2f\x00"
    head = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, TICKS_PER_S // 2)
    return head + struct.pack(">4sI", b"MTrk", len(track)) + bytes(track)


def write(path: Path, notes: list[Note], program: int) -> None:
    """Write the performance as a standard MIDI file."""
    path.write_bytes(file_bytes([(at_s, message) for at_s, _, message in events(notes, program)]))
