"""What commands that start or stop runs are asked for."""

from dataclasses import dataclass
from typing import Annotated

import typer

from dlwa.cli import options

Cpu = Annotated[bool, typer.Option("--cpu", help="Compute on the CPU even if there is a GPU.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once.")]
DatasetName = Annotated[
    str, typer.Option("--dataset-name", metavar="OWNER/NAME", help="Name of the data set.")
]


@dataclass(frozen=True)
class Making:
    """A data set of recordings."""

    input_name: Annotated[
        str,
        typer.Option("--input-name", metavar="OWNER/NAME", help="Folder of recordings in inputs/."),
    ]
    dataset_name: DatasetName
    extra: options.Extra = None
    custom: options.Custom = False
    cpu: Cpu = False
    detach: Detach = False


@dataclass(frozen=True)
class Training:
    """A model that learns from a data set."""

    dataset_name: DatasetName
    model_name: options.ModelName
    extra: options.Extra = None
    custom: options.Custom = False
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over in a new folder; nothing is deleted.")
    ] = False
    hours: Annotated[
        float | None,
        typer.Option(metavar="N", help="Save and stop after N hours; train again goes on."),
    ] = None
    cpu: Cpu = False


@dataclass(frozen=True)
class Look:
    """A model that is measured, or plays what it should know."""

    model_name: options.ModelName
    dataset_name: Annotated[
        str,
        typer.Option(
            "--dataset-name", metavar="OWNER/NAME", help="Default: the one the model learns from."
        ),
    ] = ""
    extra: options.Extra = None
    follow: Annotated[
        bool, typer.Option("--follow", help="Each checkpoint, until the training is over.")
    ] = False
    custom: options.Custom = False
    gpu: Annotated[bool, typer.Option("--gpu", help="Wait for a GPU instead of using the CPU.")] = (
        False
    )
    detach: Detach = False


@dataclass(frozen=True)
class Patience:
    """How long a run that is stopped may save, and whose it may be."""

    grace_s: Annotated[
        float, typer.Option("--grace", metavar="S", min=0.0, help="Seconds it gets to save.")
    ] = 120.0
    as_admin: Annotated[bool, typer.Option("--as-admin", help="Also others' runs.")] = False
