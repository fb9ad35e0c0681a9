"""Following a run from the foreground until it ends; Ctrl-C leaves it alone."""

import time

from dlwa.actions import progress
from dlwa.actions.runs import Run
from dlwa.cli import _runs, output
from dlwa.settings import Settings

_LOOK_EVERY_S = 0.25


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
