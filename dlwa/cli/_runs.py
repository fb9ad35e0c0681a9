"""What several commands say about runs: picking one, how it stands, how it ended."""

from collections.abc import Sequence

from dlwa.actions import progress, receipts, runs, waiting
from dlwa.actions.remarks import remarks_of
from dlwa.actions.runs import Run
from dlwa.cli import output
from dlwa.errors import ExitCode, NotFoundError
from dlwa.hosts.local import LocalHost
from dlwa.logtext import last_lines
from dlwa.settings import Settings
from dlwa.words import span

PROGRAM = output.LAUNCHER
_FROM_CHILD = (ExitCode.USAGE, ExitCode.NOT_FOUND)


def all_of(settings: Settings) -> list[Run]:
    """Every run of the workspace, the newest first."""
    return runs.all_runs(settings.workspace, LocalHost(), settings.stalled_after_s)


def again(run: Run, settings: Settings) -> Run:
    """The run as it stands now."""
    now = runs.read_run(run.paths.folder, LocalHost(), settings.stalled_after_s)
    return now or run


def pick(
    found: Sequence[Run], text: str | None, what: str, *, live: bool, no_input: bool, mine: str
) -> Run:
    """The run a command is about: the one named, the only one, my only one, or the one chosen.

    Raises `NotFoundError` when there is none.
    """
    if text is not None:
        return runs.find_run(list(found), text)
    open_runs = [run for run in found if run.live] if live else list(found)
    if not open_runs:
        raise NotFoundError(
            "no run is going on", f"start one: {PROGRAM} ddsp train --help; see {PROGRAM} status"
        )
    own = [run for run in open_runs if run.owner == mine]
    if len(open_runs) == 1 or len(own) == 1:
        return (own or open_runs)[0]
    rows = [f"{run.name}  {run.id}  {run.kind}, {run.state}" for run in open_runs]
    return open_runs[output.choose(what, rows, no_input=no_input)]


def standing(run: Run) -> str:
    """How a run stands, in a few words."""
    now = progress.progress_of(run)
    if run.state == "queued" and run.reason:
        wait = waiting.wait_of(run)
        return f"waits, {wait.words()}: {run.reason}" if wait else f"waits: {run.reason}"
    if not run.live:
        return run.reason
    left_s = now.left_s if now and run.state != "stalled" else None
    left = f"about {span(left_s)} left" if left_s is not None else ""
    warned = ", ".join(remark.short for remark in remarks_of(run))
    return "; ".join(part for part in (run.reason, warned, left) if part)


def far(run: Run) -> str:
    """How far a run has come, such as 2400/30000 steps."""
    now = progress.progress_of(run)
    if now is None:
        return ""
    total = f"/{now.total:.0f}" if now.total else ""
    return f"{now.done:.0f}{total} {now.unit}"


def tell_end(run: Run, *, receipt: bool = True) -> int:
    """Say how a run ended: done, or why not with the last lines it printed; the exit code."""
    what = f"{run.kind} of {run.name}"
    ended = run.record.get("ended_at")
    when = f", {progress.since(float(ended))}" if ended else ""
    if run.state == "finished":
        output.done(f"{what} finished{when}")
        if receipt:
            _tell_receipt(run)
        return ExitCode.OK
    output.warn(f"{what} {run.state}{when}: {run.reason}")
    if receipt:
        _tell_receipt(run)
    if run.record.get("hint"):
        output.say(f"hint: {run.record['hint']}")
    if run.state in ("failed", "lost"):
        for line in last_lines(run.paths.log, 6):
            output.say(f"    {line}")
        output.say(f"the whole log: {run.paths.log}")
    code = run.record.get("exit_code")
    return int(code) if run.state == "failed" and code in _FROM_CHILD else ExitCode.FAILED


def _tell_receipt(run: Run) -> None:
    told = receipts.in_a_line(run)
    if told:
        output.say(told)


def tell_how_to_go_on(run: Run) -> None:
    """The lines that follow every start: where the log is, how to look in, stop and go on."""
    again_with = {"train": "the same command again, it resumes", "make-dataset": ""}
    first = "   (saves first)" if run.kind == "train" else ""
    lines = [
        ("log", f"{PROGRAM} logs -f {run.name}   ({run.paths.log})"),
        ("look in", f"{PROGRAM} util screen-attach {run.name}   (Ctrl-C leaves it running)"),
        ("progress", f"{PROGRAM} watch {run.name}   or   {PROGRAM} status"),
        ("stop", f"{PROGRAM} stop {run.name}{first}"),
        ("resume", again_with.get(run.kind, "")),
    ]
    for word, text in lines:
        if text:
            output.say(f"{word:>9}: {text}")
