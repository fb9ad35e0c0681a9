"""Opening a connection to a lab: its questions are asked on this terminal."""

from dlwa.cli import output
from dlwa.errors import UsageError
from dlwa.hosts import ssh
from dlwa.labs import Lab, read_lab
from dlwa.settings import Settings


class TerminalAsker(ssh.OnTerminal):
    """Asks and tells as every command does: also by `--json`, and through a lab's dlwa."""

    def confirm(self, question: str) -> bool:
        """Ask yes or no; raises `UsageError` where nobody can be asked."""
        return output.confirm(question, no_input=self._no_input)

    def say(self, text: str) -> None:
        """Tell something."""
        output.say(text)


def lab_of(settings: Settings, name: str | None = None) -> Lab:
    """The lab that is named, or in use."""
    return read_lab(settings.workspace.labs, name or settings.lab)


def open_lab(lab: Lab, *, no_input: bool = False) -> ssh.Connection:
    """Connect to a lab."""
    if lab.host is None:
        raise UsageError(
            f"lab={lab.name} is this machine; there is nothing to connect to",
            hint="choose one: ./dlwa.py lab list, then ./dlwa.py lab use NAME",
        )
    target = ssh.resolve(lab.host, lab.port, lab.user, lab.host_keys)
    return ssh.connect(target, TerminalAsker(no_input=no_input))


def open_fabric(lab: Lab, *, no_input: bool = False) -> "ssh.LabConnection":
    """Connect to a lab to run commands of a shell there and wait for their end (fabric)."""
    connection = ssh.connection(lab, TerminalAsker(no_input=no_input))
    connection.open()
    return connection
