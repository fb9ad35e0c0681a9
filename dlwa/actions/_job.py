"""What to run, as a value: said by the commands, read by whoever keeps runs."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
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
    return module_argv("dlwa.actions.wrapper", (str(folder),))


def module_argv(module: str, words: Sequence[str]) -> tuple[str, ...]:
    """The command that runs a module of dlwa in a process of its own."""
    # -P: what lies in the current folder, a json.py say, is not taken for a part of Python
    return (sys.executable, "-P", "-m", module, *words)


def where_dlwa_is() -> dict[str, str | None]:
    """What lets such a command find this very dlwa, installed or not."""
    # what was itself found without the current folder is found again
    here = () if sys.flags.safe_path else (str(Path(__file__).resolve().parents[2]),)
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [*here, *(path for path in known if path and path not in here)]
    return {"PYTHONPATH": os.pathsep.join(paths) or None}
