"""Runs as jobs of a Slurm cluster."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from dlwa import runfiles
from dlwa.actions import durations, sessions
from dlwa.actions._job import Job, where_dlwa_is, wrapper_command
from dlwa.actions._run import COMES_UP_WITHIN_S, LIVE, Run, State, last_activity
from dlwa.actions.keepers import _slurm_states, _submission
from dlwa.actions.keepers._base import Room
from dlwa.actions.keepers._book import Answer, book_of
from dlwa.actions.keepers._files import keep_file
from dlwa.errors import AccessError, DlwaError, NetworkError, NotFoundError, UsageError
from dlwa.hosts.base import Host
from dlwa.labs import Limits, SlurmOptions
from dlwa.shell import Command
from dlwa.tools import screen, slurm, slurm_words
from dlwa.tools.slurm import SlurmJob
from dlwa.words import span
from dlwa.workspace import RunPaths, Workspace

_SUBMITS_WITHIN_S = 20.0
_ENDS_WITHIN_S = 60.0
_WAKES_WITHIN_S = 2.0
_SHOWN_LINES = 200


class SlurmKeeper:
    """Each run in a job of its own; how it stands is asked of Slurm."""

    name = "slurm"
    shares_this_machine = False

    def __init__(self, host: Host, asked: SlurmOptions | None = None) -> None:
        self._host = host
        self._asked = asked or SlurmOptions()
        self._book = book_of(host)

    def require(self) -> None:
        """Raise `DlwaError` if this machine cannot submit."""
        for program in ("sbatch", "squeue", "scancel"):
            if self._host.which(program) is None:
                raise DlwaError(
                    f"{program} is not installed here, and labs/local.yaml says scheduler: slurm",
                    hint="work on the cluster's login node; or say scheduler: screen",
                )

    def reserve(self, job: Job, run_id: str) -> dict[str, Any]:
        """Return the name of the job to be; the run's id in it keeps it apart from all others."""
        return {
            "keeper": self.name,
            "session": screen.session_name(job.owner, job.title, run_id),
            "slurm_job_id": None,
            "slurm_uid": os.getuid(),
            "slurm_requeues_allowed": _submission.requeues(job, self._asked),
        }

    def open(
        self, job: Job, record: Mapping[str, Any], workspace: Workspace, limits: Limits
    ) -> dict[str, Any]:
        """Submit the wrapper; Slurm starts it when it is its turn."""
        script = workspace.slurm_script
        keep_file(script, slurm.SCRIPT)
        argv = slurm.submit_argv(
            _submission.options_of(job, self._asked, limits),
            str(record["session"]),
            RunPaths(job.folder, job.kind).slurm_log,
            script,
            wrapper_command(job.folder),
        )
        env = {**slurm.environment(os.environ), **where_dlwa_is()}
        said = self._host.run(Command(argv, env, workspace.root), _SUBMITS_WITHIN_S)
        number = slurm.parse_submitted(said.out) if said.ok else None
        if number is None:
            raise _submission.refused(job, said.said, said.code)
        self._book.changed()
        _submission.note(job, str(record["id"]), number)
        warned_s = _submission.warning_s(self._asked, limits)
        return {
            "slurm_job_id": number,
            "slurm_warning_s": warned_s,
            "gpus": job.gpus_in(limits.gpus_per_run),
            "place": f"Slurm job {number}",
            "reason": "",
        }

    def standing(
        self, record: Mapping[str, Any], paths: RunPaths, stalled_after_s: float
    ) -> tuple[State, str]:
        """Return how a run stands: Slurm's word on the job, the record's on the work."""
        state: State = record["state"]
        silent_s = max(0.0, time.time() - last_activity(paths))
        if not record.get("slurm_job_id"):
            age_s = time.time() - float(record.get("created_at") or 0)
            young = 0 <= age_s < COMES_UP_WITHIN_S + _SUBMITS_WITHIN_S
            return (state, "it is being submitted") if young else ("lost", "it was never submitted")
        answer = self._book.job(str(record["slurm_job_id"]))
        if answer.silent:
            wrote = f", wrote {span(silent_s)} ago" if state == "running" else ""
            return "unknown", f"Slurm does not answer ({answer.silent}); last known: {state}{wrote}"
        job = answer.job
        if job is None and _may_be_hidden(record):
            return _slurm_states.unseen(record, paths, (silent_s, stalled_after_s))
        if job is None or job.name != record.get("session"):
            return _slurm_states.gone(record, paths)
        if job.waits:
            before = len(record.get("turns") or [])
            again = f"turn {before + 1}" if before else ""
            return "queued", "; ".join(part for part in (slurm_words.why(job), again) if part)
        if job.ended:
            return _slurm_states.ended(job, record, paths)
        return _slurm_states.alive(job, record, (silent_s, stalled_after_s))

    def room_of(self, run: Run) -> str:
        """Return the job's number while it runs; raises `NetworkError` if Slurm does not answer."""
        job_id = run.record.get("slurm_job_id")
        silent = self._book.job(str(job_id)).silent if job_id and run.live else ""
        if silent:
            raise NetworkError(
                f"run={run.name} cannot be looked into now: Slurm does not answer ({silent})",
                hint=f"./dlwa.py logs -f {run.name}",
            )
        job = self._job(run)
        return job.id if job and _has_node(job) else ""

    def rooms(self, runs: Sequence[Run]) -> list[Room]:
        """List the jobs of this login that are dlwa's and not over."""
        return [
            Room(job.id, f"{job.state.lower()} {job.node}".strip(), job.name)
            for job in self._book.jobs()
            if job.name.startswith(screen.PREFIX) and not job.ended
        ]

    def attach(self, run: Run) -> int:
        """Show what the run prints, from its node; Ctrl-C leaves."""
        job_id = self.room_of(run)
        if not job_id:
            raise NotFoundError(f"run={run.name} does not run in Slurm now: {run.reason}")
        if not os.isatty(0):
            raise UsageError("looking into a job needs a terminal", f"./dlwa.py logs -f {run.name}")
        until = (f"--pid={run.wrapper.pid}",) if run.wrapper else ()
        words = ("tail", f"--lines={_SHOWN_LINES}", "-F", *until, "--", str(run.paths.log))
        env = {
            **slurm.environment(os.environ),
            "TERM": sessions.usable_term(os.environ.get("TERM", "")),
        }
        code = self._host.attach(Command(slurm.attach_argv(job_id, words), env))
        self._book.changed()
        return code

    def check_reach(self, run: Run) -> None:
        """Raise `NetworkError` where Slurm does not answer, `AccessError` for another's job."""
        self._book.changed()
        job_id = str(run.record.get("slurm_job_id") or "")
        answer = self._book.job(job_id) if job_id else Answer()
        if answer.silent:
            raise NetworkError(
                f"run={run.name} cannot be stopped now: Slurm does not answer ({answer.silent})",
                hint="nothing was done; try again when squeue answers",
            )
        if answer.job is None and _may_be_hidden(run.record):
            raise AccessError(
                f"run={run.name} is a job of another login, which Slurm does not show here",
                hint=f"ask {run.owner}, or an operator of the cluster, to stop it",
            )
        if answer.job and answer.job.state == "SUSPENDED":
            self._wake(job_id)
        if answer.job and _has_node(answer.job):  # scancel takes its time over one that waits
            self._tell(run, slurm.signal_argv(job_id, "CONT"))

    def _wake(self, job_id: str) -> None:
        """Let a suspended job go on, if we may: it could not save."""
        if self._book.run(slurm.resume_argv(job_id)).ok:
            time.sleep(_WAKES_WITHIN_S)  # its node passes on no signal before
            self._book.changed()

    def ask(self, run: Run) -> None:
        """Take it out of the line; if it runs already, let the wrapper save and stop."""
        job = self._job(run)
        if job and job.waits:
            self._tell(run, slurm.cancel_waiting_argv(job.id))
            self._book.changed()
            job = self._job(run)  # it may have begun meanwhile
        if job and _has_node(job):
            self._tell(run, slurm.signal_argv(job.id, "TERM"))
            self._book.changed()

    def computes(self, run: Run) -> bool:
        """Tell whether Slurm still has the job going."""
        job = self._job(run)
        return job is not None and not job.ended

    def kill(self, run: Run) -> None:
        """Cancel the job and wait until Slurm has ended it."""
        job = self._job(run)
        if job:
            self._tell(run, slurm.cancel_argv(job.id))
            self._book.changed()
        deadline = time.monotonic() + _ENDS_WITHIN_S
        while self.computes(run) and time.monotonic() < deadline:
            time.sleep(0.5)

    def close(self, run: Run, by: str) -> None:
        """Record the end of a run whose wrapper could not, because it had not begun or was killed.

        Only what Slurm says is over is touched.
        """
        job = self._job(run)
        record = runfiles.read_json(run.paths.record) or {}
        if record.get("state") not in LIVE or job is None or not job.ended:
            return
        how = "; it did not save in time and was killed" if job.node else " while it waited"
        end = {"state": "stopped", "reason": f"stopped by {by}{how}", "ended_at": time.time()}
        if not job.node:
            end["computed_s"] = durations.computed_s(run)
        runfiles.write_json(run.paths.record, {**record, **end})

    def _tell(self, run: Run, argv: tuple[str, ...]) -> None:
        said = self._book.run(argv)
        if "denied" in said.said.lower():
            raise AccessError(
                f"run={run.name} is a job of another login: {slurm_words.refusal(said.said)}",
                hint=f"ask {run.owner}, or an operator of the cluster, to stop it",
            )

    def _job(self, run: Run) -> SlurmJob | None:
        job_id = run.record.get("slurm_job_id")
        job = self._book.job(str(job_id)).job if job_id else None
        return job if job and job.name == run.session else None


def _may_be_hidden(record: Mapping[str, Any]) -> bool:
    """Whether it is another login's job: clusters may show each only its own (PrivateData)."""
    uid = record.get("slurm_uid")
    return uid is not None and os.getuid() not in (0, uid)


def _has_node(job: SlurmJob) -> bool:
    return not job.waits and not job.ended
