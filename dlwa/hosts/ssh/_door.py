"""Labs for programs: `with connection("mylab") as lab: lab.run("nvidia-smi")`."""

import getpass
import sys
from typing import TYPE_CHECKING

from dlwa.errors import AccessError, UsageError
from dlwa.hosts.ssh._connect import connect
from dlwa.hosts.ssh._target import Asker, resolve
from dlwa.labs import Lab, read_lab
from dlwa.settings import load

if TYPE_CHECKING:
    from dlwa.hosts.ssh._fabric import LabConnection

_NOBODY = "this needs an answer and nobody can be asked"


def connection(lab: Lab | str | None = None, asker: Asker | None = None) -> "LabConnection":
    """A lab of `labs/NAME.yaml` (the one in use if None) as a `fabric.Connection`.

    It connects when it is first used; questions are asked on the terminal unless an `asker`
    answers them. Raises `UsageError` if the lab is this machine, `NotFoundError` if there is none
    of that name; using it raises `AccessError` and `NetworkError`.
    """
    from dlwa.hosts.ssh._fabric import LabConnection  # most commands need none of it

    if not isinstance(lab, Lab):
        settings = load()
        lab = read_lab(settings.workspace.labs, lab or settings.lab)
    if lab.host is None:
        raise UsageError(
            f"lab={lab.name} is this machine; there is nothing to connect to",
            hint="name another one: ./dlwa.py lab list",
        )
    target = resolve(lab.host, lab.port, lab.user, lab.host_keys)
    who = asker or OnTerminal()
    return LabConnection(lambda: connect(target, who), target, who, lab.root or "")


class OnTerminal:
    """Questions of a connection, asked on this terminal; secrets are not shown and not kept."""

    def __init__(self, *, no_input: bool = False) -> None:
        self._no_input = no_input

    def secret(self, prompt: str) -> str:
        """Ask without showing what is typed; raises `AccessError` where nobody can be asked.

        Ctrl-D means nothing.
        """
        if not self._somebody_there():
            raise AccessError(
                f"{_NOBODY}: {prompt.strip()}",
                hint="run it in a terminal; an SSH key may be loaded first: ssh-add",
            )
        try:
            return getpass.getpass(prompt, stream=sys.stderr)
        except EOFError:
            print(file=sys.stderr)
            return ""

    def confirm(self, question: str) -> bool:
        """Ask yes or no, no if nothing is typed; raises `UsageError` where nobody can be asked."""
        if not self._somebody_there():
            raise UsageError(f"{_NOBODY}: {question}", hint="run it in a terminal")
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def say(self, text: str) -> None:
        """Tell something."""
        print(text, file=sys.stderr)

    def _somebody_there(self) -> bool:
        return not self._no_input and sys.stdin.isatty()
