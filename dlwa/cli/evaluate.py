"""`dlwa ddsp eval`, `sample` and `convert-gin`."""

from pathlib import Path
from typing import Annotated

import typer

from dlwa.cli import _words, options, output
from dlwa.errors import ExitCode
from dlwa.words import counted


def register(app: typer.Typer) -> None:
    """Add the commands to the group `ddsp`."""
    app.command("eval")(evaluate)
    app.command("sample")(sample)
    app.command("convert-gin")(convert_gin)


def evaluate(asked: _words.Look, how: options.Manner) -> int:
    """Measure a model: loudness, pitch and spectra of what it plays against the originals.

    Sounds that were held out of the data set are used if there are any. The numbers go to
    outputs/OWNER/NAME/evaluation.json and to TensorBoard. Works while the model trains.
    """
    from dlwa.cli import _evaluation

    return _evaluation.look("eval", asked, how)


def sample(asked: _words.Look, how: options.Manner) -> int:
    """Let a model play sounds of its data set, to hear how close it comes.

    Pairs of original and generated sounds go to outputs/OWNER/NAME/samples-STEP, pictures to
    TensorBoard. Sounds that were held out are used if there are any.
    """
    from dlwa.cli import _evaluation

    return _evaluation.look("sample", asked, how)


def convert_gin(
    old: Annotated[Path, typer.Argument(metavar="OLD.gin", help="File for an older ddsp.")],
    new: Annotated[
        Path | None, typer.Argument(metavar="[NEW.gin]", help="Default: printed.")
    ] = None,
    *,
    how: options.Manner,
) -> int:
    """Translate a gin file written for an older version of ddsp, and say what was changed.

    Training does so by itself; this leaves a file to keep. The old file stays as it is.
    """
    from dlwa.actions import conversion
    from dlwa.cli import needs

    old, new = old.absolute(), new and new.absolute()
    conversion.check(old, new, overwrite=how.yes)
    if output.only_shown(conversion.argv(old), how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
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
        output.done(f"{new}: {counted(len(report['changes']), 'change')}")
    return ExitCode.FAILED if report["problem"] else ExitCode.OK
