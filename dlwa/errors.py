"""What can go wrong, and with which exit code dlwa ends.

    DlwaError
    ├── UsageError            2  an argument cannot be right
    ├── NotFoundError         3  the named thing does not exist
    ├── AccessError           4  login or host key refused
    ├── NetworkError          5  the connection failed; trying again may help
    ├── BusyError             6  somebody holds it, or a limit is reached
    ├── VerificationError     7  what arrived is not what was sent
    └── PartialError          8  some of it worked, the rest is listed

A message says what was wrong as name=value and what was expected; the hint is the next
thing to type.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every dlwa command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    ACCESS = 4
    NETWORK = 5
    BUSY = 6
    VERIFICATION = 7
    PARTIAL = 8
    INTERRUPTED = 130


class DlwaError(Exception):
    """Something the user can understand and act on."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DlwaError):
    """An argument cannot be right."""

    exit_code = ExitCode.USAGE


class NotFoundError(DlwaError):
    """The named thing does not exist."""

    exit_code = ExitCode.NOT_FOUND


class AccessError(DlwaError):
    """Login or host key refused."""

    exit_code = ExitCode.ACCESS


class NetworkError(DlwaError):
    """The connection failed; trying again may help."""

    exit_code = ExitCode.NETWORK


class BusyError(DlwaError):
    """Somebody holds it, or a limit is reached."""

    exit_code = ExitCode.BUSY


class VerificationError(DlwaError):
    """What arrived is not what was sent."""

    exit_code = ExitCode.VERIFICATION


class PartialError(DlwaError):
    """Some of it worked, the rest is listed."""

    exit_code = ExitCode.PARTIAL
