"""How runs in Slurm stand, by what a scripted Slurm says; test_slurm.py has a real one."""

import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from dlwa import runfiles
from dlwa.actions import keepers, stopping
from dlwa.actions.keepers import _book, _submission
from dlwa.actions.launch import Job, refuse_if_live
from dlwa.actions.runs import Run, all_runs, find_run, read_run
from dlwa.errors import AccessError, BusyError, NetworkError, UsageError
from dlwa.hosts.base import Completed
from dlwa.hosts.local import LocalHost
from dlwa.labs import Limits, SlurmOptions
from dlwa.shell import Command
from dlwa.workspace import Workspace
from tests.made_runs import make_run

_numbers = itertools.count()
SESSION = "dlwa.ann.violin.0badcafe"
GONE = Completed(1, "", "slurm_load_jobs error: Invalid job id specified")
NO_ACCOUNTS = Completed(1, "", "Slurm accounting storage is disabled")


class Cluster(LocalHost):
    """A login node whose Slurm says what it was told to say."""

    def __init__(self, listing: str = "", **answers: Completed) -> None:
        self.name = f"login{next(_numbers)}"
        self.answers = {
            "squeue": Completed(0, listing),
            "scontrol": GONE,
            "sacct": NO_ACCOUNTS,
            **answers,
        }
        self.asked: list[str] = []

    def run(self, command: Command, timeout_s: float = 20.0) -> Completed:
        assert timeout_s <= 20, "squeue may hang for ever"
        self.asked.append(command.argv[0])
        return self.answers[command.argv[0]]


def row(state: str, reason: str = "None", **more: str) -> str:
    values = {"start": "N/A", "end": "N/A", "node": "", "name": SESSION, **more}
    return "|".join(["12", state, reason, *(values[k] for k in ("start", "end", "node", "name"))])


def in_slurm(root: Path, name: str = "ann/violin", state: str = "running", **more: Any) -> Path:
    record = {"keeper": "slurm", "slurm_job_id": "12", "host": "gpu7", **more}
    return make_run(root, name, state, **record)


def run_of(folder: Path, cluster: Cluster, stalled_after_s: float = 600) -> Run:
    run = read_run(folder, cluster, stalled_after_s)
    assert run is not None
    return run


def test_it_runs_on_a_machine_that_cannot_be_looked_at(tmp_path: Path) -> None:
    folder = in_slurm(tmp_path, boot_id="of gpu7", pid=1, pid_start=1)
    run = run_of(folder, Cluster(row("RUNNING", node="gpu7")))
    assert (run.state, run.reason) == ("running", "")


def test_one_listing_serves_all_runs(tmp_path: Path) -> None:
    for number in range(5):
        in_slurm(tmp_path, f"ann/v{number}")
    cluster = Cluster(row("RUNNING"))
    for _ in range(3):
        assert [run.state for run in all_runs(Workspace(tmp_path), cluster)] == ["running"] * 5
    assert cluster.asked == ["squeue"]


def test_runs_that_have_ended_ask_nobody(tmp_path: Path) -> None:
    cluster = Cluster()
    assert run_of(in_slurm(tmp_path, state="finished"), cluster).state == "finished"
    assert cluster.asked == []


@pytest.mark.parametrize(
    "silence",
    [
        Completed(124, "", "squeue did not answer within 4 s"),
        Completed(127, "", "squeue: No such file or directory"),
        Completed(1, "", "slurm_load_jobs error: Unable to contact slurm controller"),
    ],
)
def test_no_word_is_not_the_end(tmp_path: Path, silence: Completed) -> None:
    cluster = Cluster(squeue=silence)
    run = run_of(in_slurm(tmp_path), cluster)
    assert run.state == "unknown" and run.live
    assert silence.err in run.reason and "last known: running, wrote 0 s ago" in run.reason
    run_of(in_slurm(tmp_path, "ann/other"), cluster)
    assert cluster.asked == ["squeue"], "silence is not asked for again at once"


def test_silence_about_one_job_is_not_its_end_either(tmp_path: Path) -> None:
    cluster = Cluster(scontrol=Completed(124, "", "scontrol did not answer within 4 s"))
    assert run_of(in_slurm(tmp_path), cluster).state == "unknown"


