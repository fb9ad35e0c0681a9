"""`dlwa push` and `dlwa fetch`: files between this machine and a lab."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dlwa.cli import options

app = typer.Typer()


class Home(StrEnum):
    """The four folders of a workspace."""

    INPUTS = "inputs"
    DATASETS = "datasets"
    MODELS = "models"
    OUTPUTS = "outputs"


@app.command("push")
def push(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of recordings.")],
    name: Annotated[
        str, typer.Option("--name", metavar="OWNER/NAME", help="[default: yours/FOLDER]")
    ] = "",
    to: Annotated[Home, typer.Option("--to", help="Where it goes in the lab.")] = Home.INPUTS,
    everything: Annotated[bool, typer.Option("--all", help="Not only recordings.")] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove there what is not here any more.")
    ] = False,
    as_admin: options.AsAdmin = False,
    *,
    how: options.Manner,
) -> int:
    """Send a folder of recordings to the lab, to inputs/OWNER/NAME.

    Files that are there already are not sent again; after a cut it goes on where it was. Ends
    with 8 if some files could not be sent.
    """
    from dlwa.cli import _push

    asked = _push.Push(folder, name, str(to), everything, delete, as_admin)
    return _push.push(asked, dry_run=how.dry_run, yes=how.yes, no_input=how.no_input)


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="What to bring.")],
    dest: Annotated[
        Path | None,
        typer.Argument(metavar="[DEST]", help="Where NAME goes; default: this workspace."),
    ] = None,
    source: Annotated[
        Home, typer.Option("--from", help="Which of the lab's folders it is in.")
    ] = Home.MODELS,
    everything: Annotated[
        bool, typer.Option("--all", help="Every file, all checkpoints and logs.")
    ] = False,
    latest: Annotated[
        bool, typer.Option("--latest", help="The latest checkpoint, not the best.")
    ] = False,
    *,
    how: options.Manner,
) -> int:
    """Bring a model home: its best checkpoint, configuration and statistics, verified.

    May be done while it trains. What is here stays as it is until the new files are whole; after
    a cut it goes on where it was. Ends with 8 if some files could not be brought.
    """
    from dlwa.cli import _fetch

    what = "all" if everything or source != Home.MODELS else "latest" if latest else "best"
    asked = _fetch.Fetch(name, dest, str(source), what)
    return _fetch.fetch(asked, dry_run=how.dry_run, no_input=how.no_input)
