"""GNU screen: how it is asked and what it answers. Starts nothing.

screen takes a name for every session that begins with it, so asking it to quit `run1` can end
`run10`. Commands built here therefore address a session only as PID.NAME, as listed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROGRAM = "screen"
PREFIX = "dlwa."
MAX_NAME = 80
# A Unix socket's path is at most 107 bytes; screen keeps one at SCREENDIR/PID.NAME and, when it
# does not fit, starts nothing and says nothing.
_MAX_SOCKET = 104
_MAX_PID_DOT = 8

State = Literal["attached", "detached", "dead"]

SCREENRC = """\
# Written by dlwa for its own sessions.
startup_message off
vbell off
defflow off
deflogin off
defscrollback 10000
defnonblock 1
# no key ends a run by mistake, one's own or another's; that is what stop is for
bind k
bind ^k
bind K
bind \\\\
bind ^\\
hardstatus alwayslastline ' %S   Ctrl-C, or Ctrl-A then D: leave it running'
"""

_ROW = re.compile(r"^\t(\d+)\.([^\t]+)\t(?:\([^)\t]*\)\t)?\(([^)\t]*)\)")
_STATES: Mapping[str, State] = {"attached": "attached", "detached": "detached"}
# inside a session these make screen act on that session instead of starting one
_INSIDE = {"STY": None, "WINDOW": None}


@dataclass(frozen=True)
class Session:
    """One row of the listing."""

    pid: int
    name: str
    state: State

    @property
    def address(self) -> str:
        """The one spelling that means this session and no other."""
        return f"{self.pid}.{self.name}"


def session_name(owner: str, title: str, run_id: str, folder: Path | None = None) -> str:
    """The name of a run's session, `dlwa.ann.violin.1a2b3c4d`, shortened to what screen takes.

    `folder` is where screen keeps its sockets, if it is known: the name must fit beside it.
    """
    room = MAX_NAME
    if folder is not None:
        room = min(room, _MAX_SOCKET - len(str(folder).encode()) - 1 - _MAX_PID_DOT)
    middle = ".".join(re.sub(r"[^A-Za-z0-9_.-]+", "_", part) for part in (owner, title))
    middle = middle[: max(0, room - len(PREFIX) - len(run_id) - 1)].rstrip(".")
    return f"{PREFIX}{middle}.{run_id}" if middle else f"{PREFIX}{run_id}"


def fits(folder: Path, name: str) -> bool:
    """Whether a session of that name can have its socket in that folder."""
    return len(str(folder).encode()) + 1 + _MAX_PID_DOT + len(name) <= _MAX_SOCKET


def environment(folder: Path | None) -> dict[str, str | None]:
    """What to set for every call: the folder of sockets, and nothing of an outer session."""
    return {**_INSIDE, **({"SCREENDIR": str(folder)} if folder else {})}


def start_argv(name: str, argv: tuple[str, ...], screenrc: Path) -> tuple[str, ...]:
    """Start a detached session. It returns 0 even if the program does not exist."""
    return (PROGRAM, "-c", str(screenrc), "-dmS", name, *argv)


def list_argv() -> tuple[str, ...]:
    """List the sessions. It returns 1 when there is none, 0 when there are only dead ones."""
    return (PROGRAM, "-ls")


def attach_argv(session: Session) -> tuple[str, ...]:
    """Look into a session; others who look into it may stay."""
    return (PROGRAM, "-x", session.address)


def quit_argv(session: Session) -> tuple[str, ...]:
    """End exactly this session."""
    return (PROGRAM, "-S", session.address, "-X", "quit")


def wipe_argv(session: Session) -> tuple[str, ...]:
    """Remove what a dead session left behind."""
    return (PROGRAM, "-wipe", session.address)


def parse_list(text: str) -> list[Session]:
    """The sessions in the answer to `list_argv`; rows that are none are passed over."""
    sessions = []
    for line in text.splitlines():
        row = _ROW.match(line)
        if row:
            word = row[3].split(",")[-1].strip().lower()
            sessions.append(Session(int(row[1]), row[2], _STATES.get(word, "dead")))
    return sessions


def problem_of(text: str) -> str:
    """What the answer says about the folder of sockets, empty if nothing is wrong with it."""
    for line in text.splitlines():
        if re.search(
            r"must have mode|[Cc]annot (make|access|create)|not owner|not the owner", line
        ):
            return line.strip()
    return ""
