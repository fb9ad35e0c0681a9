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
from dlwa.labs import Lab
from dlwa.locks import FileLock
from dlwa.settings import Settings
from dlwa.words import counted

_WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_TIMES_BAD = 3
Once = Callable[[Wire, Shown, Result], Result]


def where() -> tuple[Settings, Lab]:
    """The settings, and the lab they name."""
    settings = options.settings()
    return settings, options.lab(settings)


def carried(
    what: tuple[str, str],
    between: tuple[Lab, Settings],
    once: Once,
    *,
    dry_run: bool,
    no_input: bool,
) -> tuple[Result, float]:
    """Carry something to its end, under one bar; what came of it, and the seconds it took.

    `what` is the verb and the place in the lab.
    """
    (lab, settings), verb = between, what[0]
    try:
        with ExitStack() as stack:
            if not dry_run:
                stack.enter_context(_alone(settings, ".".join(what)))
            bar = Bar(stack, verb)
            began = time.monotonic()
            result = _until_good(lab, settings, once, bar, no_input=no_input)
    except KeyboardInterrupt:
        output.break_off()
        output.say("left; the same command again goes on where it was")
        raise
    return result, time.monotonic() - began


def _until_good(lab: Lab, settings: Settings, once: Once, bar: Bar, *, no_input: bool) -> Result:
    """Try until all that can arrive has arrived: lost lines and spoilt files are tried again.

    It gives up on a line over which nothing more arrives, however often it is opened.
    """
    tries = spoilt = furthest = 0
    earlier = Result()
    while True:
        result = Result()
        try:
            with open_wire(lab, settings, no_input=no_input) as wire:
                result = once(wire, bar.shown(), result)
        except NetworkError as error:
            result.add_earlier(earlier)
            earlier = result
            if bar.furthest >= furthest + BLOCK_BYTES:
                tries, furthest = 0, bar.furthest
            if tries == len(_WAITS_S) or lab.is_local:
                raise
            output.say(f"{error.message}; going on in {_WAITS_S[tries]:.0f} s ...")
            time.sleep(_WAITS_S[tries])
            tries += 1
            continue
        result.add_earlier(earlier)
        earlier = result
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
