"""What to run, as a value: said by the commands, read by whoever keeps runs."""

import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

# auto: a GPU where there is one, else a turn on the CPU. none: computes little, waits for nobody.
Devices = Literal["auto", "gpu", "cpu", "none"]


@dataclass(frozen=True)
class Job:
    """What to run and how to record it."""

    kind: str
    owner: str
    name: str
    folder: Path
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    devices: Devices = "auto"
    gpus: int = 1
    total_steps: int | None = None
    aside: Mapping[str, str] | None = None  # built, place, must_hold: renamed on success
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its name without the owner, in one word."""
        parts = self.name.split("/")
        return "_".join(parts[1:] or parts)

    def gpus_in(self, gpus_per_run: int) -> int:
        """How many GPUs it wants in a lab that allows so many a run; none where there are none."""
        if self.devices == "auto" and gpus_per_run == 0:
            return 0
        return self.gpus if self.devices in ("auto", "gpu") else 0

    @property
    def goes_on(self) -> bool:
        """Whether the same command, given again, goes on where it was."""
        return self.kind == "train"


def new_id() -> str:
    """Eight hexadecimal digits for a new run."""
    return secrets.token_hex(4)


def wrapper_command(folder: Path) -> tuple[str, ...]:
    """The command that looks after a run, inside whatever keeps it."""
    return (sys.executable, "-m", "dlwa.actions.wrapper", str(folder))