@pytest.mark.parametrize(
    ("listing", "state", "told"),
    [
        (row("PENDING", "Priority"), "queued", "others are first (Priority)"),
        (row("PENDING", "None"), "queued", ""),
        (row("REQUEUE_HOLD", "JobHeldUser"), "queued", "scontrol release"),
        (row("CONFIGURING", node="gpu7"), "running", ""),
        (row("COMPLETING", node="gpu7"), "running", ""),
        (row("SUSPENDED", node="gpu7"), "stalled", "Slurm has halted it"),
    ],
)
def test_slurm_has_the_word_on_the_job(tmp_path: Path, listing: str, state: str, told: str) -> None:
    run = run_of(in_slurm(tmp_path), Cluster(listing))
    assert run.state == state and told in run.reason


def test_a_node_that_is_made_ready_is_told(tmp_path: Path) -> None:
    folder = in_slurm(tmp_path, state="queued")
    run = run_of(folder, Cluster(row("CONFIGURING", node="gpu7")))
    assert (run.state, run.reason) == ("starting", "Slurm makes gpu7 ready")


def test_the_turn_is_told(tmp_path: Path) -> None:
    folder = in_slurm(tmp_path, turns=[{}, {}])
    assert run_of(folder, Cluster(row("PENDING", "BeginTime"))).reason.endswith("; turn 3")


def test_a_long_silence_of_the_job_is_a_stall(tmp_path: Path) -> None:
    folder = in_slurm(tmp_path)
    assert run_of(folder, Cluster(row("RUNNING")), stalled_after_s=-1).state == "stalled"


@pytest.mark.parametrize(
    ("word", "state", "told"),
    [
        ("TIMEOUT", "failed", "time was over"),
        ("OUT_OF_MEMORY", "failed", "`mem` of the lab file"),
        ("NODE_FAIL", "failed", "its node failed"),
        ("CANCELLED", "stopped", "scancel"),
        ("COMPLETED", "lost", "without recording"),
    ],
)
def test_an_end_without_a_word(tmp_path: Path, word: str, state: str, told: str) -> None:
    folder = in_slurm(tmp_path)
    run = run_of(folder, Cluster(row(word, node="gpu7")))
    assert run.state == state and told in run.reason
    runfiles.report_event(folder, "stopped", step=7)
    assert "saved at step 7" in run_of(folder, Cluster(row(word, node="gpu7"))).reason


def test_exit_codes_come_from_the_job_itself_and_are_asked_for_once(tmp_path: Path) -> None:
    told = f"JobId=12 JobName={SESSION} JobState=FAILED Reason=NonZeroExitCode ExitCode=3:0"
    cluster = Cluster(row("FAILED", "NonZeroExitCode"), scontrol=Completed(0, told))
    for _ in range(3):
        run = run_of(in_slurm(tmp_path), cluster)
        assert (run.state, run.reason) == ("failed", "its job failed with exit code 3")
    assert cluster.asked == ["squeue", "scontrol"]


def test_what_was_printed_before_the_wrapper_came_up_is_told(tmp_path: Path) -> None:
    folder = in_slurm(tmp_path, state="queued", pid=None, pid_start=None)
    (folder / "dlwa_slurm.log").write_text("/x/python: No such file or directory\n")
    told = f"JobId=12 JobName={SESSION} JobState=FAILED Reason=NonZeroExitCode ExitCode=127:0"
    run = run_of(folder, Cluster(scontrol=Completed(0, told)))
    assert run.reason.endswith("with exit code 127; /x/python: No such file or directory")


def test_accounts_know_what_slurm_has_forgotten(tmp_path: Path) -> None:
    kept = Completed(0, f"12|OUT_OF_MEMORY|0:125|N/A|N/A|gpu7|{SESSION}\n")
    run = run_of(in_slurm(tmp_path), Cluster(sacct=kept))
    assert run.state == "failed" and "memory" in run.reason


def test_a_job_nobody_knows_is_lost(tmp_path: Path) -> None:
    run = run_of(in_slurm(tmp_path), Cluster())
    assert (run.state, run.reason) == (
        "lost",
        "Slurm no longer knows its job 12, which was running",
    )


