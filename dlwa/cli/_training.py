"""How `ddsp train` talks."""

from dlwa.actions import deadline, training
from dlwa.actions.runs import Run
from dlwa.cli import _runs, needs, options, output
from dlwa.cli._extra import require_flags
from dlwa.cli._words import Training
from dlwa.cli.options import Manner
from dlwa.errors import ExitCode
from dlwa.hosts.local import LocalHost


def train(asked: Training, how: Manner) -> int:
    """Check, start and say how to look in; returns the exit code."""
    extra = require_flags(asked.extra)
    settings, host = options.settings(), LocalHost()
    planned = training.plan(
        settings,
        host,
        asked.dataset_name,
        asked.model_name,
        extra=extra,
        custom=asked.custom,
        fresh=asked.fresh,
        cpu=asked.cpu,
        hours=asked.hours,
    )
    if planned.already_done:
        return _tell_done(planned)
    _tell_plan(planned, settings.workspace.shown(planned.job.folder))
    if output.only_shown(planned.job.argv, how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
    lab = options.lab(settings)
    run = training.start(planned, settings, host, lab.limits)
    output.answer(run.document())
    return _tell_started(run, lab.stops_at)


def _tell_plan(planned: training.Plan, folder: str) -> None:
    what = "goes on from its last checkpoint" if planned.resumes else "starts"
    output.say(f"{planned.model} {what} in {folder}")
    for note in planned.notes:
        output.say(note)


def _tell_done(planned: training.Plan) -> int:
    steps = planned.job.total_steps
    output.done(f"{planned.model} has all its {steps} steps; nothing is left to do")
    output.say(f"to go on: add -- --gin_param=train_util.train.num_steps={2 * (steps or 0)}")
    output.answer({"already_done": True, "name": str(planned.model), "steps": steps})
    return ExitCode.OK


def _tell_started(run: Run, stops_at: str | None) -> int:
    if not run.live:
        return _runs.tell_end(run)
    if run.state == "queued":
        output.say(_runs.standing(run) or "waits for its turn")
    output.done(f"{run.name} trains in {run.place}; you may log out")
    if stops_at and (told := deadline.at_start(stops_at)):
        output.say(told)
    _runs.tell_how_to_go_on(run)
    return ExitCode.OK
