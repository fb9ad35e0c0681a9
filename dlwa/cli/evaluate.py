"""`dlwa ddsp eval`, `sample` and `convert-gin`."""

import functools
from pathlib import Path
from typing import Annotated, Literal

import typer

from dlwa.cli import options, output
from dlwa.errors import ExitCode

ModelName = Annotated[
    str, typer.Option("--model-name", metavar="OWNER/NAME", help="Name of the model.")
]
DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset-name", metavar="OWNER/NAME", help="Default: the one the model learns from."
    ),
]
Gpu = Annotated[bool, typer.Option("--gpu", help="Wait for a GPU instead of using the CPU.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the group `ddsp`."""
    app.command("eval")(evaluate)
    app.command("sample")(sample)
    app.command("convert-gin")(convert_gin)


def evaluate(
    model_name: ModelName,
    dataset_name: DatasetName = "",
    extra: options.Extra = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Each checkpoint, until the training is over.")
    ] = False,
    custom: options.Custom = False,
    gpu: Gpu = False,
    detach: Detach = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    no_input: options.NoInput = False,
    json: options.Json = False,
) -> int:
    """Measure a model: loudness, pitch and spectra of what it plays against the originals.

    Sounds that were held out of the data set are used if there are any. The numbers go to
    outputs/OWNER/NAME/evaluation.json and to TensorBoard. Works while the model trains.
    """
    return _look("eval", model_name, dataset_name, extra, follow, custom, gpu)(
        detach=detach, dry_run=dry_run, yes=yes, no_input=no_input
    )


def sample(
    model_name: ModelName,
    dataset_name: DatasetName = "",
    extra: options.Extra = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Each checkpoint, until the training is over.")
    ] = False,
    custom: options.Custom = False,
    gpu: Gpu = False,
    detach: Detach = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    no_input: options.NoInput = False,
    json: options.Json = False,
) -> int:
    """Let a model play sounds of its data set, to hear how close it comes.

    Pairs of original and generated sounds go to outputs/OWNER/NAME/samples-STEP, pictures to
    TensorBoard. Sounds that were held out are used if there are any.
    """
    return _look("sample", model_name, dataset_name, extra, follow, custom, gpu)(
        detach=detach, dry_run=dry_run, yes=yes, no_input=no_input
    )


def convert_gin(
    old: Annotated[Path, typer.Argument(metavar="OLD.gin", help="File for an older ddsp.")],
    new: Annotated[
        Path | None, typer.Argument(metavar="[NEW.gin]", help="Default: printed.")
    ] = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    no_input: options.NoInput = False,
    json: options.Json = False,
) -> int:
    """Translate a gin file written for an older version of ddsp, and say what was changed.

    Training does so by itself; this leaves a file to keep. The old file stays as it is.
    """
    from dlwa.actions import conversion
    from dlwa.cli import needs

    old, new = old.absolute(), new and new.absolute()
    conversion.check(old, new, overwrite=yes)
    if output.only_shown(conversion.argv(old), dry_run):
        return ExitCode.OK
    needs.ddsp(assume_yes=yes, no_input=no_input)
    report = conversion.run(old, new)
    for change in report["changes"]:
        output.say(change)
    if report["problem"]:
        output.warn(f"still not right: {report['problem']}")
        if report["hint"]:
            output.say(f"hint: {report['hint']}")
    output.answer({**report, "new": str(new) if new else None})
    if new is None:
        output.text(str(report["text"]).rstrip("\n"))
    else:
        output.done(f"{new}: {len(report['changes'])} changes")
    return ExitCode.FAILED if report["problem"] else ExitCode.OK


def _look(
    mode: Literal["eval", "sample"],
    model_name: str,
    dataset_name: str,
    extra: list[str] | None,
    follow: bool,
    custom: bool,
    gpu: bool,
) -> functools.partial[int]:
    from dlwa.cli import _evaluation

    words = _evaluation.Words(
        mode, model_name, dataset_name, tuple(extra or ()), custom, gpu, follow
    )
    return functools.partial(_evaluation.look, words)
