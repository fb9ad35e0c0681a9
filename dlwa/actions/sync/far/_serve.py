"""One request after the other, until the laptop goes."""

from typing import Any

from dlwa.actions.sync.far._places import told_of
from dlwa.actions.sync.wire import Wire
from dlwa.errors import DlwaError, NetworkError, UsageError
from dlwa.labs import Limits
from dlwa.settings import Settings

MAGIC = b"\0dlwa-sync 1\n"


def serve(wire: Wire, settings: Settings, limits: Limits) -> None:
    """Answer requests until the laptop goes."""
    while True:
        try:
            request = wire.message()
        except NetworkError:
            return
        try:
            _answer(wire, request, settings, limits)
        except NetworkError:
            return
        except (DlwaError, OSError, ValueError, LookupError, TypeError) as error:
            wire.send(error=told_of(error))


def _answer(wire: Wire, request: dict[str, Any], settings: Settings, limits: Limits) -> None:
    # each loads what the other does without, before its first byte
    if request["do"] == "push":
        from dlwa.actions.sync.far._push import Push

        Push(wire, request, settings, limits).run()
    elif request["do"] == "fetch":
        from dlwa.actions.sync.far._fetch import fetch

        fetch(wire, request, settings.workspace)
    else:
        raise UsageError(f"do={request['do']!r} is unknown here")
