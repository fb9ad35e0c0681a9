"""`dlwa ddsp report`: a training as one page to read and hear."""

from pathlib import Path
from typing import Annotated

import typer

from dlwa.cli import options, output
from dlwa.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add the command to the group `ddsp`."""
    app.command("report")(report)


def report(
    model: Annotated[
        str, typer.Argument(metavar="[OWNER/MODEL]", help="Name of the model.", show_default=False)
    ] = "",
    model_name: Annotated[
        str, typer.Option("--model-name", metavar="OWNER/NAME", help="The same as an option.")
    ] = "",
    page: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Default: outputs/OWNER/NAME/report.html."),
    ] = None,
    sounds: Annotated[
        bool, typer.Option("--sounds/--no-sounds", help="Let the model play; takes some seconds.")
    ] = True,
    *,
    how: options.Manner,
) -> int:
    """Make one page about a training: curves, sounds, data set, settings, what stopped it.

    Works at any time, also while the model trains and after it failed. The page needs no network
    and fits a phone; an older one is replaced.
    """
    from dlwa.actions import report as action
    from dlwa.cli import needs
    from dlwa.hosts.local import LocalHost

    settings = options.settings()
    planned = action.plan(
        settings,
        LocalHost(),
        _one_name(model, model_name),
        page and page.absolute(),
        sounds=sounds,
    )
    if output.only_shown(planned.argv, how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
    with output.telling("report", "parts") as tell:
        warnings = action.run(planned, tell, settings.workspace.root)
    for warning in warnings:
        output.warn(warning)
    output.done(f"the report of {planned.model} is made; open it in a browser:")
    output.text(str(planned.target))
    output.answer({"page": str(planned.target), "name": str(planned.model)})
    return ExitCode.OK


def _one_name(model: str, model_name: str) -> str:
    from dlwa.errors import UsageError

    if model and model_name and model != model_name:
        raise UsageError(
            f"two models are named: {model} and --model_name {model_name}", "name one of them"
        )
    if not (model or model_name):
        raise UsageError(
            "which model? Its name is missing", "./dlwa.py ddsp report your_name/violin"
        )
    return model or model_name
