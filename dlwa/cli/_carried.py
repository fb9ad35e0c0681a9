"""Carrying files to their end: one bar, lost lines opened again, spoilt files sent again."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from dlwa.actions.sync.files import BLOCK_BYTES
from dlwa.actions.sync.near import Result, Shown
from dlwa.actions.sync.wire import Wire
from dlwa.cli import options, output
from dlwa.cli._pipe import open_wire
from dlwa.cli._sync_told import Bar
from dlwa.errors import BusyError, NetworkError
from dlwa.labs import Lab, read_lab
from dlwa.locks import FileLock
from dlwa.settings import Settings
from dlwa.words import counted

_WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_TIMES_BAD = 3
Once = Callable[[Wire, Shown], Result]


def where() -> tuple[Settings, Lab]:
    """The settings, and the lab they name."""
    settings = options.settings()
    return settings, read_lab(settings.workspace.labs, settings.lab)


def carried(
    verb: str, place: str, between: tuple[Lab, Settings], once: Once, *, no_input: bool
) -> tuple[Result, float]:
    """Carry something to its end, under one bar; what came of it, and the seconds it took."""
    lab, settings = between
    with _alone(settings, f"{verb}.{place}"), ExitStack() as stack:
        bar = Bar(stack, verb)
        began = time.monotonic()
        result = _until_good(lab, settings, once, bar, no_input=no_input)
    return result, time.monotonic() - began


def _until_good(lab: Lab, settings: Settings, once: Once, bar: Bar, *, no_input: bool) -> Result:
    """Try until all that can arrive has arrived: lost lines and spoilt files are tried again.

    It gives up on a line over which nothing more arrives, however often it is opened.
    """
    tries = spoilt = 0
    bytes_before = furthest = 0
    while True:
        try:
            with open_wire(lab, settings, no_input=no_input) as wire:
                result = once(wire, bar.shown())
        except NetworkError as error:
            if bar.furthest >= furthest + BLOCK_BYTES:
                tries, furthest = 0, bar.furthest
            if tries == len(_WAITS_S) or lab.is_local:
                raise
            output.say(f"{error.message}; going on in {_WAITS_S[tries]:.0f} s ...")
            time.sleep(_WAITS_S[tries])
            tries += 1
            continue
        bytes_before += result.bytes
        result.bytes = bytes_before
        spoilt += 1
        if not result.bad or spoilt == _TIMES_BAD:
            return result
        output.say(f"{counted(len(result.bad), 'file')} changed on the way; sending them again ...")


def _alone(settings: Settings, title: str) -> Any:
    """Two transfers of the same thing on this machine would only disturb each other."""
    import os

    if os.name == "nt":
        return ExitStack()
    path = settings.workspace.state / "locks" / f"{title.replace('/', '+')}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    if not lock.try_acquire():
        verb, _, what = title.partition(".")
        raise BusyError(f"a {verb} of {what} goes on in another window", "wait for it")
    return lock
