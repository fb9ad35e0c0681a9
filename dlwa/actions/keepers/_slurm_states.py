"""How a run stands whose Slurm job lives, is over, gone or hidden: Slurm's word, the record's."""

import time
from collections.abc import Mapping
from typing import Any

from dlwa import runfiles
from dlwa.actions._run import LIVE, State, saved
from dlwa.logtext import reason_in
from dlwa.tools import slurm_words
from dlwa.tools.slurm import SlurmJob
from dlwa.words import span
from dlwa.workspace import RunPaths

_JUST_ENDED_S = 10.0  # the disk may show a record's last words later than Slurm the job's end
Standing = tuple[State, str]


def alive(job: SlurmJob, record: Mapping[str, Any], silence: tuple[float, float]) -> Standing:
    """A job that has a node, and may be about to get or to lose it."""
    state: State = record["state"]
    reason = str(record.get("reason") or "")
    silent_s, stalled_after_s = silence
    if job.state in ("SUSPENDED", "STOPPED"):
        return "stalled", "Slurm has halted it"
    if state == "queued" and job.state == "COMPLETING":
        return state, reason
    if state == "queued":
        return "starting", f"Slurm makes {job.node or 'its node'} ready"
    if state == "running" and silent_s > stalled_after_s:
        return "stalled", f"it has written nothing for {span(silent_s)}"
    return state, reason


def gone(record: Mapping[str, Any], paths: RunPaths) -> Standing:
    """A job that Slurm no longer knows."""
    if told := _recorded_end(paths):
        return told
    why = f"Slurm no longer knows its job {record.get('slurm_job_id')}"
    return "lost", f"{why}, which was {record['state']}{saved(paths, record)}"


def unseen(record: Mapping[str, Any], paths: RunPaths, silence: tuple[float, float]) -> Standing:
    """A job that may go on although Slurm says nothing of it to this login."""
    if told := _recorded_end(paths):
        return told
    silent_s, stalled_after_s = silence
    why = f"Slurm shows this login nothing of job {record.get('slurm_job_id')}"
    if record["state"] == "queued":
        return "unknown", f"{why}; last known: queued"
    state: State = "stalled" if silent_s > stalled_after_s else "unknown"
    wrote = f"wrote {span(silent_s)} ago{saved(paths, record)}"
    return state, f"{why}; last known: {record['state']}, {wrote}"


def ended(job: SlurmJob, record: Mapping[str, Any], paths: RunPaths) -> Standing:
    """A job that Slurm calls over."""
    if told := _recorded_end(paths):
        return told
    if job.state == "COMPLETED" and job.ends_at and time.time() - job.ends_at < _JUST_ENDED_S:
        return record["state"], "it ends this moment"
    state, reason = slurm_words.ending(job)
    if not record.get("pid"):
        reason = f"{reason}; {reason_in(_tail(paths))}".removesuffix("; ")
    return _as_state(state), reason + saved(paths, record)


def _recorded_end(paths: RunPaths) -> Standing | None:
    """What the record says by now, if the run ended while we looked."""
    now = runfiles.read_json(paths.record) or {}
    if now.get("state") in LIVE:
        return None
    return now.get("state", "lost"), str(now.get("reason") or "")


def _tail(paths: RunPaths) -> str:
    """What was printed where no wrapper came up."""
    try:
        return paths.slurm_log.read_text(encoding="utf-8", errors="replace")[-4000:]
    except OSError:
        return ""


def _as_state(word: str) -> State:
    states: dict[str, State] = {"failed": "failed", "stopped": "stopped"}
    return states.get(word, "lost")
