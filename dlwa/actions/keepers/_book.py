"""What Slurm says of jobs, asked as seldom as possible.

One listing answers for all runs of a login; what is not in it, or is over, is asked for once by
itself, for the listing knows no exit codes. A
controller that is down makes every question hang, so each has a timeout, and silence is
remembered for a while.
"""

import os
import time
from dataclasses import dataclass

from dlwa.hosts.base import Completed, Host
from dlwa.shell import Command
from dlwa.tools import slurm
from dlwa.tools.slurm import SlurmJob

ANSWERS_WITHIN_S = 4.0
ASK_EVERY_S = 10.0  # `watch` looks every second; a cluster's controller has other things to do
SILENT_FOR_S = 15.0
HURRY_S = 0.5  # after a change one wants to see what comes of it
_HURRIES_FOR_S = 30.0


@dataclass(frozen=True)
class Answer:
    """What came of asking for a job: the job, nothing, or no word at all."""

    job: SlurmJob | None = None
    silent: str = ""  # why nobody answered


class Book:
    """The jobs as they were last told."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._own: dict[str, SlurmJob] = {}
        self._others: dict[str, tuple[float, Answer]] = {}
        self._silent = ""
        self._good_until = 0.0
        self._hurries_until = 0.0

    def job(self, job_id: str) -> Answer:
        """Return one job."""
        self._look()
        if self._silent:
            return Answer(silent=self._silent)
        own = self._own.get(job_id)
        if own and not own.ended:
            return Answer(own)
        until, answer = self._others.get(job_id, (0.0, Answer()))
        if time.monotonic() > until:
            answer = self._ask_for(job_id)
            answer = answer if answer.job or answer.silent else Answer(own)
            ended = answer.job is not None and answer.job.ended
            until = float("inf") if ended else time.monotonic() + self._good_for_s()
            self._others[job_id] = (until, answer)
        return answer

    def jobs(self) -> list[SlurmJob]:
        """Return the jobs of this login that have not been over for long."""
        self._look()
        return list(self._own.values())

    def changed(self) -> None:
        """Ask anew, and more often for a while: something is about to happen."""
        self._good_until = 0.0
        self._hurries_until = time.monotonic() + _HURRIES_FOR_S
        self._others = {key: kept for key, kept in self._others.items() if kept[0] == float("inf")}

    def run(self, argv: tuple[str, ...], timeout_s: float = ANSWERS_WITHIN_S) -> Completed:
        """Run one of Slurm's programs as every call should be."""
        return self._host.run(Command(argv, slurm.environment(os.environ)), timeout_s)

    def _look(self) -> None:
        if time.monotonic() < self._good_until:
            return
        said = self.run(slurm.own_jobs_argv())
        self._silent = "" if said.ok else (said.said.splitlines() or ["no word"])[-1]
        if said.ok:
            self._own = {job.id: job for job in slurm.parse_jobs(said.out)}
        self._good_until = time.monotonic() + (SILENT_FOR_S if self._silent else self._good_for_s())

    def _good_for_s(self) -> float:
        return HURRY_S if time.monotonic() < self._hurries_until else ASK_EVERY_S

    def _ask_for(self, job_id: str) -> Answer:
        said = self.run(slurm.job_argv(job_id))
        job = slurm.parse_job(said.out)
        if job:
            return Answer(job)
        if "Invalid job id" not in said.said and not said.ok:
            return Answer(silent=(said.said.splitlines() or ["no word"])[-1])
        kept = self.run(slurm.account_argv(job_id))
        return Answer(slurm.parse_account(kept.out, job_id) if kept.ok else None)


_books: dict[str, Book] = {}


def book_of(host: Host) -> Book:
    """The book about the cluster that a host belongs to, one for the whole process."""
    return _books.setdefault(host.name, Book(host))
