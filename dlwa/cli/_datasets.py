"""How `ddsp make-dataset` talks."""

import functools
import sys
from typing import Any

from dlwa.actions import datasets
from dlwa.actions.runs import Run
from dlwa.cli import _runs, _wrapped, needs, options, output
from dlwa.cli._extra import require_flags
from dlwa.cli._follow import to_the_end
from dlwa.cli._unpacking import unpacking
from dlwa.cli._words import Making
from dlwa.cli.options import Manner
from dlwa.errors import ExitCode
from dlwa.hosts.local import LocalHost
from dlwa.words import counted, size
from dlwa.workspace import Workspace


def make(asked: Making, how: Manner, *, as_admin: bool = False) -> int:
    """Check, start, follow and say what came of it; returns the exit code."""
    extra = require_flags(asked.extra)
    settings, host = options.settings(), LocalHost()

    def plan(input_name: str) -> datasets.Plan:
        return datasets.plan(
            settings,
            host,
            input_name,
            asked.dataset_name,
            extra=extra,
            custom=asked.custom,
            cpu=asked.cpu,
        )

    planned = unpacking(plan, asked.input_name, how, as_admin=as_admin)
    told = f"{counted(len(planned.recordings), 'recording')}, {size(planned.size_bytes)}"
    output.say(f"{told}, in inputs/{planned.job.details['input']}")
    if output.only_shown(planned.job.argv, how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
    run = datasets.start(planned, settings, host, options.lab(settings).limits)
    tell = functools.partial(_tell, planned, settings.workspace)
    return to_the_end(run, settings, detach=asked.detach, tell=tell)


def _tell(planned: datasets.Plan, workspace: Workspace, run: Run) -> None:
    folder = workspace.dataset(planned.dataset)
    made = datasets.summary(folder) if run.state == "finished" else {}
    output.answer({**run.document(), "dataset": made})
    if run.state != "finished":
        return
    _tell_made(made, workspace.shown(folder))
    output.say(
        f"next: {_runs.PROGRAM} ddsp train --dataset_name {planned.dataset} "
        f"--model_name {planned.dataset}"
    )


def _tell_made(made: dict[str, Any], folder: str) -> None:
    for refused in made.get("refused") or []:
        output.warn(f"not used: {refused.get('file')}: {refused.get('reason')}")
    train, heldout = made.get("train") or {}, made.get("heldout") or {}
    told = ""
    if train.get("seconds"):
        told = f": {train['seconds']:.0f} s to learn from"
        told += f", {heldout.get('seconds', 0):.0f} s held out" if heldout.get("seconds") else ""
        told += f", of {counted(len(made.get('used') or []), 'recording')}"
    judged = made.get("audit") or {}
    for sentence in [*(judged.get("missing") or []), *(judged.get("advice") or [])]:
        for line in _wrapped.lines(sentence, sys.stderr, indent="  "):
            output.say(line)
    output.done(f"{folder} is ready{told}")
