"""Following a run from the foreground until it ends; Ctrl-C leaves it alone."""

import time
from collections.abc import Callable

from dlwa.actions import progress
from dlwa.actions.runs import Run
from dlwa.cli import _runs, output
from dlwa.errors import ExitCode
from dlwa.settings import Settings

_LOOK_EVERY_S = 0.25


def to_the_end(run: Run, settings: Settings, *, detach: bool, tell: Callable[[Run], None]) -> int:
    """Follow a run that was started until it ends, or leave it to itself; the exit code.

    `tell` answers for the run that ended, and says what a finished one made.
    """
    if detach and run.live:
        _runs.tell_how_to_go_on(run)
        output.answer(run.document())
        return ExitCode.OK
    try:
        run = follow(run, settings)
    except KeyboardInterrupt:
        output.say(f"\n{run.kind} of {run.name} goes on without you.")
        _runs.tell_how_to_go_on(run)
        return ExitCode.INTERRUPTED
    tell(run)
    return ExitCode.OK if run.state == "finished" else _runs.tell_end(run)


def follow(run: Run, settings: Settings) -> Run:
    """Show progress until the run ends and return how it ended.

    Raises `KeyboardInterrupt` when the user has had enough; the run goes on.
    """
    output.mark(["logs", run.id, "--follow"])  # a laptop whose line breaks goes on with the log
    now, at = _until_it_reports(run, settings)
    if at is None:
        return now
    with output.progress(run.kind, at.total, at.unit) as shown:
        told: progress.Progress | None = None
        while now.live:
            if at and at != told:
                shown.describe(at.what)
                shown.update(round(at.done, 1), at.total)
                told = at
            time.sleep(_LOOK_EVERY_S)
            now = _runs.again(run, settings)
            at = progress.progress_of(now)
    return now


def _until_it_reports(run: Run, settings: Settings) -> tuple[Run, progress.Progress | None]:
    """Wait for the first word on its progress, saying meanwhile why there is none."""
    told = ""
    while True:
        now = _runs.again(run, settings)
        at = progress.progress_of(now) if now.state == "running" else None
        if at or not now.live:
            return now, at
        word = _runs.standing(now) if now.state in ("queued", "stalled") else ""
        if word and word != told:
            output.say(f"{now.state}: {word}")
            told = word
        time.sleep(_LOOK_EVERY_S)
