"""How `lab setup` talks."""

from typing import TYPE_CHECKING

from dlwa.actions.lab import far, install
from dlwa.actions.progress import size
from dlwa.cli import _remote, output
from dlwa.cli._lab import named
from dlwa.cli._lab_door import open_fabric
from dlwa.errors import BusyError, DlwaError, ExitCode, UsageError
from dlwa.labs import Lab
from dlwa.version import __version__

if TYPE_CHECKING:
    from dlwa.hosts.ssh import LabConnection

_ENVIRONMENT_S = 1800.0


def setup(name: str | None, *, light: bool, dry_run: bool, yes: bool, no_input: bool) -> int:
    """Bring dlwa into a lab, step by step; each step is skipped where it is done already."""
    _, lab = named(name)
    if lab.is_local:
        raise UsageError(f"lab={lab.name} is this machine", f"{output.LAUNCHER} setup")
    packed, mark = install.archive()
    if dry_run:
        output.say(f"would bring dlwa {__version__} ({size(len(packed))}) to {lab.name}:{lab.root}")
        output.answer({"dry_run": True, "bytes": len(packed), "version": __version__})
        return ExitCode.OK
    with open_fabric(lab, no_input=no_input) as connection:
        changed = _code(connection, lab, (packed, mark), yes=yes, no_input=no_input)
        if not install.write_lab_file(connection, lab):
            output.say("labs/local.yaml there was written by hand and stays as it is")
        _environment(connection, lab)
    output.done(f"{lab.name} has dlwa {__version__} in {lab.root}")
    code = ExitCode.OK
    if not light:
        code = ExitCode(_remote.run_there(lab, ["setup", "--yes"]))
    output.answer({"lab": lab.name, "version": __version__, "changed": changed})
    return code


def _code(
    connection: "LabConnection", lab: Lab, code: tuple[bytes, str], *, yes: bool, no_input: bool
) -> bool:
    packed, mark = code
    standing = install.look(connection, lab)
    install.refuse_checkout(standing, lab)
    if standing.mark == mark:
        output.say("the code there is this one already")
        return False
    if standing.live:
        output.warn(f"runs go on there: {', '.join(standing.live)}")
        question = "Replace the code under them?"
        if not output.confirm(question, assume_yes=yes, no_input=no_input):
            raise BusyError("runs go on there; nothing was changed", "wait for them to end")
    output.say(f"bringing dlwa {__version__} ({size(len(packed))}) ...")
    install.bring(connection, lab, packed, mark)
    return True


def _environment(connection: "LabConnection", lab: Lab) -> None:
    """The first start over there makes .venv; it takes a minute."""
    output.say("making its environment; the first time takes a minute ...")
    done = connection.collect(
        far.command_line(lab, ("--version",), "", {}), timeout_s=_ENVIRONMENT_S
    )
    refused = far.refusal(lab, done)
    if refused:
        raise refused
    if not done.ok:
        last = "\n".join(done.err.strip().splitlines()[-5:])
        raise DlwaError(
            f"lab={lab.name}: dlwa does not start there: {last or done.code}",
            f"{output.LAUNCHER} lab check {lab.name}",
        )
