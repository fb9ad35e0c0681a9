"""`dlwa util`: screen sessions as the course knows them, and running any command in one."""

from typing import Annotated

import typer

from dlwa.cli import _words, options
from dlwa.errors import ExitCode

app = typer.Typer()


@app.command("screen-attach")
def screen_attach(run: options.RunName = None, no_input: options.NoInput = False) -> int:
    """Look into a run's session. Ctrl-C, or Ctrl-A then D, leaves it running."""
    from dlwa.cli import _screens

    return _screens.attach(run, no_input=no_input)


@app.command("screen-list")
def screen_list(json: options.Json = False) -> None:
    """List the sessions in which runs live."""
    from dlwa.cli import _screens

    _screens.show_sessions()


@app.command("screen-kill")
def screen_kill(
    run: options.RunName = None,
    *,
    patience: _words.Patience,
    how: options.Manner,
) -> int:
    """Ask a run to save and stop, and close its session. The same as `dlwa stop`."""
    from dlwa.cli import _stopping

    return _stopping.stop(run, patience, how)


@app.command("run")
def run_command(
    command: Annotated[list[str], typer.Argument(metavar="-- CMD...", help="The command.")],
    name: Annotated[str, typer.Option("--name", help="A name to find it by.")] = "",
    gpus: Annotated[int, typer.Option("--gpus", min=0, help="GPUs to claim.")] = 0,
    as_admin: options.AsAdmin = False,
    *,
    how: options.Manner,
) -> int:
    """Run any command in a session of its own, with a log and a record.

    Without --gpus it waits for nobody and sees no GPU.
    """
    from dlwa.cli import _own, _screens

    if name and not _own.may_write(name, "name", how, as_admin=as_admin):
        return ExitCode.FAILED
    return _screens.run_command(command, name, gpus, dry_run=how.dry_run)
