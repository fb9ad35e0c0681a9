"""`dlwa ddsp export` and `dlwa ddsp import-checkpoint`: models that go out and come in."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dlwa.cli import options, output
from dlwa.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add the commands to the group `ddsp`."""
    app.command("export")(export)
    app.command("import-checkpoint")(import_checkpoint)


def export(
    model_name: options.ModelName,
    formats: Annotated[
        str,
        typer.Option(
            "--format", help="savedmodel, tflite, bundle, zip, with commas. [default: first three]"
        ),
    ] = "",
    target: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Default: outputs/OWNER/NAME/export."),
    ] = None,
    checkpoint: Annotated[str, typer.Option(help="best, latest or a step. [default: best]")] = "",
    *,
    how: options.Manner,
) -> int:
    """Turn a model into something other programs play: SavedModel, TFLite, bundle.

    Each export is compared with the model on real sound; one that differs is not kept and the
    command ends with 7. A bundle needs nothing else and plays wherever it is copied.
    """
    from dlwa.actions import exporting as action
    from dlwa.cli import needs

    settings = options.settings()
    planned = action.plan_export(
        settings,
        model_name,
        [kind.strip() for kind in formats.split(",") if kind.strip()],
        target and target.absolute(),
        checkpoint=checkpoint,
        overwrite=how.yes,
    )
    if output.only_shown(planned.argv, how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
    with output.telling("export") as tell:
        report = action.run(planned, tell, settings.workspace.root).report
    output.answer({"name": str(planned.model), **report})  # the document, before the table
    columns = ("made", "max error controls", "of audio", "x real time", "MB")
    rows = [_row(made) for made in report.get("exports", [])]
    output.table(f"{planned.model}, compared with the model", columns, rows)
    output.done(f"exported to {settings.workspace.shown(planned.target)}")
    return ExitCode.OK


def import_checkpoint(
    source: Annotated[
        Path, typer.Argument(metavar="PATH", help="Folder or zip of a model, or a bundle.")
    ],
    model_name: options.ModelName,
    as_admin: options.AsAdmin = False,
    *,
    how: options.Manner,
) -> int:
    """Take in a model trained elsewhere, so that it plays here under a name.

    PATH holds ckpt-*, operative_config-*.gin and dataset_statistics.pkl as other DDSP programs
    leave them, or is a bundle. Nothing in it is executed; it is copied once it was heard to play.
    """
    from dlwa.actions import exporting as action
    from dlwa.cli import _own, needs

    settings = options.settings()
    if not _own.may_write(model_name, "model_name", how, as_admin=as_admin):
        return ExitCode.FAILED
    planned = action.plan_import(settings, source.absolute(), model_name)
    if output.only_shown(planned.argv, how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
    with output.telling("import") as tell:
        outcome = action.run(planned, tell, settings.workspace.root)
    report = outcome.report
    for warning in outcome.warnings:
        output.warn(warning)
    step = f"step {report['step']}, " if report.get("step") is not None else ""
    output.done(f"{planned.model} is here: {step}{report.get('sample_rate')} Hz. Let it play:")
    output.text(f"./dlwa.py ddsp timbre-transfer IN.wav --model_name {planned.model}")
    output.answer({"name": str(planned.model), **report})
    return ExitCode.OK


def _row(made: dict[str, Any]) -> list[str]:
    return [
        str(made["path"]),
        f"{made['max_error_controls']:.1e}",
        f"{made['max_error_audio']:.1e}",
        f"{made['x_realtime']:.1f}",
        f"{made['size_bytes'] / 1e6:.1f}",
    ]
