"""A run as a Slurm job: what is asked for, and what a refusal means."""

from contextlib import suppress

from dlwa.actions._job import Job
from dlwa.errors import BusyError, DlwaError, NetworkError, UsageError
from dlwa.labs import Limits, SlurmOptions
from dlwa.tools import slurm, slurm_words
from dlwa.workspace import RunPaths

_WARNED_S = 120  # how long before its time is over a run is told, at most
_WARNED_PART = 4  # of a short time limit, one part in so many


def options_of(job: Job, asked: SlurmOptions, limits: Limits) -> tuple[str, ...]:
    """The options of sbatch for a run in a lab."""
    time_s = time_limit_s(asked, limits)
    named = {
        "partition": asked.partition,
        "account": asked.account,
        "qos": asked.qos,
        "constraint": asked.constraint,
        "mem": asked.mem,
        "cpus-per-task": asked.cpus_per_task,
        "gres": _gres(job, asked, limits),
        "time": slurm.limit(time_s) if time_s else None,
    }
    given = [f"--{name}={value}" for name, value in named.items() if value is not None]
    warning = f"--signal=B:{slurm.TIME_IS_UP}@{warning_s(asked, limits)}"
    again = "--requeue" if requeues(job, asked) else "--no-requeue"
    return (*given, warning, again, *asked.options)


def time_limit_s(asked: SlurmOptions, limits: Limits) -> float | None:
    """How long one job may take, in seconds: the shorter of the lab's two limits."""
    hours = limits.hours_per_run
    known = [slurm.seconds(asked.time) if asked.time else None, hours * 3600 if hours else None]
    return min((limit for limit in known if limit), default=None)


def warning_s(asked: SlurmOptions, limits: Limits) -> int:
    """How many seconds before the end a run is told to save."""
    time_s = time_limit_s(asked, limits)
    return _WARNED_S if time_s is None else int(min(_WARNED_S, max(10, time_s / _WARNED_PART)))


def requeues(job: Job, asked: SlurmOptions) -> int:
    """How often a job is put back into the line; never what could not go on where it was."""
    return asked.requeues if job.goes_on else 0


def note(job: Job, run_id: str, number: str) -> None:
    """Begin the run's log, so that it can be followed before the job has a node.

    The job itself writes there only once its number is recorded.
    """
    text = f"=== dlwa: run {run_id}: {job.name} stands in line as Slurm job {number}\n"
    with suppress(OSError), RunPaths(job.folder, job.kind).log.open("a", encoding="utf-8") as log:
        log.write(text)


def refused(job: Job, said: str, code: int) -> DlwaError:
    """The error for a job that Slurm did not take."""
    told = slurm_words.refusal(said) or f"sbatch ended with exit code {code}"
    message = f"{job.kind} of {job.name} was not submitted. Slurm says: {told}"
    kind = slurm_words.kind_of_refusal(said)
    if kind == "silent":
        return NetworkError(message, "Slurm's controller does not answer; try again later: sinfo")
    if kind == "limit":
        return BusyError(message, "wait until one of your jobs has ended: squeue --me")
    return UsageError(
        message, "mend `slurm` or `limits` in labs/local.yaml; sinfo lists partitions and GPUs"
    )


def _gres(job: Job, asked: SlurmOptions, limits: Limits) -> str | None:
    count = job.gpus_in(limits.gpus_per_run)
    return f"{asked.gres}:{count}" if count else None
