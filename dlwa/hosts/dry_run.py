"""A host that only says what it would do."""

from collections.abc import Callable

from dlwa.hosts.base import Completed, Host, ProcessId
from dlwa.shell import Command


class DryRunHost:
    """Answers questions like the host behind it; commands and signals are only noted.

    `told` receives each command that would have run.
    """

    def __init__(self, behind: Host, told: Callable[[Command], None] | None = None) -> None:
        self.name = behind.name
        self.commands: list[Command] = []
        self._behind = behind
        self._told = told

    def which(self, program: str) -> str | None:
        """Return the full path of a program, or None."""
        return self._behind.which(program)

    def run(self, command: Command, timeout_s: float = 20.0) -> Completed:
        """Note the command and say it succeeded without a word."""
        self._note(command)
        return Completed(0)

    def attach(self, command: Command) -> int:
        """Note the command."""
        self._note(command)
        return 0

    def boot_id(self) -> str:
        """Return what changes with every start of the machine."""
        return self._behind.boot_id()

    def identify(self, pid: int) -> ProcessId | None:
        """Return the identity of a living process, None if there is none."""
        return self._behind.identify(pid)

    def is_alive(self, process: ProcessId) -> bool:
        """Tell whether exactly this process lives (a zombie does not)."""
        return self._behind.is_alive(process)

    def signal(self, process: ProcessId, signum: int, *, group: bool = False) -> bool:
        """Send nothing; tell whether there is anybody to send it to."""
        return self.is_alive(process)

    def _note(self, command: Command) -> None:
        self.commands.append(command)
        if self._told:
            self._told(command)
