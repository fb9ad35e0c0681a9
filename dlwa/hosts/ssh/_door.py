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

    def secret(self, prompt: str) -> str:
        """Ask without showing what is typed."""
        self._require_somebody(prompt)
        return getpass.getpass(prompt, stream=sys.stderr)

    def confirm(self, question: str) -> bool:
        """Ask yes or no; an empty answer is no."""
        self._require_somebody(question)
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def say(self, text: str) -> None:
        """Tell something."""
        print(text, file=sys.stderr)

    def _require_somebody(self, question: str) -> None:
        if not sys.stdin.isatty():
            raise AccessError(
                f"this needs an answer and nobody can be asked: {question.strip()}",
                "connect once by hand (dlwa lab use NAME), or load the key first: ssh-add",
            )
