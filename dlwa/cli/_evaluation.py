"""How `ddsp eval` and `ddsp sample` talk."""

import functools
import time
from typing import Any

from dlwa.actions import evaluation
from dlwa.actions.runs import Run
from dlwa.cli import needs, options, output
from dlwa.cli._extra import require_flags
from dlwa.cli._follow import to_the_end
from dlwa.cli._words import Look
from dlwa.cli.options import Manner
from dlwa.errors import ExitCode
from dlwa.hosts.local import LocalHost
from dlwa.words import counted
from dlwa.workspace import Workspace


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
    for note in planned.notes:
        output.say(note)
    if output.only_shown(planned.job.argv, how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
    tell = functools.partial(_tell, planned, settings.workspace, time.time())
    run = evaluation.start(planned, settings, host, options.lab(settings).limits)
    code = to_the_end(run, settings, detach=asked.detach, tell=tell)
    if asked.follow and not planned.notes:
        _tell_of_training(evaluation.bad_end(planned, settings, host))
    return code


def _tell_of_training(bad_end: str) -> None:
    if bad_end:
        output.warn(f"{bad_end}; no more checkpoints will come")


def _tell(planned: evaluation.Plan, workspace: Workspace, since: float, run: Run) -> None:
    found = evaluation.outcome(planned, since)
    output.answer({**run.document(), "found": found})
    if run.state != "finished":
        return
    _show(found)
    step, sounds = found.get("step"), found.get("sounds") or []
    if sounds:
        place = workspace.shown(planned.report_dir)
        output.done(f"{counted(len(sounds) // 2, 'pair')} of sounds in {place}/samples-{step}")
    else:
        output.done(f"step {step} of {planned.model}: {workspace.shown(planned.report)}")
    output.say(f"seen in TensorBoard: tensorboard --logdir {workspace.shown(planned.save_dir)}")


def _show(found: dict[str, Any]) -> None:
    results, meanings = found.get("results") or {}, found.get("meanings") or {}
    rows = [
        [name.removeprefix("metrics/"), f"{value:.4f}", *(meanings.get(name) or ("", ""))]
        for name, value in results.items()
    ]
    if rows:
        title = f"Step {found.get('step')}"
        output.table(title, ["what", "value", "unit", "meaning"], rows)
