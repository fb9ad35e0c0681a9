"""What the lab answers: a message, its error as ours, or nonsense; and whether there is room."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dlwa.actions.sync.files import of_the_system
from dlwa.errors import (
    AccessError,
    BusyError,
    DlwaError,
    NetworkError,
    NotFoundError,
    UsageError,
)
from dlwa.words import printable, size

_KINDS: dict[int, type[DlwaError]] = {
    2: UsageError,
    3: NotFoundError,
    4: AccessError,
    5: NetworkError,
    6: BusyError,
}
_SPARE = 1.02


@contextmanager
def understood() -> Iterator[None]:
    """Turn what no dlwa would send into an error, whatever it broke here."""
    try:
        yield
    except (ValueError, LookupError, TypeError) as error:
        raise DlwaError(
            f"the lab answered in its own language ({type(error).__name__}: {error!a})",
            "./dlwa.py lab check",
        ) from error


def checked(message: dict[str, Any]) -> dict[str, Any]:
    """A message, unless it is the lab's error, which is raised here."""
    if "error" in message:
        told = message["error"]
        raise error_of(int(told["code"]), str(told["message"]), str(told["hint"]))
    return message


def error_of(code: int, message: str, hint: str) -> DlwaError:
    """The error of a lab as ours, by its exit code."""
    return _KINDS.get(code, DlwaError)(printable(message), printable(hint))


def require_room(needed: int, free: int, where: str) -> None:
    """Raise `DlwaError` if that many bytes more do not fit there."""
    if needed * _SPARE > free:
        raise DlwaError(
            f"the disk of {where} has {size(free)} free, {size(needed)} are needed",
            "make room: ./dlwa.py user usage shows who fills it",
        )


def reason_of(error: Exception) -> str:
    return of_the_system(error, "this machine") if isinstance(error, OSError) else str(error)
