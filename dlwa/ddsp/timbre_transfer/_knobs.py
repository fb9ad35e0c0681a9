"""The knobs of timbre transfer: what each does to the sound, its range, its resting place."""

from dataclasses import dataclass, fields

# Range of every knob that is a number; whole numbers where the limits are.
RANGES = {
    "octave_shift": (-8, 8),
    "loudness_shift_db": (-60.0, 60.0),
    "confidence": (0.0, 1.0),
    "note_threshold": (0.0, 10.0),
    "quiet_db": (0.0, 60.0),
    "autotune": (0.0, 1.0),
    "harmonics_db": (-80.0, 24.0),
    "noise_db": (-80.0, 24.0),
    "reverb": (0.0, 4.0),
    "seed": (0, 2**31 - 1),
}
# The part of a range that one turns by hand, where that is not all of it.
BY_HAND = {
    "loudness_shift_db": (-24, 24),
    "note_threshold": (0, 3),
    "harmonics_db": (-48, 12),
    "noise_db": (-48, 12),
    "reverb": (0, 2),
    "seed": (0, 9999),
}
EFFECTS = {
    "adjust": "Move register and loudness to where the model has learned to play.",
    "octave_shift": "Octaves up or down, on top of what adjust does.",
    "loudness_shift_db": "Louder or softer playing: the timbre changes, not only the volume.",
    "confidence": "Where the pitch is less certain than this, only noise is played, no tone.",
    "note_threshold": "How clearly a note must stand out to count as one; lower finds more.",
    "quiet_db": "How much softer the model plays between the notes.",
    "autotune": "How far the pitch is moved onto the notes of the key: 0 not, 1 fully.",
    "harmonics_db": "Volume of the tone.",
    "noise_db": "Volume of the noise: breath, bow.",
    "reverb": "The room the model has learned: 0 none, 1 as learned.",
    "seed": "Which noise is drawn; the same seed gives the same sound.",
}


@dataclass(frozen=True)
class Knobs:
    """How to play; EFFECTS says what each knob does.

    The defaults let the recording and the model's training decide. Raises ValueError for a knob
    beyond its range.
    """

    adjust: bool = True
    octave_shift: int = 0
    loudness_shift_db: float = 0.0
    confidence: float = 0.0
    note_threshold: float = 1.0
    quiet_db: float = 20.0
    autotune: float = 0.0
    harmonics_db: float = 0.0
    noise_db: float = 0.0
    reverb: float = 1.0
    seed: int = 0

    def __post_init__(self):
        for field in fields(self):
            if field.name in RANGES:
                _check(field.name, getattr(self, field.name), *RANGES[field.name])


def _check(name, value, low, high):
    whole = isinstance(low, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{name}={value!r} must be {kind} from {low} to {high}")
    if not low <= value <= high:
        raise ValueError(f"{name}={value} must be from {low} to {high}")
