"""What a check is given and what it gives back."""

import os
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import dlwa
from dlwa.hosts.base import Host

Level = Literal["ok", "warn", "fail"]
ANSWERS_WITHIN_S = 2.0


@dataclass(frozen=True)
class Finding:
    """What a check found, and the command that mends it if something is wrong."""

    check: str
    level: Level
    message: str
    fix: str = ""


@dataclass(frozen=True)
class Surroundings:
    """Everything a check may look at, so that a test can show it another world."""

    host: Host
    root: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    project: Path = Path(dlwa.__file__).resolve().parent.parent
    prefix: Path = Path(sys.prefix)
    python: tuple[int, int] = (sys.version_info.major, sys.version_info.minor)
    system: str = platform.system()
    etc: Path = Path("/etc")
    var: Path = Path("/var")
    now: float = field(default_factory=time.time)
