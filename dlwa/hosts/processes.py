"""What the system knows about processes: who lives, since when, whose.

Linux answers from /proc at once; elsewhere `ps` and `sysctl` are asked.
"""

import os
import subprocess
import time
from pathlib import Path

from dlwa.hosts.base import ProcessId

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"


def boot_id() -> str:
    """What changes with every start of the machine; empty if the system does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return _ask("sysctl", "-n", "kern.bootsessionuuid")


def identify(pid: int) -> ProcessId | None:
    """The identity of a living process, None if there is none or it is only a zombie."""
    if pid <= 0:
        return None
    if not _BOOT_ID.exists():
        return _identify_by_ps(pid)
    fields = _stat(pid)
    return ProcessId(pid, int(fields[19])) if fields and fields[0] not in "ZX" else None


def is_paused(pid: int) -> bool:
    """Whether a process was halted by SIGSTOP or Ctrl-Z."""
    fields = _stat(pid)
    return bool(fields) and fields[0] in "Tt"


def parent(pid: int) -> int:
    """The number of a process's parent, 0 if unknown."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def user_of(pid: int) -> str:
    """The login a process belongs to, empty if unknown."""
    try:
        import pwd

        uid = (_PROC / str(pid)).stat().st_uid
    except (ImportError, OSError):
        return ""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container, a directory service that is away
        return f"uid {uid}"


def login() -> str:
    """The name of this process's login, its number where the system knows no name."""
    import getpass

    try:
        return getpass.getuser()
    except (ImportError, OSError, KeyError):
        return f"uid {os.geteuid()}" if hasattr(os, "geteuid") else "this login"


def command_of(pid: int) -> str:
    """The command line of a process, empty if unknown."""
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return b" ".join(words).decode("utf-8", "replace").strip()


def out_of_memory_kills() -> int:
    """How often the kernel has killed a process for want of memory since it started."""
    try:
        text = (_PROC / "vmstat").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line[:9] == "oom_kill "), 0)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name, which may hold anything."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()


def _identify_by_ps(pid: int) -> ProcessId | None:
    state, _, started = _ask("ps", "-o", "state=,lstart=", "-p", str(pid)).partition(" ")
    if not state or state[0] in "ZX":
        return None
    try:
        return ProcessId(pid, int(time.mktime(time.strptime(started.strip()))))
    except ValueError:
        return None


def _ask(*argv: str) -> str:
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=5,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
