"""`dlwa lab`: the machines one works on."""

from typing import Annotated

import typer

from dlwa.cli import options

app = typer.Typer()

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A lab; default: in use.")]


@app.command("list")
def list_labs(json: options.Json = False) -> None:
    """List the labs there are files of, and which is in use."""
    from dlwa.cli import _lab

    _lab.list_all()


@app.command("show")
def show(name: Name = None, json: options.Json = False) -> None:
    """Show what a lab's file says and how it would be reached."""
    from dlwa.cli import _lab

    _lab.show(name)


@app.command("use")
def use(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A lab; local is this machine.")],
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="YOU", help="Who you are, one word.")
    ] = None,
    *,
    how: options.Manner,
) -> int:
    """Work on a lab from now on: connects once, shows the host key, remembers it.

    Ends with 4 if the machine is not who it should be or refuses the login, with 5 if it does not
    answer; nothing is remembered then.
    """
    from dlwa.cli import _lab

    return _lab.use(name, owner, dry_run=how.dry_run, no_input=how.no_input)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="How you will call it.")],
    place: Annotated[str, typer.Argument(metavar="[USER@]HOST", help="Or an alias of ssh.")],
    root: Annotated[str, typer.Option("--root-there", metavar="DIR", help="The workspace there.")],
    port: Annotated[int | None, typer.Option("--port", help="SSH port.")] = None,
    *,
    how: options.Manner,
) -> None:
    """Describe a new lab in labs/NAME.yaml."""
    from dlwa.cli import _lab

    _lab.add(name, place, root, port, dry_run=how.dry_run)


@app.command("check")
def check(name: Name = None, no_input: options.NoInput = False, json: options.Json = False) -> int:
    """Check a lab: host key, login, clock, disk, version, GPU, screen or Slurm, shutdown.

    Changes nothing. Each finding comes with the command that mends it; ends with 1 if something
    has failed.
    """
    from dlwa.cli import _lab

    return _lab.check(name, no_input=no_input)


@app.command("setup")
def setup(
    name: Name = None,
    light: Annotated[
        bool, typer.Option("--light", help="Without the DDSP half (gigabytes).")
    ] = False,
    *,
    how: options.Manner,
) -> int:
    """Bring this dlwa into a lab: folders, code, environment, limits. May be repeated.

    Runs there are asked about first; the code that was there is kept in .dlwa/previous. What the
    system lacks, and a folder only root may make, are brought by sudo after a yes.
    """
    from dlwa.cli import _lab_setup

    return _lab_setup.setup(
        name, light=light, dry_run=how.dry_run, yes=how.yes, no_input=how.no_input
    )
