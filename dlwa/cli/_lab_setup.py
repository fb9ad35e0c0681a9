"""How `lab setup` talks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlwa.actions.lab import far, install, system
from dlwa.cli import _remote, output
from dlwa.cli._lab import named
from dlwa.cli._lab_door import open_fabric
from dlwa.errors import AccessError, BusyError, DlwaError, ExitCode, UsageError
from dlwa.labs import Lab
from dlwa.version import __version__
from dlwa.words import size

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
        there = _There(connection, lab, yes=yes, no_input=no_input)
        there.require_packages()
        standing = there.look()
        changed = there.bring_code(standing, packed, mark)
        if not install.write_lab_file(connection, lab):
            output.say("labs/local.yaml there was written by hand and stays as it is")
        there.start(new=not standing.has_environment, changed=changed)
    output.done(f"{lab.name} has dlwa {__version__} in {lab.root}")
    code = ExitCode.OK
    if not light:
        # a login node has no GPU, the nodes have
        cuda = ["--gpu"] if lab.scheduler == "slurm" and lab.limits.gpus_per_run else []
        code = ExitCode(_remote.run_there(lab, ["setup", "--yes", *cuda]))
    if code == ExitCode.OK:
        output.say(f"next: {output.LAUNCHER} lab check {lab.name}")
    output.answer({"lab": lab.name, "version": __version__, "changed": changed})
    return code


@dataclass(frozen=True)
class _There:
    """The steps on the other machine."""

    connection: "LabConnection"
    lab: Lab
    yes: bool
    no_input: bool

    def require_packages(self) -> None:
        """Offer to install what the system lacks; going on without is possible."""
        lacks = system.lacking(self.connection, self.lab)
        if not lacks.packages:
            return
        names = " ".join(lacks.packages)
        if lacks.has_apt and self._agreed(f"{names} missing there. Install by sudo apt-get?"):
            output.say(f"installing {names} there ...")
            system.bring(self.connection, lacks.packages)
        else:
            output.warn(f"missing there: {names}")
            output.say(f"hint: {lacks.fix}")

    def look(self) -> install.Standing:
        """What is in the folder; it is made, by sudo after a yes if it must be."""
        try:
            return install.look(self.connection, self.lab)
        except AccessError as error:
            output.say(error.message)
            if not self._agreed(f"Make {self.lab.root} there by sudo?"):
                raise
            system.make_root(self.connection, self.lab)
            return install.look(self.connection, self.lab)

    def bring_code(self, standing: install.Standing, packed: bytes, mark: str) -> bool:
        """Replace the code unless it is this one already; whether it was replaced."""
        install.refuse_checkout(standing, self.lab)
        if standing.mark == mark and standing.is_whole:
            output.say("the code there is this one already")
            return False
        if standing.mark == mark:
            output.say("the code there was changed or is not whole; it comes again")
        install.require_room(standing, self.lab)
        if far.is_newer(standing.version):
            output.warn(f"dlwa {standing.version} is there, which is newer than this {__version__}")
            question = f"Replace it by {__version__}?"
            if not output.confirm(question, assume_yes=self.yes, no_input=self.no_input):
                raise BusyError("nothing was changed", far.update_this(standing.version))
        if standing.live:
            output.warn(f"runs go on there: {', '.join(standing.live)}")
            question = "Replace the code under them?"
            if not output.confirm(question, assume_yes=self.yes, no_input=self.no_input):
                raise BusyError("runs go on there; nothing was changed", "wait for them to end")
        output.say(f"bringing dlwa {__version__} ({size(len(packed))}) ...")
        install.bring(self.connection, self.lab, packed, mark)
        return True

    def start(self, *, new: bool, changed: bool) -> None:
        """Start it once: the first start over there makes .venv, which takes a minute."""
        if new:
            output.say("making its environment; the first time takes a minute ...")
        elif changed:
            output.say("starting it; what its environment lacks comes too ...")
        line = far.command_line(self.lab, ("--version",), "", {})
        done = self.connection.collect(line, timeout_s=_ENVIRONMENT_S)
        refused = far.refusal(self.lab, done)
        if refused:
            raise refused
        if not done.ok:
            last = "\n".join(done.err.strip().splitlines()[-5:])
            raise DlwaError(
                f"lab={self.lab.name}: dlwa does not start there: {last or done.code}",
                f"{output.LAUNCHER} lab check {self.lab.name}",
            )

    def _agreed(self, question: str) -> bool:
        """Whether the user says yes; where nobody can be asked it is a no."""
        try:
            return output.confirm(question, assume_yes=self.yes, no_input=self.no_input)
        except UsageError:
            return False