@pytest.fixture
def another_login(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a record says whose job this login does not see (PrivateData=jobs)."""
    monkeypatch.setattr("os.getuid", lambda: 1001)
    return {"slurm_uid": 1000}


def test_a_job_that_slurm_hides_is_not_lost(tmp_path: Path, another_login: dict) -> None:
    folder = in_slurm(tmp_path, **another_login)
    run = run_of(folder, Cluster())
    assert run.state == "unknown" and "nothing of job 12; last known: running" in run.reason
    with pytest.raises(BusyError, match="unknown"):
        refuse_if_live(folder, Cluster())
    silent = run_of(folder, Cluster(), stalled_after_s=-1)
    assert silent.state == "stalled" and silent.live
    waits = run_of(in_slurm(tmp_path, state="queued", **another_login), Cluster(), -1)
    assert waits.state == "unknown" and waits.live


def test_hidden_jobs_are_told_from_those_that_are_gone(tmp_path: Path, another_login: dict) -> None:
    mine = in_slurm(tmp_path, "ann/mine", slurm_uid=1001)
    assert run_of(mine, Cluster()).state == "lost"
    folder = in_slurm(tmp_path, **another_login)
    assert run_of(folder, Cluster(row("RUNNING", name="somebody's"))).state == "lost"
    kept = Completed(0, f"12|OUT_OF_MEMORY|0:125|N/A|N/A|gpu7|{SESSION}\n")
    assert run_of(folder, Cluster(sacct=kept)).state == "failed"
    assert run_of(in_slurm(tmp_path, state="finished"), Cluster()).state == "finished"


def test_a_job_records_whose_it_is(tmp_path: Path, another_login: dict) -> None:
    job = Job("train", "ann", "ann/violin", tmp_path, ("python",))
    reserved = keepers.of({"keeper": "slurm"}, Cluster()).reserve(job, "0badcafe")
    assert reserved["slurm_uid"] == 1001


def test_a_hidden_job_cannot_be_stopped_from_here(tmp_path: Path, another_login: dict) -> None:
    run = run_of(in_slurm(tmp_path, **another_login), Cluster())
    with pytest.raises(AccessError, match="does not show here") as caught:
        stopping.stop(run, Cluster(), "ben", grace_s=0)
    assert "ask ann" in caught.value.hint and not run.paths.stop_request.exists()


def test_a_number_used_again_is_not_ours(tmp_path: Path) -> None:
    run = run_of(in_slurm(tmp_path), Cluster(row("RUNNING", name="somebody's")))
    assert run.state == "lost"


def test_an_end_this_moment_waits_for_the_record(tmp_path: Path) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%S")
    folder = in_slurm(tmp_path)
    cluster = Cluster(row("COMPLETED", end=now))
    assert run_of(folder, cluster).state == "running"
    in_slurm(tmp_path, state="finished")
    assert run_of(folder, cluster).state == "finished"


def test_a_submission_that_broke_is_not_queued_for_ever(tmp_path: Path) -> None:
    young = in_slurm(tmp_path, state="queued", slurm_job_id=None, created_at=time.time())
    assert run_of(young, Cluster()).state == "queued"
    old = in_slurm(tmp_path, state="queued", slurm_job_id=None)
    assert run_of(old, Cluster()).state == "lost"


def test_the_lab_file_of_the_workspace_says_who_keeps_runs(tmp_path: Path) -> None:
    workspace, host = Workspace(tmp_path), Cluster()
    assert keepers.here(workspace, host).name == "screen"
    workspace.labs.mkdir()
    (workspace.labs / "local.yaml").write_text("scheduler: slurm\nslurm: {partition: gpu}\n")
    assert keepers.here(workspace, host).name == "slurm"
    (workspace.labs / "local.yaml").write_text("scheduler: slurm\nslurm: {partitions: gpu}\n")
    with pytest.raises(UsageError, match="partitions"):
        keepers.here(workspace, host)


def test_a_run_is_found_by_the_number_of_its_job(tmp_path: Path) -> None:
    run = run_of(in_slurm(tmp_path), Cluster(row("RUNNING")))
    assert find_run([run], "12") is run and run.place == f"session {SESSION}"


def test_after_a_change_it_is_asked_anew(tmp_path: Path) -> None:
    folder, cluster = in_slurm(tmp_path), Cluster(row("RUNNING"))
    run_of(folder, cluster)
    _book.book_of(cluster).changed()
    run_of(folder, cluster)
    assert cluster.asked == ["squeue", "squeue"]


@pytest.mark.parametrize("state", ["RUNNING", "PENDING"])
def test_the_job_of_another_login_is_refused_before_anything(tmp_path: Path, state: str) -> None:
    said = "scancel: error: Kill job error on job id 12: Access/permission denied"
    described = f"JobId=12 JobName={SESSION} JobState={state}"
    cluster = Cluster(scontrol=Completed(0, described), scancel=Completed(1, "", said))
    run = run_of(in_slurm(tmp_path), cluster)
    with pytest.raises(AccessError, match="another login") as caught:
        stopping.stop(run, cluster, "ben")
    assert "ask ann" in caught.value.hint
    assert not run.paths.stop_request.exists()


def test_nothing_is_asked_of_a_slurm_that_does_not_answer(tmp_path: Path) -> None:
    cluster = Cluster(squeue=Completed(124, "", "squeue did not answer within 4 s"))
    run = run_of(in_slurm(tmp_path), cluster)
    with pytest.raises(NetworkError, match="cannot be stopped now"):
        stopping.stop(run, cluster, "ann")
    assert set(cluster.asked) == {"squeue"} and not run.paths.stop_request.exists()
    with pytest.raises(NetworkError, match="cannot be looked into now"):
        keepers.of(run.record, cluster).attach(run)


@pytest.mark.parametrize(
    ("node", "reason"),
    [("", "stopped by ann while it waited"), ("gpu7", "it did not save in time and was killed")],
)
def test_the_end_is_recorded_where_no_wrapper_could(tmp_path: Path, node: str, reason: str) -> None:
    turns = [{"computed_s": 60.0, "gpus": 1}]
    folder = in_slurm(tmp_path, state="queued", turns=turns, gpu_uuids=[])
    run = run_of(folder, Cluster(row("CANCELLED", node=node)))
    keepers.of(run.record, Cluster(row("CANCELLED", node=node))).close(run, "ann")
    record = runfiles.read_json(folder / "run.json") or {}
    assert record["state"] == "stopped" and reason in record["reason"]
    if not node:
        assert record["computed_s"] == 60.0


def test_a_living_job_is_not_recorded_as_ended(tmp_path: Path) -> None:
    folder = in_slurm(tmp_path)
    before = (folder / "run.json").read_bytes()
    run = run_of(folder, Cluster(row("RUNNING")))
    keepers.of(run.record, Cluster(row("RUNNING"))).close(run, "ann")
    assert (folder / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("devices", "gpus", "allowed", "asked"),
    [
        ("auto", 2, 2, "--gres=gpu:a100:2"),
        ("auto", 1, 0, None),
        ("gpu", 1, 0, "--gres=gpu:a100:1"),
        ("gpu", 0, 1, None),
        ("cpu", 1, 1, None),
        ("none", 1, 1, None),
    ],
)
def test_gpus_are_asked_for_only_where_they_are_wanted(
    devices: Any, gpus: int, allowed: int, asked: str | None
) -> None:
    job = Job("train", "ann", "ann/v", Path("/x"), ("true",), devices=devices, gpus=gpus)
    given = _submission.options_of(job, SlurmOptions(gres="gpu:a100"), Limits(gpus_per_run=allowed))
    assert next((word for word in given if word.startswith("--gres")), None) == asked


@pytest.mark.parametrize(
    ("time_limit", "hours", "asked", "warned_s"),
    [
        ("12:00:00", None, "--time=0-12:00:00", 120),
        ("12:00:00", 2.0, "--time=0-02:00:00", 120),
        (None, 48.0, "--time=2-00:00:00", 120),
        (None, 1 / 60, "--time=0-00:01:00", 15),
        (None, None, None, 120),
    ],
)
def test_the_shorter_limit_holds_and_the_warning_leaves_time(
    time_limit: str | None, hours: float | None, asked: str | None, warned_s: int
) -> None:
    job = Job("train", "ann", "ann/v", Path("/x"), ("true",))
    given = _submission.options_of(job, SlurmOptions(time=time_limit), Limits(hours_per_run=hours))
    assert next((word for word in given if word.startswith("--time")), None) == asked
    assert f"--signal=B:USR1@{warned_s}" in given and "--requeue" in given
    other = Job("make-dataset", "ann", "ann/v", Path("/x"), ("true",))
    assert "--no-requeue" in _submission.options_of(other, SlurmOptions(), Limits())
