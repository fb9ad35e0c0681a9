"""`dlwa demo`: the whole path in one command."""

from typing import Annotated

import typer

from dlwa.cli import options

app = typer.Typer()


@app.command("demo")
def demo(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew under another name; nothing is deleted.")
    ] = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    no_input: options.NoInput = False,
    json: options.Json = False,
) -> int:
    """Hear it all in one command, on recordings that come with dlwa.

    Makes a data set of a violin, trains a small model for a few minutes, lets it play a flute's
    melody, and writes a page with sounds and pictures. Ctrl-C pauses it; the same command goes on.
    """
    from dlwa.cli import _demo

    return _demo.run(fresh=fresh, dry_run=dry_run, yes=yes, no_input=no_input)
