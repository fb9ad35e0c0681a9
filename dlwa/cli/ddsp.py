"""`dlwa ddsp`: data sets and models. Later commands register from files of their own."""

from typing import Annotated

import typer

from dlwa.cli import options
from dlwa.errors import ExitCode

app = typer.Typer()

Cpu = Annotated[bool, typer.Option("--cpu", help="Compute on the CPU even if there is a GPU.")]
DatasetName = Annotated[
    str, typer.Option("--dataset-name", metavar="OWNER/NAME", help="Name of the data set.")
]


@app.command("make-dataset")
def make_dataset(
    input_name: Annotated[
        str,
        typer.Option("--input-name", metavar="OWNER/NAME", help="Folder of recordings in inputs/."),
    ],
    dataset_name: DatasetName,
    extra: options.Extra = None,
    custom: options.Custom = False,
    cpu: Cpu = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return at once.")] = False,
    as_admin: options.AsAdmin = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    no_input: options.NoInput = False,
    json: options.Json = False,
) -> int:
    """Make a data set of recordings: pitch, loudness and audio as TFRecords.

    Extra flags after -- go to ddsp_prepare_tfrecord. Ctrl-C leaves it running. Ends with 3 when
    there are no recordings, 6 when the name is taken.
    """
    from dlwa.cli import _datasets, _own

    if not _own.may_write(
        dataset_name, "dataset_name", as_admin=as_admin, yes=yes, no_input=no_input
    ):
        return ExitCode.FAILED
    words = _datasets.Words(input_name, dataset_name, tuple(extra or ()), custom, cpu)
    return _datasets.make(words, detach=detach, dry_run=dry_run, yes=yes, no_input=no_input)


@app.command("train")
def train(
    dataset_name: DatasetName,
    model_name: Annotated[
        str, typer.Option("--model-name", metavar="OWNER/NAME", help="Name of the model.")
    ],
    extra: options.Extra = None,
    custom: options.Custom = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over in a new folder; nothing is deleted.")
    ] = False,
    hours: Annotated[
        float | None,
        typer.Option(metavar="N", help="Save and stop after N hours; train again goes on."),
    ] = None,
    cpu: Cpu = False,
    as_admin: options.AsAdmin = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    no_input: options.NoInput = False,
    json: options.Json = False,
) -> int:
    """Train a model, detached; the same command again goes on where it stopped.

    Extra flags after -- go to ddsp_run, for instance
    -- --gin_param=train_util.train.num_steps=5000
    """
    from dlwa.cli import _own, _training

    if not _own.may_write(model_name, "model_name", as_admin=as_admin, yes=yes, no_input=no_input):
        return ExitCode.FAILED
    words = _training.Words(dataset_name, model_name, tuple(extra or ()), custom, fresh, cpu, hours)
    return _training.train(words, dry_run=dry_run, yes=yes, no_input=no_input)
