"""`dlwa setup`: install the DDSP half."""

from typing import Annotated

import typer

from dlwa.actions import extras
from dlwa.actions import setup as action
from dlwa.cli import options, output
from dlwa.errors import UsageError
from dlwa.settings import nearest

app = typer.Typer()


@app.command("setup")
def setup(
    parts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PART]...", help=f"Instead, these: {', '.join(extras.ALL)}."),
    ] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Take the CUDA build of TensorFlow.")] = False,
    cpu: Annotated[bool, typer.Option("--cpu", help="Take the build without CUDA.")] = False,
    *,
    how: options.Manner,
) -> None:
    """Install the DDSP half: TensorFlow, audio libraries and the pitch networks.

    The build for CUDA is taken where nvidia-smi lists a GPU. Nothing happens when all is there;
    an interrupted installation goes on. Parts that few need are installed by name.
    """
    if gpu and cpu:
        raise UsageError("--gpu and --cpu exclude each other", hint="./dlwa.py setup --cpu")
    if parts:
        _install_parts(parts, how)
        return
    wanted: action.Variant | None = "gpu" if gpu else "cpu" if cpu else None
    if action.is_installed() and not wanted:
        output.done("the DDSP half is installed")
        output.answer({"installed": True, "changed": False})
        return
    plan = action.plan(wanted)
    output.say(f"The DDSP half for the {plan.variant.upper()} ({plan.reason}): {plan.size}.")
    for command in plan.commands:
        output.command(command.argv)
    commands = [list(command.argv) for command in plan.commands]
    if how.dry_run:
        output.answer({"installed": False, "changed": False, "commands": commands})
        return
    if not output.confirm("Install it now?", assume_yes=how.yes, no_input=how.no_input):
        raise typer.Exit(1)
    action.install(plan, quiet=output.json_mode())
    output.done("the DDSP half is installed")
    output.answer({"installed": True, "changed": True, "commands": commands})


def _install_parts(parts: list[str], how: options.Consent) -> None:
    for part in parts:
        if part not in extras.ALL:
            raise UsageError(f"part={part!r} is unknown", nearest(part, extras.ALL))
    absent = [extras.ALL[part] for part in parts if not extras.is_installed(extras.ALL[part])]
    commands = [list(extra.command.argv) for extra in absent]
    for extra in absent:
        if how.dry_run:
            output.command(extra.command.argv)
        else:
            silent = how.no_input or output.json_mode()
            extras.require(extra, how.yes, silent, output.confirm, output.say)
    if not how.dry_run:
        output.done(f"installed: {', '.join(parts)}")
    output.answer({"installed": not absent, "changed": not how.dry_run, "commands": commands})
