"""`dlwa status`, `dlwa logs`, `dlwa stop`: the runs of a workspace."""

from typing import Annotated

import typer

from dlwa.cli import options

app = typer.Typer()

RunName = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="A run: its name, id or session.")
]


@app.command("status")
def status(
    run: RunName = None,
    everything: Annotated[bool, typer.Option("--all", help="Also runs ended long ago.")] = False,
    json: options.Json = False,
) -> None:
    """Show the runs, as they really stand: who, what, how far, why waiting, why ended."""
    from dlwa.cli import _status

    if run is None:
        _status.show_all(everything)
    else:
        _status.show_one(run)


@app.command("logs")
def logs(
    run: RunName = None,
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
    run: RunName = None,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for it to save.")] = False,
    grace_s: Annotated[
        float, typer.Option("--grace", metavar="S", min=0.0, help="Seconds it gets to save.")
    ] = 120.0,
    as_admin: Annotated[bool, typer.Option("--as-admin", help="Also others' runs.")] = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    no_input: options.NoInput = False,
    json: options.Json = False,
) -> int:
    """Ask a run to save and stop; `train` again goes on with it."""
    from dlwa.cli import _stopping

    asked = _stopping.Asked(run, 0.0 if now else grace_s, as_admin, dry_run, yes, no_input)
    return _stopping.stop(asked)
