"""How near an export is to the model it was made of, and how fast."""

from dataclasses import asdict, dataclass

from dlwa.ddsp.training.export._parts import ExportError

__all__ = ["MOST_CONTROLS", "NotTheSameError", "Verdict"]

MOST_CONTROLS = 1e-4
VERIFICATION_FAILED = 7


class NotTheSameError(ExportError):
    """An export that does not play what the model plays."""

    def __init__(self, message):
        super().__init__(
            message,
            "nothing was left behind; please report this with the model",
            VERIFICATION_FAILED,
        )


@dataclass(frozen=True)
class Verdict:
    """The comparison of one export with its model on real sound.

    Errors of the audio, and what was allowed, are fractions of the loudest sample.
    """

    format: str
    path: str
    max_error_controls: float
    max_error_audio: float
    audio_limit: float
    x_realtime: float
    size_bytes: int
    compared_on: str

    def require(self):
        """Raise NotTheSameError unless the export is near enough."""
        for what, error, limit in (
            ("controls", self.max_error_controls, MOST_CONTROLS),
            ("audio", self.max_error_audio, self.audio_limit),
        ):
            if not error <= limit:
                raise NotTheSameError(
                    f"the {self.format} does not play what the model plays: {what} differ by "
                    f"{error:.2g}, {limit:.2g} is allowed (compared on {self.compared_on})"
                )

    def line(self):
        """For people."""
        return (
            f"{self.format}: max error {self.max_error_controls:.1e} (controls), "
            f"{self.max_error_audio:.1e} (audio); {self.x_realtime:.1f} x real time; "
            f"{self.size_bytes / 1e6:.1f} MB; compared on {self.compared_on}"
        )

    def as_dict(self):
        """For programs."""
        return asdict(self)
