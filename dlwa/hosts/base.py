"""What every place that runs commands can do. Only this package starts processes."""

from dataclasses import dataclass
from typing import Protocol

from dlwa.shell import Command


@dataclass(frozen=True)
class Completed:
    """A command that ended: its exit code and what it said.

    `code` is 127 when there is no such program, 124 when it took too long, negative when a
    signal ended it.
    """

    code: int
    out: str = ""
    err: str = ""

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0

    @property
    def said(self) -> str:
        """Everything it said, for an error message."""
        return "\n".join(part for part in (self.out.strip(), self.err.strip()) if part)


@dataclass(frozen=True)
class ProcessId:
    """A process that cannot be mistaken for a later one with the same number.

    `start` is the time it began, in whatever unit the system keeps it.
    """

    pid: int
    start: int


class Host(Protocol):
    """A machine to run commands on."""

    name: str

    def which(self, program: str) -> str | None:
        """Return the full path of a program, or None."""
        ...

    def run(self, command: Command, timeout_s: float = 20.0) -> Completed:
        """Run to its end without a terminal and collect what it says; never raises for that."""
        ...

    def attach(self, command: Command) -> int:
        """Give this terminal to a program until it ends and return its exit code."""
        ...

    def boot_id(self) -> str:
        """Return what changes with every start of the machine."""
        ...

    def identify(self, pid: int) -> ProcessId | None:
        """Return the identity of a living process, None if there is none."""
        ...

    def is_alive(self, process: ProcessId) -> bool:
        """Tell whether exactly this process lives (a zombie does not)."""
        ...

    def signal(self, process: ProcessId, signum: int, *, group: bool = False) -> bool:
        """Send a signal to exactly this process, or its process group; False if it is gone."""
        ...
