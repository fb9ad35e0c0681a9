"""Slurm: how it is asked and what it answers. Starts nothing.

Written against Slurm 22.05; every call may hang while the controller is down, so whoever runs
them sets a timeout.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# A fixed script whose arguments are a log and the command: nothing has to be quoted for a shell,
# and the program is the batch step itself, so signals for the batch step reach it. Slurm's own
# --output would replace %j and the like, and take out backslashes, in the names of folders too.
SCRIPT = """\
#!/bin/sh
exec >>"$1" 2>&1
shift
exec "$@"
"""
TIME_IS_UP = "USR1"

WAITING = frozenset({"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD"})
_ENDED = """
BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT"""
ENDED = frozenset(_ENDED.split())

_COLUMNS = "%A|%T|%r|%S|%e|%N|%j"  # the name comes last: it could hold anything
_SACCT = "JobIDRaw,State,ExitCode,Start,End,NodeList,JobName"
_SPAN = re.compile(r"^(?:(\d+)-)?(\d+)(?::(\d\d))?(?::(\d\d))?$")


@dataclass(frozen=True)
class SlurmJob:
    """One job as Slurm tells it; times in seconds since 1970, None where it does not say."""

    id: str
    state: str
    reason: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    node: str = ""
    name: str = ""
    exit_code: int | None = None
    restarts: int = 0

    @property
    def waits(self) -> bool:
        """Whether it stands in Slurm's line."""
        return self.state in WAITING

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state in ENDED


def environment(known: Mapping[str, str]) -> dict[str, str | None]:
    """What to set for every call: nothing of a job or session dlwa itself was called in."""
    kept = ("SLURM_CONF", "SLURM_CLUSTERS", "SLURM_TIME_FORMAT")
    gone = {name: None for name in known if name.startswith("SLURM_") and name not in kept}
    return {**gone, "STY": None, "WINDOW": None, "SLURM_TIME_FORMAT": "standard"}


def submit_argv(
    options: Sequence[str], name: str, log: Path, script: Path, words: Sequence[str]
) -> tuple[str, ...]:
    """Submit a command as a job. It answers with the job's number."""
    fixed = (f"--job-name={name}", "--chdir=/", "--output=/dev/null", "--export=ALL")
    return ("sbatch", "--parsable", *options, *fixed, "--", str(script), str(log), *words)


def own_jobs_argv() -> tuple[str, ...]:
    """List the jobs of this login, also those that ended some minutes ago."""
    return ("squeue", "--me", "-h", "-t", "all", "-o", _COLUMNS)


def job_argv(job_id: str) -> tuple[str, ...]:
    """Describe one job, whoever's it is, until Slurm forgets it some minutes after its end."""
    return ("scontrol", "-o", "show", "job", job_id)


def account_argv(job_id: str) -> tuple[str, ...]:
    """Ask the accounting, where there is one, for a job that ended long ago."""
    return ("sacct", "-X", "-n", "-P", "-j", job_id, "-o", _SACCT)


def cancel_waiting_argv(job_id: str) -> tuple[str, ...]:
    """Take a job out of the line; one that has begun is left alone."""
    return ("scancel", "--state=PENDING", job_id)


def signal_argv(job_id: str, name: str) -> tuple[str, ...]:
    """Send a signal to the program that was submitted, and to nothing else of the job."""
    return ("scancel", f"--signal={name}", "--batch", job_id)


def cancel_argv(job_id: str) -> tuple[str, ...]:
    """End a job: SIGTERM to all of it, SIGKILL soon after."""
    return ("scancel", job_id)


def requeue_argv(job_id: str) -> tuple[str, ...]:
    """Put a running job back into the line; it is ended for that."""
    return ("scontrol", "requeue", job_id)


def resume_argv(job_id: str) -> tuple[str, ...]:
    """Let a job go on that was suspended; only operators of the cluster may."""
    return ("scontrol", "resume", job_id)


def attach_argv(job_id: str, words: Sequence[str]) -> tuple[str, ...]:
    """Run something beside a job on its node, on this terminal, with what the job has."""
    return ("srun", f"--jobid={job_id}", "--quiet", "--overlap", "--pty", "--", *words)


def parse_submitted(text: str) -> str | None:
    """The job's number in the answer of `sbatch --parsable`: "12" or "12;cluster"."""
    last = text.strip().splitlines()[-1:] or [""]
    number = last[0].partition(";")[0].strip()
    return number if number.isdigit() else None


def parse_jobs(text: str) -> list[SlurmJob]:
    """The jobs in a listing of squeue; rows that are none are passed over."""
    jobs = []
    for line in text.splitlines():
        row = line.split("|", 6)
        if len(row) == 7 and row[0].isdigit():
            number, state, reason, start, end, node, name = row
            said = "" if reason == "None" else reason
            jobs.append(
                SlurmJob(number, state.upper(), said, moment(start), moment(end), node, name)
            )
    return jobs


def parse_job(text: str) -> SlurmJob | None:
    """The job in the answer to `job_argv`; None if it describes none."""
    # the first counts: what comes last are paths, which hold any words
    values = dict(reversed(re.findall(r"(?:^|\s)(\w+)=(\S*)", text)))
    if "JobId" not in values or "JobState" not in values:
        return None
    reason = values.get("Reason", "None")
    return SlurmJob(
        values["JobId"],
        values["JobState"],
        "" if reason == "None" else reason,
        moment(values.get("StartTime", "")),
        moment(values.get("EndTime", "")),
        values.get("NodeList", "").replace("(null)", ""),
        values.get("JobName", ""),
        _exit_code(values.get("ExitCode", "")),
        int(values.get("Restarts", "0")),
    )


def parse_account(text: str, job_id: str) -> SlurmJob | None:
    """The job in an answer of sacct, its last life if it was requeued; None if it knows none."""
    found = None
    for line in text.splitlines():
        row = line.split("|", 6)
        if len(row) == 7 and row[0] == job_id:
            number, state, code, start, end, node, name = row
            word = state.partition(" ")[0].rstrip("+")  # "CANCELLED by 1000"
            found = SlurmJob(
                number, word, "", moment(start), moment(end), node, name, _exit_code(code)
            )
    return found


def moment(text: str) -> float | None:
    """A time as Slurm writes it, `2026-11-21T13:45:42` on this machine's clock; None for N/A."""
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return None


def seconds(text: str) -> float | None:
    """A time limit as Slurm takes it: 90 (min), 90:00, 12:00:00, 1-12 (d-h); None if it is none."""
    found = _SPAN.match(text)
    if not found:
        return None
    days, first, second, third = found.groups()
    numbers = [int(first), int(second or 0), int(third or 0)]
    if days is not None or third is not None:
        hours, minutes, rest = numbers
    else:
        hours, (minutes, rest) = 0, numbers[:2]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60.0 + rest


def limit(seconds_allowed: float) -> str:
    """A time limit for Slurm, which counts in whole minutes."""
    minutes = max(1, int(seconds_allowed // 60))
    return f"{minutes // 1440}-{minutes // 60 % 24:02d}:{minutes % 60:02d}:00"


def _exit_code(text: str) -> int | None:
    """ "3:0" is exit code 3, "0:15" the signal 15."""
    code, _, signum = text.partition(":")
    if not (code.isdigit() and signum.isdigit()):
        return None
    return -int(signum) if int(signum) else int(code)
