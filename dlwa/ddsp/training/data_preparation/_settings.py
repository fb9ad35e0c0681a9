"""What a dataset shall look like."""

from dataclasses import asdict, dataclass, replace

CREPE_RATE = 16000
PITCH_MODELS = ("auto", "tiny", "small", "medium", "large", "full", "swift")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """Rates, window lengths and limits of a dataset; the defaults are those of solo instruments."""

    sample_rate: int = 16000
    frame_rate: int = 250
    example_secs: float = 4.0
    hop_secs: float = 1.0
    center: bool = False
    viterbi: bool = True
    pitch_model: str = "auto"
    precision: str = "auto"
    heldout_fraction: float = 0.1
    max_silent_share: float = 0.5
    seed: int = 0

    def __post_init__(self):
        for name in ("sample_rate", "frame_rate", "example_secs", "hop_secs"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)} must be positive")
        if CREPE_RATE % self.frame_rate:
            raise ValueError(
                f"frame_rate={self.frame_rate} must divide {CREPE_RATE}, e.g. 250, 125, 100 or 50"
            )
        if int(self.example_secs * self.frame_rate) < 1:
            raise ValueError(f"example_secs={self.example_secs} is shorter than one frame")
        if not 0 <= self.heldout_fraction < 1:
            raise ValueError(
                f"heldout_fraction={self.heldout_fraction} must be at least 0 and below 1"
            )

    @property
    def frames_per_example(self) -> int:
        """Frames from the start of a window to its end, without the extra one of ``center``."""
        return int(self.example_secs * self.frame_rate)

    @property
    def frames_per_hop(self) -> int:
        """Frames between the starts of two windows, at least one."""
        return max(1, int(self.hop_secs * self.frame_rate))

    def on_this_machine(self) -> "Settings":
        """The settings with the pitch model and the precision that "auto" stands for here."""
        from dlwa.ddsp import pitch

        return replace(
            self,
            pitch_model=pitch.resolve_pitch_model(self.pitch_model),
            precision=pitch.resolve_precision(self.precision).name,
        )

    def pitch_title(self) -> str:
        """How a person would call the pitch tracker: "CREPE tiny in bfloat16" or "SwiftF0"."""
        from dlwa.ddsp import pitch

        title = pitch.pitch_model_title(self.pitch_model)
        return f"{title} in {self.precision}" if self.pitch_model in pitch.SIZES else title

    def as_dict(self) -> dict:
        """The settings as plain values, for dataset.json."""
        return asdict(self)
