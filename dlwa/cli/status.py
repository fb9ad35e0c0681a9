"""`dlwa status`, `dlwa logs`, `dlwa stop`: the runs of a workspace."""

import dataclasses
from typing import Annotated

import typer

from dlwa.cli import _words, options

app = typer.Typer()


@app.command("status")
def status(
    run: options.RunName = None,
    everything: Annotated[bool, typer.Option("--all", help="Also runs ended long ago.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The receipts, for a spreadsheet.")] = False,
    json: options.Json = False,
) -> None:
    """Show the runs, as they really stand: who, what, how far, why waiting, why ended."""
    from dlwa.cli import _status

    if csv:
        _status.show_csv(run, everything)
    elif run is None:
        _status.show_all(everything)
    else:
        _status.show_one(run)


@app.command("logs")
def logs(
    run: options.RunName = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it ends.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines.")] = 40,
    from_byte: Annotated[int | None, typer.Option("--from-byte", min=0, hidden=True)] = None,
    no_input: options.NoInput = False,
    json: options.Json = False,
) -> int:
    """Show what a run printed; with -f as it prints it. Ctrl-C leaves the run alone."""
    from dlwa.cli import _logs

    return _logs.show(run, follow=follow, lines=lines, no_input=no_input, from_byte=from_byte)


@app.command("stop")
def stop(
    run: options.RunName = None,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for it to save.")] = False,
    *,
    patience: _words.Patience,
    how: options.Manner,
) -> int:
    """Ask a run to save and stop; `train` again goes on with it."""
    from dlwa.cli import _stopping

    return _stopping.stop(run, dataclasses.replace(patience, grace_s=0.0) if now else patience, how)
