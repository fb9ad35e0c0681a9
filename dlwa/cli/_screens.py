"""How the `util` commands talk."""

from collections.abc import Sequence
from pathlib import Path

from dlwa.actions import keepers, launch
from dlwa.actions.runs import Run
from dlwa.cli import _runs, options, output
from dlwa.errors import BusyError, ExitCode, NotFoundError
from dlwa.hosts.local import LocalHost
from dlwa.labs import Limits
from dlwa.names import parse_name, safe_spelling
from dlwa.words import counted

_RECENT = 5


def attach(text: str | None, *, no_input: bool) -> int:
    """Look into a session; where there is none, say how each recent run ended."""
    settings, host = options.settings(), LocalHost()
    keepers.here(settings.workspace, host).require()
    found = _runs.all_of(settings)
    if text is None and not any(run.live for run in found):
        _tell_recent(found)
        raise NotFoundError("no run is going on", f"start one: {_runs.PROGRAM} ddsp train --help")
    run = _runs.pick(found, text, "Which one?", live=True, no_input=no_input, mine=settings.owner)
    keeper = keepers.of(run.record, host)
    if not keeper.room_of(run):
        _runs.tell_end(run) if not run.live else output.say(_runs.standing(run))
        raise NotFoundError(
            f"run={run.name} has no session to look into", f"{_runs.PROGRAM} logs {run.name}"
        )
    keeper.attach(run)
    run = _runs.again(run, settings)
    if run.live:
        output.say(
            f"{run.name} goes on; look in again: {_runs.PROGRAM} util screen-attach {run.name}"
        )
        return ExitCode.OK
    return _runs.tell_end(run)


def show_sessions() -> None:
    """The table of sessions that belong to runs of this workspace, and other ones of dlwa."""
    settings, host = options.settings(), LocalHost()
    here = keepers.here(settings.workspace, host)
    here.require()
    found = _runs.all_of(settings)
    by_session = {run.session: run for run in found if run.session}
    kept: dict[str, tuple[keepers.Keeper, list[Run]]] = {here.name: (here, [])}
    for run in (run for run in found if run.live):
        keeper = keepers.of(run.record, host)
        kept.setdefault(keeper.name, (keeper, []))[1].append(run)
    rows = []
    for room in [room for keeper, runs in kept.values() for room in keeper.rooms(runs)]:
        its = by_session.get(room.name)
        about = (its.name, its.owner, its.state) if its else ("of another workspace", "", "")
        rows.append([room.address, room.state, *about])
    if not rows and not output.json_mode():
        output.say(f"no sessions; {_runs.PROGRAM} status tells how the runs ended")
        return
    output.table("", ["session", "screen", "run", "owner", "state"], rows)


def run_command(command: Sequence[str], name: str, gpus: int, *, dry_run: bool) -> int:
    """Start any command in a session and say where its log is."""
    settings, host = options.settings(), LocalHost()
    title = parse_name(name or safe_spelling(Path(command[0]).name).split("/")[0], "name")
    owner = title.owner(settings.owner)
    limits = options.lab(settings).limits
    _require_allowed(gpus, limits)
    full = title if len(title.parts) > 1 else parse_name(f"{owner}/{title}")
    if output.only_shown(command, dry_run):
        return ExitCode.OK
    run_id = launch.new_id()
    job = launch.Job(
        kind="run",
        owner=owner,
        name=str(full),
        folder=settings.workspace.runs / run_id,
        argv=tuple(command),
        cwd=Path.cwd(),
        devices="gpu",
        gpus=gpus,
    )
    run = launch.launch(job, settings.workspace, host, limits, run_id)
    output.answer(run.document())
    return _tell_started(run)


def _require_allowed(gpus: int, limits: Limits) -> None:
    if gpus > max(1, limits.gpus_per_run):
        raise BusyError(
            f"gpus={gpus}: a run may claim {counted(limits.gpus_per_run, 'GPU')} here",
            hint="gpus_per_run of limits in labs/local.yaml says so",
        )


def _tell_started(run: Run) -> int:
    if not run.live:
        return _runs.tell_end(run)
    output.done(f"{run.name} runs in {run.place}")
    _runs.tell_how_to_go_on(run)
    return ExitCode.OK


def _tell_recent(found: Sequence[Run]) -> None:
    for run in found[:_RECENT]:
        _runs.tell_end(run)
