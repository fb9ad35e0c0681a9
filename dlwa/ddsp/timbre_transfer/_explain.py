"""What the transfer chose and why, in words."""

from dataclasses import asdict, dataclass, field

import numpy as np

from dlwa.ddsp.notes import note_name


@dataclass
class Explanation:
    """The recording beside what the model has learned from, and the choices that follow.

    Pitches are MIDI numbers, levels dB; None where it is not known.
    """

    seconds: float = 0.0
    note_share: float = 0.0
    input_pitch: tuple[float, float] | None = None
    trained_pitch: tuple[float, float] | None = None
    played_pitch: tuple[float, float] | None = None
    inside_before: float | None = None
    inside_after: float | None = None
    octaves_added: int = 0
    input_loudness_db: float | None = None
    trained_loudness_db: float | None = None
    played_loudness_db: float | None = None
    tuning_cents: float | None = None
    warnings: list[str] = field(default_factory=list)

    def as_dict(self):
        """Everything as plain values."""
        return asdict(self)

    def text(self):
        """Everything for a person to read."""
        return "\n".join([*self.lines(), *(f"warning: {text}" for text in self.warnings)])

    def lines(self):
        """What was found and chosen, without the warnings."""
        lines = [f"recording: {self.seconds:.1f} s, notes sound in {self.note_share:.0%} of it"]
        lines.append(
            f"its pitch: {_span(self.input_pitch)}; the model learned from "
            f"{_span(self.trained_pitch)}"
        )
        lines.append(self._register())
        if self.input_loudness_db is not None:
            lines.append(self._loudness())
        if self.tuning_cents is not None:
            lines.append(f"the recording is {self.tuning_cents:+.0f} cents off concert pitch")
        return lines

    def _register(self):
        if self.inside_before is None:
            return "register: left as it is"
        share = f"{self.inside_before:.0%} of the notes lie in the model's range"
        if not self.octaves_added:
            return f"register: left as it is ({share})"
        return (
            f"register: {self.octaves_added:+d} octave{'s' * (abs(self.octaves_added) > 1)} "
            f"({share}, then {self.inside_after:.0%})"
        )

    def _loudness(self):
        line = f"loudness of its notes: {self.input_loudness_db:.0f} dB"
        if self.trained_loudness_db is not None:
            line += f"; the model learned from {self.trained_loudness_db:.0f} dB"
        return f"{line}; played at {self.played_loudness_db:.0f} dB"


def pitch_span(midi):
    """The range in which nearly all of these pitches lie, None for none."""
    if not len(midi):
        return None
    low, high = np.percentile(midi, [2, 98])
    return float(low), float(high)


def _span(span):
    return "unknown" if span is None else f"{note_name(span[0])} to {note_name(span[1])}"
