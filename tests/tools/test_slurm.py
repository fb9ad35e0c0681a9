"""Slurm's words: what is asked, what real answers (22.05.8) mean, nothing started."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlwa.tools import slurm, slurm_words
from dlwa.tools.slurm import SlurmJob

LISTING = """\
2|CANCELLED|None|2026-11-21T13:45:15|2026-11-21T13:45:34|vm|job.sh
4|PENDING|Dependency|N/A|N/A||job.sh
3|FAILED|BadConstraints|2026-11-21T13:44:40|2026-11-21T13:44:40||job.sh
5|FAILED|NonZeroExitCode|2026-11-21T13:45:34|2026-11-21T13:45:34|vm|wrap
8|PENDING|ReqNodeNotAvail, UnavailableNodes:vm|N/A|N/A||dlwa.a|b.1
1|PENDING|BeginTime|2026-11-21T13:47:16|2026-11-21T13:48:16||dlwa.a.b.1
slurm_load_jobs error: something else
7|RUNNING|None|2026-11-21T13:45:36|2026-11-21T14:45:36|vm|wrap
"""
FAILED = (
    "JobId=5 JobName=dlwa.ann.x.1 UserId=root(0) GroupId=root(0) MCS_label=N/A Priority=4294901758 "
    "Nice=0 Account=(null) QOS=(null) JobState=FAILED Reason=NonZeroExitCode Dependency=(null) "
    "Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=3:0 RunTime=00:00:00 TimeLimit=01:00:00 "
    "TimeMin=N/A SubmitTime=2026-11-21T13:45:34 StartTime=2026-11-21T13:45:34 "
    "EndTime=2026-11-21T13:45:35 Partition=lab ReqNodeList=(null) NodeList=vm BatchHost=vm "
    "TRES=cpu=1,mem=4000M,node=1,billing=1 Command=/tmp/a b/job.sh StdOut=/dev/null Power= "
)
SACCT = """\
1|FAILED|3:0|2026-11-21T13:45:34|2026-11-21T13:45:35|vm|dlwa.ann.x.1
2|CANCELLED by 0|0:15|2026-11-21T13:45:34|2026-11-21T13:45:36|vm|dlwa.ann.y.1
2|OUT_OF_MEMORY|0:125|2026-11-21T13:50:34|2026-11-21T13:51:36|vm|dlwa.ann.y.1
"""


def at(clock: str) -> float:
    return time.mktime(time.strptime(f"2026-11-21 {clock}", "%Y-%m-%d %H:%M:%S"))


def test_every_kind_of_row_is_read() -> None:
    jobs = {job.id: job for job in slurm.parse_jobs(LISTING)}
    assert list(jobs) == ["2", "4", "3", "5", "8", "1", "7"]
    assert jobs["7"] == SlurmJob(
        "7", "RUNNING", "", at("13:45:36"), at("14:45:36"), "vm", "wrap", None
    )
    assert jobs["4"].starts_at is None and jobs["4"].waits and not jobs["4"].node
    assert jobs["2"].ended and jobs["3"].ended and not jobs["7"].ended
    assert jobs["8"].name == "dlwa.a|b.1" and jobs["8"].reason.startswith("ReqNodeNotAvail")


def test_one_job_in_full() -> None:
    job = slurm.parse_job(FAILED)
    assert job is not None
    assert (job.id, job.state, job.exit_code, job.node) == ("5", "FAILED", 3, "vm")
    assert job.name == "dlwa.ann.x.1" and job.ends_at == at("13:45:35")
    assert slurm.parse_job("slurm_load_jobs error: Invalid job id specified") is None


def test_words_in_a_path_are_not_the_job() -> None:
    path = "/x/a JobState=COMPLETED ExitCode=0:0 JobName=other JobId=6"
    job = slurm.parse_job(FAILED.replace("/tmp/a b", path))
    assert job == slurm.parse_job(FAILED) and job is not None and job.state == "FAILED"


def test_accounting_tells_the_last_life_of_a_job() -> None:
    first, second = (slurm.parse_account(SACCT, number) for number in "12")
    assert first and (first.state, first.exit_code) == ("FAILED", 3)
    assert second and (second.state, second.exit_code) == ("OUT_OF_MEMORY", -125)
    assert slurm.parse_account("Slurm accounting storage is disabled\n", "1") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("12\n", "12"), ("12;triton\n", "12"), ("Welcome!\n12\n", "12"), ("", None), ("no\n", None)],
)
def test_the_number_of_a_new_job(text: str, number: str | None) -> None:
    assert slurm.parse_submitted(text) == number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 5400),
        ("1:30", 90),
        ("12:00:00", 43200),
        ("1-12", 129600),
        ("1-00:00:00", 86400),
        ("1-02:30", 95400),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_time_limits_are_read_as_slurm_reads_them(text: str, seconds: float | None) -> None:
    assert slurm.seconds(text) == seconds


@given(st.integers(min_value=0, max_value=10**7))
def test_a_time_limit_never_asks_for_more_than_is_allowed(allowed_s: int) -> None:
    asked_s = slurm.seconds(slurm.limit(allowed_s))
    assert asked_s is not None and asked_s >= 60
    assert asked_s <= max(60, allowed_s) < asked_s + 60


def test_names_are_words_of_their_own_and_options_end_before_them() -> None:
    argv = slurm.submit_argv(
        ("--mem=1G",), "dlwa.a", Path("/x y/log"), Path("/x y/job.sh"), ("--evil", "$(x)")
    )
    assert argv[-4:] == ("/x y/job.sh", "/x y/log", "--evil", "$(x)") and argv[-5] == "--"
    assert argv.index("--mem=1G") < argv.index("--output=/dev/null"), "what dlwa sets wins"


def test_nothing_of_an_outer_job_reaches_slurm() -> None:
    env = slurm.environment({"SLURM_JOB_ID": "1", "SLURM_CONF": "/x", "SBATCH_ACCOUNT": "a"})
    assert env["SLURM_JOB_ID"] is None and env["STY"] is None
    assert "SLURM_CONF" not in env and "SBATCH_ACCOUNT" not in env


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Resources", "what it needs is in use (Resources)"),
        ("Priority", "others are first (Priority)"),
        ("QOSMaxGRESPerUser", "you have as much as your QOS allows (QOSMaxGRESPerUser)"),
        ("QOSMaxJobsPerUserLimit", "you have as much as your QOS allows (QOSMaxJobsPerUserLimit)"),
        ("QOSMaxWallDurationPerJobLimit", "more time than the QOS gives"),
        ("AssocGrpGRESMinutes", "a limit of the account is reached"),
        ("ReqNodeNotAvail, UnavailableNodes:vm", "perhaps for maintenance (ReqNodeNotAvail)"),
        ("Nodes_required_for_job_are_DOWN", "down or reserved"),
        ("Nodes required for job are DOWN, DRAINED or reserved", "nodes it needs are down"),
        ("SomethingNew", "SomethingNew"),
        ("", ""),
    ],
)
def test_why_it_waits_in_plain_words(reason: str, told: str) -> None:
    assert told in slurm_words.why(SlurmJob("1", "PENDING", reason))


def test_when_it_is_expected_to_start() -> None:
    soon = SlurmJob("1", "PENDING", "Priority", starts_at=time.time())
    assert "expected to start at " in slurm_words.why(soon)
    later = SlurmJob("1", "PENDING", "Priority", starts_at=at("13:45:00") + 400 * 86400)
    assert "expected to start on 2027-12-26 at 13:45" in slurm_words.why(later)


@pytest.mark.parametrize("reason", ["JobHeldAdmin", "PartitionDown", "PartitionTimeLimit"])
def test_no_start_is_promised_where_somebody_must_act_first(reason: str) -> None:
    job = SlurmJob("1", "PENDING", reason, starts_at=time.time() + 3600)
    assert "expected" not in slurm_words.why(job)
    past = SlurmJob("1", "PENDING", "Priority", starts_at=time.time() - 3600)
    assert "expected" not in slurm_words.why(past)


@pytest.mark.parametrize(
    ("job", "state", "word"),
    [
        (SlurmJob("1", "TIMEOUT"), "failed", "time was over"),
        (SlurmJob("1", "OUT_OF_MEMORY"), "failed", "memory"),
        (SlurmJob("1", "NODE_FAIL"), "failed", "node failed"),
        (SlurmJob("1", "PREEMPTED"), "stopped", "another job"),
        (SlurmJob("1", "CANCELLED"), "stopped", "scancel"),
        (SlurmJob("1", "COMPLETED"), "lost", "without recording"),
        (SlurmJob("1", "FAILED", "NonZeroExitCode", exit_code=3), "failed", "exit code 3"),
        (SlurmJob("1", "FAILED", "JobLaunchFailure", exit_code=-9), "failed", "JobLaunchFailure"),
    ],
)
def test_how_it_ended_in_plain_words(job: SlurmJob, state: str, word: str) -> None:
    told = slurm_words.ending(job)
    assert told[0] == state and word in told[1]


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        (
            "sbatch: error: invalid partition specified: nope\n"
            "sbatch: error: Batch job submission failed: Invalid partition name specified\n",
            "wrong",
            "invalid partition specified: nope; Invalid partition name specified",
        ),
        (
            "sbatch: error: Batch job submission failed: Requested node configuration is not "
            "available",
            "wrong",
            "Requested node configuration is not available",
        ),
        (
            "sbatch: error: Batch job submission failed: Unable to contact slurm controller "
            "(connect failure)",
            "silent",
            "Unable to contact slurm controller (connect failure)",
        ),
        ("sbatch did not answer within 20 s", "silent", "sbatch did not answer within 20 s"),
        (
            "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: "
            "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
            "limit",
            "AssocMaxSubmitJobLimit; Job violates accounting/QOS policy "
            "(job submit limit, user's size and/or time limits)",
        ),
    ],
)
def test_refusals_are_told_apart(said: str, kind: str, told: str) -> None:
    assert slurm_words.kind_of_refusal(said) == kind
    assert slurm_words.refusal(said) == told
