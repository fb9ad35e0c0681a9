"""How `stop` and `util screen-kill` talk."""

from dlwa.actions import keepers, stopping, users
from dlwa.actions.runs import Run
from dlwa.cli import _runs, options, output
from dlwa.cli._words import Patience
from dlwa.cli.options import Manner
from dlwa.errors import ExitCode, NotFoundError
from dlwa.hosts.local import LocalHost
from dlwa.settings import Settings

_SAY_EVERY_S = 10.0


def stop(name: str | None, patience: Patience, how: Manner) -> int:
    """Pick the run, ask what has to be asked, stop it, say how it ended; the exit code."""
    settings = options.settings()
    run = _runs.pick(
        _runs.all_of(settings),
        name,
        "Which run shall stop?",
        live=True,
        no_input=how.no_input,
        mine=settings.owner,
    )
    if not run.live and not _still_computes(run):
        _runs.tell_end(run)
        raise NotFoundError(f"run={run.name} does not go on any more ({run.state})")
    owners = users.owners(settings.workspace)
    question = stopping.require_permission(run, settings, owners, as_admin=patience.as_admin)
    if how.dry_run:
        output.say(f"would ask {_told_to(run)}")
        output.answer({**run.document(), "dry_run": True})
        return ExitCode.OK
    if question and not output.confirm(question, assume_yes=how.yes, no_input=how.no_input):
        output.say("nothing was done")
        return ExitCode.FAILED
    return _tell(_stop(run, patience.grace_s, settings))


def _told_to(run: Run) -> str:
    what = "save and stop" if run.kind == "train" else "stop"
    return f"{run.kind} of {run.name} (id {run.id}) to {what}"


def _stop(run: Run, grace_s: float, settings: Settings) -> Run:
    output.say(f"asking {_told_to(run)} ...")
    said_at = [0.0]

    def waiting(passed_s: float) -> None:
        if passed_s - said_at[0] >= _SAY_EVERY_S:
            said_at[0] = passed_s
            output.say(f"it has not ended after {passed_s:.0f} s; it gets {grace_s:.0f} s")

    return stopping.stop(run, LocalHost(), settings.owner, grace_s, waiting)


def _tell(run: Run) -> int:
    output.answer(run.document())
    if run.state == "finished":
        output.done(f"{run.kind} of {run.name} finished before it could be stopped")
    elif run.live:
        output.warn(f"{run.name} could not be stopped: {run.reason}")
        return ExitCode.FAILED
    else:
        output.done(f"{run.kind} of {run.name} {run.state}: {run.reason}")
        if run.kind == "train":
            begun = run.record.get("started_at")
            how = "goes on from the last checkpoint" if begun else "stands in line again"
            output.say(f"the same train command {how}")
    return ExitCode.OK


def _still_computes(run: Run) -> bool:
    host = LocalHost()
    return keepers.of(run.record, host).computes(run)
