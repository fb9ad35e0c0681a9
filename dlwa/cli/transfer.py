"""`dlwa ddsp timbre-transfer`: let a model play a recording."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dlwa.cli import options, output
from dlwa.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add the command to the group `ddsp`."""
    app.command("timbre-transfer")(timbre_transfer)


def timbre_transfer(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Recording, any format.")],
    target: Annotated[
        Path | None,
        typer.Argument(metavar="[OUT]", help="Sound to write; default: in outputs/OWNER/NAME."),
    ] = None,
    model_name: Annotated[
        str, typer.Option("--model-name", metavar="OWNER/NAME", help="Name of the model.")
    ] = "",
    adjust: Annotated[
        bool | None,
        typer.Option(
            "--adjust/--no-adjust", help="Move register and loudness to the model's. [default: on]"
        ),
    ] = None,
    octave_shift: Annotated[
        int | None, typer.Option(metavar="OCTAVES", help="Up or down, on top of adjust.")
    ] = None,
    loudness_shift: Annotated[
        float | None, typer.Option(metavar="DB", help="Louder or softer playing, timbre and all.")
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(metavar="0...1", help="Where the pitch is less certain, only noise plays."),
    ] = None,
    note_threshold: Annotated[
        float | None, typer.Option(metavar="0...10", help="Lower finds more notes. [default: 1]")
    ] = None,
    quiet: Annotated[
        float | None,
        typer.Option(metavar="DB", help="How much softer between the notes. [default: 20]"),
    ] = None,
    autotune: Annotated[
        float | None,
        typer.Option(metavar="0...1", help="Move the pitch onto the notes of the key."),
    ] = None,
    harmonics: Annotated[
        float | None, typer.Option(metavar="DB", help="Volume of the tone.")
    ] = None,
    noise: Annotated[
        float | None, typer.Option(metavar="DB", help="Volume of the noise: breath, bow.")
    ] = None,
    reverb: Annotated[
        float | None, typer.Option(metavar="0...4", help="The learned room: 0 none, 1 as learned.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Which noise is drawn. [default: 0]")] = None,
    sample_rate: Annotated[
        int | None, typer.Option(metavar="HZ", help="Of the sound. [default: the model's]")
    ] = None,
    bits: Annotated[str | None, typer.Option(help="16, 24 or float. [default: 16]")] = None,
    pitch_model: Annotated[
        str | None, typer.Option(help="Pitch tracker: auto, tiny ... full, swift. [default: auto]")
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="best, latest or a step. [default: best]")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what was chosen and why.")
    ] = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    no_input: options.NoInput = False,
    json: options.Json = False,
) -> int:
    """Let a model play what a recording plays.

    Pitch and loudness are followed, moved to where the model has learned to play, and played.
    No knob needs to be touched; --explain says what was chosen. Works without a GPU or screen.
    """
    turned: dict[str, object] = {
        "adjust": adjust,
        "octave_shift": octave_shift,
        "loudness_shift_db": loudness_shift,
        "confidence": confidence,
        "note_threshold": note_threshold,
        "quiet_db": quiet,
        "autotune": autotune,
        "harmonics_db": harmonics,
        "noise_db": noise,
        "reverb": reverb,
        "seed": seed,
        "sample_rate": sample_rate,
        "bits": bits,
        "pitch_model": pitch_model,
        "checkpoint": checkpoint,
    }
    return _transfer(
        source,
        target,
        model_name,
        turned,
        explain=explain,
        dry_run=dry_run,
        yes=yes,
        no_input=no_input,
    )


def _transfer(
    source: Path,
    target: Path | None,
    model_name: str,
    knobs: dict[str, object],
    *,
    explain: bool,
    dry_run: bool,
    yes: bool,
    no_input: bool,
) -> int:
    from dlwa.actions import transfer as action
    from dlwa.cli import needs
    from dlwa.errors import UsageError

    if not model_name:
        raise UsageError(
            "--model_name is missing",
            "./dlwa.py ddsp timbre-transfer IN.wav --model_name your_name/violin",
        )
    settings = options.settings()
    planned = action.plan(
        settings,
        source.absolute(),
        model_name,
        target and target.absolute(),
        knobs=knobs,
        overwrite=yes,
    )
    if output.only_shown(planned.argv, dry_run):
        return ExitCode.OK
    needs.ddsp(assume_yes=yes, no_input=no_input)
    with output.telling("timbre transfer", "s of audio") as tell:
        report = action.run(planned, tell, settings.workspace.root)
    _tell_made(report, settings.workspace.shown(planned.target), explain=explain)
    output.answer(report)
    return ExitCode.OK


def _tell_made(report: dict[str, Any], target: str, *, explain: bool) -> None:
    explanation = report.get("explanation") or {}
    for warning in explanation.get("warnings") or []:
        output.warn(warning)
    if explain:
        for line in report.get("explained") or []:
            output.text(line)
    seconds, took_s = report.get("seconds") or 0.0, report.get("took_s") or 0.0
    output.done(f"{target}: {seconds:.1f} s of sound, made in {took_s:.1f} s")
