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
    told = ""
    with output.progress(run.kind) as shown:
        while True:
            now = _runs.again(run, settings)
            if not now.live:
                return now
            word = now.reason if now.state in ("queued", "stalled") else ""
            if word and word != told:
                output.say(f"{now.state}: {_runs.standing(now)}")
            told = word
            at = progress.progress_of(now)
            if at:
                shown.describe(at.what)
                shown.update(at.done, at.total)
            time.sleep(_LOOK_EVERY_S)
