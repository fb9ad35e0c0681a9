"""The knobs of timbre transfer, each with its range."""

from dataclasses import dataclass, fields

# Range of every knob that is a number.
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


@dataclass(frozen=True)
class Knobs:
    """How to play. The defaults let the recording and the model's training decide.

    Args:
        adjust: move register and loudness to where the model has learned to play.
        octave_shift: octaves up or down, on top of what `adjust` does.
        loudness_shift_db: louder or softer playing (not volume: the timbre changes as well).
        confidence: below this certainty of the pitch (0...1) no tone is played, only noise.
        note_threshold: how clearly a note must stand out to count as one; lower finds more notes.
        quiet_db: how much softer the model plays between the notes.
        autotune: how far the pitch is moved onto the notes of the key, 0 not at all, 1 fully.
        harmonics_db: volume of the tone.
        noise_db: volume of the noise (breath, bow).
        reverb: the room the model has learned: 0 none, 1 as learned.
        seed: which noise is drawn; the same seed gives the same sound.
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
            if field.name not in RANGES:
                continue
            low, high = RANGES[field.name]
            value = getattr(self, field.name)
            whole = isinstance(low, int)
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                kind = "a whole number" if whole else "a number"
                raise ValueError(f"{field.name}={value!r} must be {kind} from {low} to {high}")
            if not low <= value <= high:
                raise ValueError(f"{field.name}={value} must be from {low} to {high}")
