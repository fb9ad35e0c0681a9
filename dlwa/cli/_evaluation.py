"""How `ddsp eval` and `ddsp sample` talk."""

import time
from typing import Any

from dlwa.actions import evaluation
from dlwa.actions.runs import Run
from dlwa.cli import _runs, needs, options, output
from dlwa.cli._extra import require_flags
from dlwa.cli._follow import follow
from dlwa.cli._words import Look
from dlwa.cli.options import Manner
from dlwa.errors import ExitCode
from dlwa.hosts.local import LocalHost
from dlwa.labs import read_lab
from dlwa.settings import Settings


def look(mode: evaluation.Mode, asked: Look, how: Manner) -> int:
    """Check, start, follow and show what came of it; returns the exit code."""
    extra = require_flags(asked.extra)
    settings, host = options.settings(), LocalHost()
    planned = evaluation.plan(
        settings,
        host,
        mode,
        asked.model_name,
        asked.dataset_name,
        extra=extra,
        custom=asked.custom,
        follow=asked.follow,
        gpu=asked.gpu,
    )
    what = "sounds held out of" if planned.is_held_out else "what it may have learnt from, of"
    output.say(f"{planned.model} plays {what} {planned.dataset}")
    if output.only_shown(planned.job.argv, how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
    limits = read_lab(settings.workspace.labs, settings.lab).limits
    since = time.time()
    run = evaluation.start(planned, settings, host, limits)
    if asked.detach and run.live:
        _runs.tell_how_to_go_on(run)
        output.answer(run.document())
        return ExitCode.OK
    return _to_the_end(run, settings, planned, since)


def _to_the_end(run: Run, settings: Settings, planned: evaluation.Plan, since: float) -> int:
    try:
        run = follow(run, settings)
    except KeyboardInterrupt:
        output.say(f"\n{run.kind} of {run.name} goes on without you.")
        _runs.tell_how_to_go_on(run)
        return ExitCode.INTERRUPTED
    found = evaluation.outcome(planned, since)
    output.answer({**run.document(), "found": found})
    if run.state != "finished":
        _runs.tell_end(run)
        return _runs.exit_code(run)
    _show(found)
    step, sounds = found.get("step"), found.get("sounds") or []
    if sounds:
        place = settings.workspace.shown(planned.report_dir)
        output.done(f"{len(sounds) // 2} pairs of sounds in {place}/samples-{step}")
    else:
        place = settings.workspace.shown(planned.report)
        output.done(f"step {step} of {planned.model}: {place}")
    return ExitCode.OK


def _show(found: dict[str, Any]) -> None:
    results, meanings = found.get("results") or {}, found.get("meanings") or {}
    rows = [
        [name.removeprefix("metrics/"), f"{value:.4f}", *(meanings.get(name) or ("", ""))]
        for name, value in results.items()
    ]
    if rows:
        title = f"Step {found.get('step')}"
        output.table(title, ["what", "value", "unit", "meaning"], rows)
