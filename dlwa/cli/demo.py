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
    *,
    how: options.Manner,
) -> int:
    """Hear it all in one command, on recordings that come with dlwa.

    Makes a data set of a violin, trains a small model for a few minutes, lets it play a flute's
    melody, and writes a page with sounds and pictures. Ctrl-C pauses it; the same command goes on.
    """
    from dlwa.cli import _demo

    return _demo.run(how, fresh=fresh)
