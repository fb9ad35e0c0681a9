"""`dlwa ddsp timbre-transfer`: let a model play a recording."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dlwa.cli import _knobs, options, output
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
    model_name: options.ModelName = "",
    *,
    knobs: _knobs.Knobs,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what was chosen and why.")
    ] = False,
    how: options.Manner,
) -> int:
    """Let a model play what a recording plays.

    Pitch and loudness are followed, moved to where the model has learned to play, and played.
    No knob needs to be touched; --explain says what was chosen. Works without a GPU or screen.
    """
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
        knobs=vars(knobs),
        overwrite=how.yes,
    )
    if output.only_shown(planned.argv, how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
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
