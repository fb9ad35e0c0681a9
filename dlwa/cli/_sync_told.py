"""What `push` and `fetch` show: a bar while files move, then what came of each."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from dlwa.actions.sync import near
from dlwa.actions.sync.near import Result
from dlwa.cli import output
from dlwa.errors import ExitCode, PartialError, VerificationError
from dlwa.words import counted, printable, size

_LISTED = 20
_DRAW_EVERY_S = 0.1


def tell(result: Result, what: tuple[str, str, float], *, dry_run: bool, delete: bool) -> int:
    """Say what came of a transfer (verb, place, seconds); the exit code."""
    verb, place, took_s = what
    output.answer(
        {**asdict(result), "place": place, "seconds": round(took_s, 3), "dry_run": dry_run}
    )
    told = "; ".join(
        part for part in (_moved(verb, result, took_s, dry_run), _same(result)) if part
    )
    step = f", step {result.step}" if result.step is not None else ""
    if dry_run:
        output.say(f"{told} -> {place}{step}")
        list_some(result.sent)
    elif told and not result.bad:
        output.done(f"{told} -> {place}{step}, verified")
    if dry_run and delete and result.extras:
        output.say(f"would remove {counted(len(result.extras), 'file')} there")
        list_some(result.extras)
    elif result.deleted:
        output.say(f"removed {counted(len(result.deleted), 'file')}")
    reasons = [f"{path!a} was left out: it {why}" for path, why in result.refused.items()]
    list_some(reasons, output.warn)
    changing = "did not arrive as it was sent; does something still write it?"
    list_some([f"{path!a} {changing}" for path in result.bad], output.warn)
    return _code(result)


def list_some(lines: Sequence[str], say: Callable[[str], None] | None = None) -> None:
    """The first of many lines, and how many there are besides; a lab may have written them."""
    for line in lines[:_LISTED]:
        shown = printable(line)
        say(shown) if say else output.say(f"  {shown}")
    if len(lines) > _LISTED:
        output.say(f"  ... and {len(lines) - _LISTED} more")


def _moved(verb: str, result: Result, took_s: float, dry_run: bool) -> str:
    if not result.sent:
        return "nothing to do" if dry_run and not result.same else ""
    told = f"{verb} {counted(len(result.sent), 'file')}, {size(result.bytes)}"
    if dry_run:
        return f"would have {told}"
    return f"{told} at {size(result.bytes / took_s)}/s" if result.bytes > 1e6 and took_s else told


def _same(result: Result) -> str:
    count = len(result.same)
    files = "" if result.sent else " file" if count == 1 else " files"
    return f"{count}{files} {'was' if count == 1 else 'were'} there already" if count else ""


def _code(result: Result) -> int:
    good = bool(result.sent or result.same)
    if result.bad and not good:
        return int(VerificationError.exit_code)
    if result.refused or result.bad:
        return int(PartialError.exit_code) if good else ExitCode.FAILED
    return ExitCode.OK


class Bar:
    """One bar for all tries; `furthest` is how many bytes any of them has come to."""

    def __init__(self, stack: ExitStack, label: str) -> None:
        self._stack, self._label = stack, label
        self._drawn: Any = None
        self._done, self._drawn_s = 0, 0.0
        self.furthest = 0

    def shown(self) -> near.Shown:
        """What a try reports to."""
        return near.Shown(self._total, self._moved, self._file)

    def _total(self, total: int, count: int) -> None:
        self._done = 0
        if self._drawn is None and count:
            self._drawn = self._stack.enter_context(output.progress(self._label, total / 1e6, "MB"))
        elif self._drawn is not None:
            self._drawn.update(0, total / 1e6)

    def _moved(self, count: int) -> None:
        self._done += count
        self.furthest = max(self.furthest, self._done)
        now_s = time.monotonic()
        if self._drawn is not None and now_s - self._drawn_s > _DRAW_EVERY_S:
            self._drawn_s = now_s
            self._drawn.update(round(self._done / 1e6, 1))

    def _file(self, path: str, number: int, total: int) -> None:
        if self._drawn is not None:
            self._drawn.describe(f"{number}/{total} {path[-28:]}")
