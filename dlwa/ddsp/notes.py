"""Pitches as musicians number and name them; needs NumPy only."""

import numpy as np

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def to_midi(f0_hz):
    """MIDI pitch of frequencies above 0 in Hz: 440 is 69."""
    return 69.0 + 12.0 * np.log2(np.maximum(f0_hz, 1e-3) / 440.0)


def note_name(midi):
    """Name of the note nearest to a MIDI pitch: 69 is A4."""
    number = round(float(midi))
    return f"{_NAMES[number % 12]}{number // 12 - 1}"
