"""The screen sessions in which runs live: finding them, looking in, ending exactly one."""

import os
from collections.abc import Mapping
from pathlib import Path

from dlwa.actions._run import Run
from dlwa.errors import AccessError, DlwaError, NotFoundError, UsageError
from dlwa.hosts import processes
from dlwa.hosts.base import Host
from dlwa.shell import Command
from dlwa.tools import screen
from dlwa.tools.screen import Session

_FALLBACK_TERM = "xterm-256color"


def require_screen(host: Host) -> None:
    """Raise `DlwaError` with the command that installs screen if it is missing."""
    if host.which(screen.PROGRAM) is None:
        raise DlwaError(
            "GNU screen is not installed; runs live in its sessions",
            hint="sudo apt-get install screen   (macOS: brew install screen)",
        )


def socket_folder(host: Host, env: Mapping[str, str] | None = None) -> Path | None:
    """Where screen keeps its sockets: SCREENDIR if set, None for screen's own place.

    Where screen's own place cannot be used (some containers), a folder in the home.
    """
    env = os.environ if env is None else env
    named = env.get("SCREENDIR")
    folder = Path(named) if named else None
    problem = screen.problem_of(_ask(host, folder))
    if not problem:
        return folder
    if folder:
        raise DlwaError(f"SCREENDIR={named}: {problem}", hint=f"chmod 700 {named}")
    fallback = Path.home() / ".dlwa-screen"
    fallback.mkdir(mode=0o700, exist_ok=True)
    fallback.chmod(0o700)
    still = screen.problem_of(_ask(host, fallback))
    if still:
        raise DlwaError(f"screen cannot keep its sockets: {still}", hint="set SCREENDIR")
    return fallback


def list_sessions(host: Host, folder: Path | None) -> list[Session]:
    """Every session of this login, dlwa's or not."""
    return screen.parse_list(_ask(host, folder))


def folder_of(run: Run) -> Path | None:
    """Where screen keeps the socket of a run's session."""
    folder = run.record.get("screen_dir")
    return Path(str(folder)) if folder else None


def session_of(run: Run, host: Host) -> Session | None:
    """The living session of a run: the one the wrapper said it lives in, PID and name."""
    address = run.record.get("session_address")
    if not address:
        return None
    listed = list_sessions(host, folder_of(run))
    same = (session for session in listed if session.address == address)
    return next((session for session in same if session.state != "dead"), None)


def attach(run: Run, host: Host, env: Mapping[str, str] | None = None) -> int:
    """Show a run's session on this terminal until the viewer detaches or the run ends.

    Raises `NotFoundError` if it has no session, `UsageError` on a terminal that cannot draw.
    """
    env = os.environ if env is None else env
    session = session_of(run, host)
    if session is None:
        raise NotFoundError(f"run={run.name} has no screen session")
    if not os.isatty(0):
        raise UsageError("looking into a session needs a terminal", f"./dlwa.py logs -f {run.name}")
    if env.get("STY") == session.address:
        raise UsageError(f"this terminal already is the session of {run.name}")
    term = usable_term(env.get("TERM", ""))
    return host.attach(attach_command(run, session, {"TERM": term}))


def attach_command(
    run: Run, session: Session, more: Mapping[str, str | None] | None = None
) -> Command:
    """The command that looks into a run's session."""
    env = {**screen.environment(folder_of(run)), **(more or {})}
    return Command(screen.attach_argv(session), env)


def close(run: Run, host: Host) -> bool:
    """End exactly this run's session, if there is one; True if there was."""
    session = session_of(run, host)
    if session is None:
        return False
    env = screen.environment(folder_of(run))
    return host.run(Command(screen.quit_argv(session), env)).ok


def wipe(run: Run, host: Host) -> None:
    """Remove what the killed session of a run left behind."""
    for session in list_sessions(host, folder_of(run)):
        if session.address == run.record.get("session_address") and session.state == "dead":
            host.run(Command(screen.wipe_argv(session), screen.environment(folder_of(run))))


def refuse_others_login(run: Run, host: Host) -> None:
    """Raise `AccessError` where the session exists, but in the sessions of another login."""
    theirs = processes.user_of(run.wrapper.pid) if run.wrapper else ""
    if run.wrapper and host.is_alive(run.wrapper) and theirs != processes.user_of(os.getpid()):
        raise AccessError(
            f"the session of {run.name} belongs to {theirs}; screen shows a login only its own",
            hint=f"./dlwa.py logs -f {run.name}   or   ./dlwa.py watch {run.name}",
        )


def sweep(host: Host, folder: Path | None) -> None:
    """Remove what killed sessions of dlwa left behind: a socket that nobody answers."""
    for session in list_sessions(host, folder):
        if session.state == "dead" and session.name.startswith(screen.PREFIX):
            host.run(Command(screen.wipe_argv(session), screen.environment(folder)))


def usable_term(term: str) -> str:
    """The terminal type to tell screen: this one if the system knows it, else a common one.

    Raises `UsageError` for a terminal that cannot move its cursor.
    """
    if term == "dumb":
        raise UsageError("TERM=dumb cannot show a session", "./dlwa.py logs -f RUN")
    try:
        import curses

        curses.setupterm(term or _FALLBACK_TERM, 2)
    except ImportError:
        return term or _FALLBACK_TERM
    except curses.error:
        return _FALLBACK_TERM
    return term or _FALLBACK_TERM


def _ask(host: Host, folder: Path | None) -> str:
    return host.run(Command(screen.list_argv(), screen.environment(folder))).out
