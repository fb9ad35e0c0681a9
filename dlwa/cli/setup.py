"""`dlwa setup`: install the DDSP half."""

from typing import Annotated

import typer

from dlwa.actions import setup as action
from dlwa.cli import options, output
from dlwa.errors import UsageError

app = typer.Typer()


@app.command("setup")
def setup(
    gpu: Annotated[bool, typer.Option("--gpu", help="Take the CUDA build of TensorFlow.")] = False,
    cpu: Annotated[bool, typer.Option("--cpu", help="Take the build without CUDA.")] = False,
    yes: options.Yes = False,
    no_input: options.NoInput = False,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> None:
    """Install the DDSP half: TensorFlow, audio libraries and the pitch networks.

    The build for CUDA is taken where nvidia-smi lists a GPU. Nothing happens when all is there;
    an interrupted installation goes on.
    """
    if gpu and cpu:
        raise UsageError("--gpu and --cpu exclude each other", hint="dlwa setup --cpu")
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
    if dry_run:
        output.answer({"installed": False, "changed": False, "commands": commands})
        return
    if not output.confirm("Install it now?", assume_yes=yes, no_input=no_input):
        raise typer.Exit(1)
    action.install(plan, quiet=output.json_mode())
    output.done("the DDSP half is installed")
    output.answer({"installed": True, "changed": True, "commands": commands})
