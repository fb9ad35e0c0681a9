"""Slurm's words for people: why a job waits, how it ended, why it was refused."""

import re
import time

from dlwa.tools.slurm import SlurmJob

_WAITS = {
    "None": "",
    "Resources": "what it needs is in use",
    "Priority": "others are first",
    "Dependency": "it waits for another job to end",
    "DependencyNeverSatisfied": "the job it waits for can no longer end as it should",
    "BeginTime": "Slurm does not let it begin before its time",
    "Reservation": "it waits for its reservation",
    "JobHeldUser": "it is held; scontrol release lets it go",
    "JobHeldAdmin": "it is held by who looks after the cluster",
    "Licenses": "it waits for a licence",
    "NodeDown": "a node it needs is down",
    "ReqNodeNotAvail": "a node it needs is not available, perhaps for maintenance",
    "PartitionDown": "the partition is down",
    "PartitionInactive": "the partition is closed",
    "PartitionNodeLimit": "the partition is too small for what it asks",
    "PartitionTimeLimit": "it asks for more time than the partition gives",
    "BadConstraints": "no node has what it asks for",
    "Cleaning": "Slurm tidies up after its last turn",
    "Prolog": "its node is being made ready",
}
# families of reasons, by how they begin or what they hold
_FAMILIES = (
    (re.compile(r"^QOSMax.*PerUser|^QOSMaxJobs"), "you have as much as your QOS allows"),
    (re.compile(r"^QOS.*Wall"), "it asks for more time than the QOS gives"),
    (re.compile(r"^QOS"), "a limit of the QOS is reached"),
    (re.compile(r"^Assoc.*(Jobs|Submit)"), "the account has as many jobs as it may have"),
    (re.compile(r"^Assoc|^MaxGRES|^MaxMem|^MaxCpu"), "a limit of the account is reached"),
    (re.compile(r"^Nodes.required|^ReqNode"), "nodes it needs are down or reserved"),
)
# whatever time Slurm names with these, nothing begins before somebody does something
_NEVER = re.compile(r"Held|^DependencyNever|^BadConstraints|Down$|Inactive$|^Partition\w+Limit$")
_ENDED = {
    "TIMEOUT": ("failed", "Slurm ended it: its time was over"),
    "OUT_OF_MEMORY": (
        "failed",
        "Slurm ended it: it took more memory than `mem` of the lab file asks for",
    ),
    "NODE_FAIL": ("failed", "its node failed"),
    "BOOT_FAIL": ("failed", "its node could not be started"),
    "PREEMPTED": ("stopped", "Slurm ended it to make room for another job"),
    "DEADLINE": ("failed", "Slurm ended it: its deadline was over"),
    "REVOKED": ("failed", "Slurm gave it to another cluster"),
    "CANCELLED": ("stopped", "it was cancelled in Slurm (scancel)"),
    "COMPLETED": ("lost", "its job ended without recording how"),
}


def why(job: SlurmJob) -> str:
    """Why a job waits, and from when it is expected to run, if Slurm knows."""
    code = job.reason.strip("()").partition(",")[0]
    if code in ("", "None"):
        return ""
    told = _WAITS.get(code) or next((text for key, text in _FAMILIES if key.search(code)), "")
    reason = f"{told} ({code})" if told else code
    if not job.starts_at or job.starts_at < time.time() - 60 or _NEVER.search(code):
        return reason
    return f"{reason}; expected to start {_clock(job.starts_at)}"


def ending(job: SlurmJob) -> tuple[str, str]:
    """How a job ended whose wrapper could not say it: a run's state and the reason."""
    if job.state in _ENDED:
        state, reason = _ENDED[job.state]
        return state, reason
    code = job.exit_code
    how = "" if code is None else f" (signal {-code})" if code < 0 else f" with exit code {code}"
    why_so = f": {job.reason}" if job.reason and job.reason != "NonZeroExitCode" else ""
    return "failed", f"its job failed{how}{why_so}"


def refusal(said: str) -> str:
    """Slurm's own last word on a refused job, without what stands before it."""
    lines = [re.sub(r"^\w+: (error|fatal): ", "", line) for line in said.strip().splitlines()]
    kept = [re.sub(r"^Batch job submission failed: ", "", line).strip() for line in lines]
    return "; ".join(dict.fromkeys(line for line in kept if line))


def kind_of_refusal(said: str) -> str:
    """`silent` (nobody answered), `limit` (one has too many jobs) or `wrong` (it cannot be)."""
    low = said.lower()
    if re.search(r"unable to contact|timed out|did not answer|connection|controller|munge", low):
        return "silent"
    if re.search(r"submit limit|joblimit|job limit|limit.*violat|policy|temporarily", low):
        return "limit"
    return "wrong"


def _clock(moment: float | None) -> str:
    local = time.localtime(moment)
    today = time.localtime()[:3] == local[:3]
    return time.strftime("at %H:%M" if today else "on %Y-%m-%d at %H:%M", local)
