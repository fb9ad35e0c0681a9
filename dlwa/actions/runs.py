"""The runs of a workspace and how they really stand.

The record says what the wrapper last knew. Whoever reads it asks who keeps the run, so that a
killed wrapper, a restarted machine or a halted job is told as it is.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions import keepers
from dlwa.actions._run import LIVE, STALLED_AFTER_S, Run, State, last_activity
from dlwa.errors import NotFoundError, UsageError
from dlwa.hosts.base import Host
from dlwa.settings import nearest
from dlwa.workspace import RunPaths, Workspace

__all__ = [
    "LIVE",
    "STALLED_AFTER_S",
    "Run",
    "State",
    "all_runs",
    "find_run",
    "last_activity",
    "model_folders",
    "read_run",
]

_NUMBERS = (
    *("created_at", "started_at", "ended_at", "total_steps"),
    *("computed_s", "waited_s", "clock_shift_s"),
)
_MOST = 1e15  # more seconds or steps than there are; a NaN is no number either


def read_run(folder: Path, host: Host, stalled_after_s: float = STALLED_AFTER_S) -> Run | None:
    """The run recorded in a folder, None if there is no record."""
    read = runfiles.read_json(folder / runfiles.RECORD_FILE)
    if read is None:
        return None
    record = _sound(read)
    paths = RunPaths(folder, str(record.get("kind", "train")))
    state, reason = record.get("state", "lost"), str(record.get("reason") or "")
    if state in LIVE and _is_copy(record, paths, host):
        told = f"a copy; on {record.get('host')} it was {state} when this was taken"
        return Run(paths, record, "lost", told)
    if state in LIVE:
        state, reason = keepers.of(record, host).standing(record, paths, stalled_after_s)
    return Run(paths, record, state, reason)


def all_runs(
    workspace: Workspace, host: Host, stalled_after_s: float = STALLED_AFTER_S
) -> list[Run]:
    """Every run of a workspace, the newest first."""
    found = (
        read_run(folder, host, stalled_after_s)
        for folder in (*model_folders(workspace), *_other_folders(workspace))
    )
    return sorted((run for run in found if run), key=lambda run: run.began, reverse=True)


def model_folders(workspace: Workspace) -> Iterator[Path]:
    """The folders under `models/ddsp` that hold a training's record."""
    for place, folders, files in os.walk(workspace.models):
        if runfiles.RECORD_FILE in files:
            folders.clear()
            yield Path(place)
        else:
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))


def find_run(runs: list[Run], text: str) -> Run:
    """The run somebody means by an id, a name, a session or a Slurm job; a live one before others.

    Raises `NotFoundError` if there is none, `UsageError` if it could be several.
    """
    head, dot, rest = text.partition(".")
    session = rest if dot and head.isdigit() else text
    exact = [run for run in runs if run.id == text or (run.session and run.session == session)]
    exact = exact or [run for run in runs if run.record.get("slurm_job_id") == text]
    named = exact or [run for run in runs if run.name == text]
    named = named or [run for run in runs if run.name.endswith(f"/{text}")]
    if not named:
        known = {run.name for run in runs} | {run.id for run in runs}
        hint = nearest(text, known) if known else "start one: ./dlwa.py ddsp train --help"
        raise NotFoundError(f"run={text!r} is unknown here", hint)
    live = [run for run in named if run.live]
    if len(live) > 1:
        listed = ", ".join(f"{run.id} ({run.kind})" for run in live)
        raise UsageError(f"run={text} could be {listed}", "name it by its id")
    return (live or named)[0]


def _sound(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what is of the wrong kind: other programs too call a file run.json.

    One such file must not keep everybody from seeing all other runs.
    """
    sound = {key: value for key, value in record.items() if key not in _NUMBERS or _number(value)}
    if "turns" in record:
        turns = record["turns"] if isinstance(record["turns"], list) else []
        sound["turns"] = [_sound_turn(turn) for turn in turns if isinstance(turn, dict)]
    if not isinstance(record.get("state"), str):
        sound["state"] = "lost"
    return sound


def _sound_turn(turn: dict[str, Any]) -> dict[str, Any]:
    computed_s = turn.get("computed_s")
    return {**turn, "computed_s": computed_s if computed_s and _number(computed_s) else 0.0}


def _number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and abs(value) < _MOST)


def _is_copy(record: Mapping[str, Any], paths: RunPaths, host: Host) -> bool:
    """Whether a record came here without its run, as `fetch --all` brings it: the locks stayed."""
    elsewhere = record.get("host") not in (None, host.name)
    return elsewhere and not (paths.lock.exists() or paths.start_lock.exists())


def _other_folders(workspace: Workspace) -> Iterator[Path]:
    if workspace.runs.is_dir():
        yield from (path for path in workspace.runs.iterdir() if path.is_dir())
