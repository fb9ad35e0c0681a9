"""The knobs of `dlwa ddsp timbre-transfer` as options."""

from dataclasses import dataclass
from typing import Annotated

import typer


@dataclass(frozen=True)
class Knobs:
    """What can be turned, by the name of its flag; what is None is left to the program."""

    adjust: Annotated[
        bool | None,
        typer.Option(
            "--adjust/--no-adjust", help="Move register and loudness to the model's. [default: on]"
        ),
    ] = None
    octave_shift: Annotated[
        int | None, typer.Option(metavar="OCTAVES", help="Up or down, on top of adjust.")
    ] = None
    loudness_shift_db: Annotated[
        float | None,
        typer.Option(
            "--loudness-shift", metavar="DB", help="Louder or softer playing, timbre and all."
        ),
    ] = None
    confidence: Annotated[
        float | None,
        typer.Option(metavar="0...1", help="Where the pitch is less certain, only noise plays."),
    ] = None
    note_threshold: Annotated[
        float | None, typer.Option(metavar="0...10", help="Lower finds more notes. [default: 1]")
    ] = None
    quiet_db: Annotated[
        float | None,
        typer.Option(
            "--quiet", metavar="DB", help="How much softer between the notes. [default: 20]"
        ),
    ] = None
    autotune: Annotated[
        float | None,
        typer.Option(metavar="0...1", help="Move the pitch onto the notes of the key."),
    ] = None
    harmonics_db: Annotated[
        float | None, typer.Option("--harmonics", metavar="DB", help="Volume of the tone.")
    ] = None
    noise_db: Annotated[
        float | None,
        typer.Option("--noise", metavar="DB", help="Volume of the noise: breath, bow."),
    ] = None
    reverb: Annotated[
        float | None, typer.Option(metavar="0...4", help="The learned room: 0 none, 1 as learned.")
    ] = None
    seed: Annotated[int | None, typer.Option(help="Which noise is drawn. [default: 0]")] = None
    sample_rate: Annotated[
        int | None, typer.Option(metavar="HZ", help="Of the sound. [default: the model's]")
    ] = None
    bits: Annotated[str | None, typer.Option(help="16, 24 or float. [default: 16]")] = None
    pitch_model: Annotated[
        str | None, typer.Option(help="Pitch tracker: auto, tiny ... full, swift. [default: auto]")
    ] = None
    checkpoint: Annotated[
        str | None, typer.Option(help="best, latest or a step. [default: best]")
    ] = None
