"""What everybody who keeps runs can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dlwa.actions._job import Job
from dlwa.actions._run import Run, State
from dlwa.labs import Limits
from dlwa.workspace import RunPaths, Workspace


@dataclass(frozen=True)
class Room:
    """Where a run lives, as its keeper lists it."""

    address: str
    state: str
    name: str  # the same as `session` in the run's record


class Keeper(Protocol):
    """Keeps runs alive while nobody looks."""

    name: str
    shares_this_machine: bool  # runs compute here, so the GPUs here are theirs

    def require(self) -> None:
        """Raise `DlwaError`, with what to type, if no run could be started."""
        ...

    def reserve(self, job: Job, run_id: str) -> dict[str, Any]:
        """Return what a new run's record has to say of its place before there is one."""
        ...

    def open(
        self, job: Job, record: Mapping[str, Any], workspace: Workspace, limits: Limits
    ) -> dict[str, Any]:
        """Start the wrapper of a recorded run; return what is to be added to the record.

        Raises `DlwaError` if nothing was started.
        """
        ...

    def standing(
        self, record: Mapping[str, Any], paths: RunPaths, stalled_after_s: float
    ) -> tuple[State, str]:
        """Return how a run really stands whose record says that it lives, and why."""
        ...

    def room_of(self, run: Run) -> str:
        """Return the address of the place to look into; empty if there is none.

        Raises `AccessError` if it is another login's.
        """
        ...

    def rooms(self, runs: Sequence[Run]) -> list[Room]:
        """List the places of dlwa's runs that exist: of these runs, and of other workspaces."""
        ...

    def attach(self, run: Run) -> int:
        """Show a run on this terminal until the viewer leaves or the run ends.

        Raises `NotFoundError` if there is nothing to look into, `UsageError` on a terminal that
        cannot show it.
        """
        ...

    def check_reach(self, run: Run) -> None:
        """Raise `DlwaError` if this run cannot be stopped from here."""
        ...

    def ask(self, run: Run) -> None:
        """Ask a run to save and stop."""
        ...

    def computes(self, run: Run) -> bool:
        """Tell whether the run's job still computes, whatever its record says."""
        ...

    def kill(self, run: Run) -> None:
        """End a run that did not stop when it was asked."""
        ...

    def close(self, run: Run, by: str) -> None:
        """Tidy up after a run that was stopped."""
        ...
