"""A lab with Slurm: a real one, of one node with two GPUs, in a folder whose name is hostile."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from dlwa import runfiles
from dlwa.actions import followed, stopping
from dlwa.actions.keepers import _book, _slurm
from dlwa.actions.lab.install import local_lab_file
from dlwa.actions.runs import Run
from dlwa.errors import DlwaError, ExitCode, NetworkError, UsageError
from dlwa.labs import Limits, read_lab
from tests.integration import lab as lab_module
from tests.integration.far_lab import FarLab
from tests.integration.lab import wait_for
from tests.integration.slurm_lab import Slurm, SlurmLab, needs_slurm
from tests.integration.sshd import needs_sshd

pytestmark = [pytest.mark.integration, needs_slurm]

HOSTILE = "l b %j%% $(touch pwned) `touch pwned` ;touch pwned 'q\" \\n"
FOREVER = "import time\nprint('here', 'I am', flush=True)\nwhile True: time.sleep(1)"
SHOWS_GPUS = "import os\nprint('GPUs', os.environ['CUDA_VISIBLE_DEVICES'], flush=True)\n" + FOREVER


PROJECT = Path(__file__).resolve().parents[2]
SMALL = (
    "--gin_file=models/debug_instrument.gin",
    "--gin_param=batch_size=1",
    "--gin_param=train_util.train.num_steps=1000000",
    "--gin_param=train_util.train.steps_per_save=100000",
)


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    """A Slurm that is ended whatever happens."""
    cluster = Slurm()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def trained(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a real training that has a minute; it goes on while other tests do."""
    root = tmp_path_factory.mktemp("training") / "l b"
    data = root / "datasets" / "ddsp" / "ann" / "tones"
    makes = (
        "import sys; from tests.ddsp.training import small_run as s; s.write_dataset(sys.argv[1])"
    )
    limits = {"gpus_per_run": 0, "hours_per_run": 1 / 60}
    (root / "labs").mkdir(parents=True)
    # nobody makes it give way in the partition that comes first
    lab = {"scheduler": "slurm", "slurm": {"partition": "first"}, "limits": limits}
    (root / "labs" / "local.yaml").write_text(json.dumps(lab))
    words = ("--dataset_name", "ann/tones", "--model_name", "ann/real", "--cpu", "--", *SMALL)
    train = ("-m", "dlwa.cli", "--root", str(root), "ddsp", "train", *words)
    for argv in (("-c", makes, str(data)), train):
        env = {**slurm.env, "DLWA_OWNER": "ann", "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(
            [sys.executable, *argv], env=env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def lab(slurm: Slurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlurmLab]:
    """A workspace of that cluster."""
    monkeypatch.setenv("SLURM_CONF", str(slurm.conf))
    monkeypatch.setattr(_book, "ASK_EVERY_S", 0.2)
    monkeypatch.setattr(_book, "_books", {})
    root = tmp_path / HOSTILE
    (root / ".dlwa").mkdir(parents=True)
    opened = SlurmLab(root, slurm, monkeypatch)
    opened.configure()
    try:
        yield opened
    finally:
        opened.close()


def gpus_in(log: str) -> str:
    (line,) = (line for line in log.splitlines() if line.startswith("GPUs"))
    return line


def test_a_real_training_begins(trained: Path) -> None:
    """First, so that its minute passes while the others run; the last test tells its end."""
    record = runfiles.read_json(trained / "models" / "ddsp" / "ann" / "real" / "run.json")
    assert record is not None and record["place"].startswith("Slurm job")


def test_two_get_different_gpus_and_the_third_is_told_why_it_waits(lab: SlurmLab) -> None:
    first, second, third = (
        lab.start(SHOWS_GPUS, f"ann/{name}", devices="gpu", gpus=1) for name in "abc"
    )
    for run in (first, second):
        lab.until(run, lambda now: "here I am" in lab.log(now))
    assert {gpus_in(lab.log(run)) for run in (first, second)} == {"GPUs 0", "GPUs 1"}
    held = [lab.again(run).record["gpu_uuids"] for run in (first, second)]
    assert held[0] != held[1] and len(held[0]) == len(held[1]) == 1

    third = lab.until(third, lambda now: "Resources" in now.reason or "Priority" in now.reason)
    assert third.state == "queued" and third.record["slurm_job_id"]
    shown = lab.dlwa("status")
    assert "in use (Resources)" in " ".join(shown.stdout.split()), shown.stdout + shown.stderr
    listed = lab.dlwa("util", "screen-list")
    for run in (first, second, third):
        assert any(run.record["slurm_job_id"] in line for line in listed.stdout.splitlines())

    stopped = lab.dlwa("stop", "ann/c")
    assert stopped.returncode == 0 and "while it waited" in stopped.stderr
    assert lab.again(third).state == "stopped" and lab.state(third) == "CANCELLED"
    told = f"=== dlwa: run {third.id}: ann/c stands in line as Slurm job "
    assert lab.log(third) == f"{told}{third.record['slurm_job_id']}\n", "it never ran"
    assert lab.again(first).state == lab.again(second).state == "running"


def test_a_run_without_gpus_asks_for_none(lab: SlurmLab) -> None:
    run = lab.start(SHOWS_GPUS, devices="cpu")
    lab.until(run, lambda now: "here I am" in lab.log(now))
    assert gpus_in(lab.log(run)).split() == ["GPUs"]
    told = lab.slurm.ask("scontrol", "-o", "show", "job", run.record["slurm_job_id"])
    assert "gres" not in told


def test_stop_saves_and_does_not_begin_again(lab: SlurmLab) -> None:
    run = lab.until_steps(lab.train("ann/violin"))
    stopped = lab.dlwa("stop", "violin")
    assert stopped.returncode == 0, stopped.stderr
    run = lab.again(run)
    assert run.state == "stopped" and run.reason.startswith("stopped by ann; saved at step")
    wait_for(lambda: lab.state(run) == "COMPLETED", lambda: lab.state(run))
    (saved,) = run.paths.folder.glob("ckpt-*.index")
    again = lab.until_steps(lab.train("ann/violin"))
    first = next(iter(runfiles.read_lines(again.paths.metrics, first_byte(again))))
    assert first["step"] == int(saved.stem.partition("-")[2]) + 1
    assert again.record["slurm_job_id"] != run.record["slurm_job_id"]


def test_stop_lets_also_a_suspended_run_save(lab: SlurmLab) -> None:
    run = lab.until_steps(lab.train("ann/violin"))
    lab.slurm.ask("scontrol", "suspend", run.record["slurm_job_id"])
    lab.until(run, lambda now: (now.state, now.reason) == ("stalled", "Slurm has halted it"))
    stopped = stopping.stop(run, lab.host, "ann", grace_s=20)
    assert stopped.reason.startswith("stopped by ann; saved at step")
    wait_for(lambda: lab.state(run) == "COMPLETED", lambda: lab.state(run))  # not cancelled


def first_byte(run: Run) -> int:
    return int(run.record["begins_at"]["metrics.jsonl"])


def test_when_its_time_is_up_it_saves_and_goes_on_in_another_turn(lab: SlurmLab) -> None:
    lab.configure(slurm={"requeues": 1})
    run = lab.until_steps(lab.train("ann/violin"))
    job = run.record["slurm_job_id"]
    lab.slurm.ask("scancel", "--signal=USR1", "--batch", job)  # as Slurm does before the limit
    run = lab.until(run, lambda now: now.state == "queued" and "turn 2" in now.reason)
    (turn,) = run.record["turns"]
    saved = int(turn["ended"].rpartition(" ")[2])
    assert "nearly over; saved at step" in turn["ended"] and turn["computed_s"] > 0
    lab.until(run, lambda now: "(BeginTime)" in now.reason and "turn 2" in now.reason)
    assert "BeginTime" in lab.dlwa("status").stdout

    lab.begin_now(run)
    run = lab.until_steps(run)
    assert run.record["slurm_job_id"] == job and run.record["slurm_restarts"] == 1
    first = next(iter(runfiles.read_lines(run.paths.metrics, first_byte(run))))
    assert first["step"] == saved + 1
    assert not run.paths.history.exists(), "it is one run"

    lab.slurm.ask("scancel", "--signal=USR1", "--batch", job)
    run = lab.ended(run)
    assert run.state == "stopped" and "nearly over" in run.reason, "one more turn was allowed"
    assert "which is the limit" in lab.log(run)
    assert run.record["computed_s"] > turn["computed_s"]


def test_who_makes_room_for_others_saves_and_goes_on_later(lab: SlurmLab) -> None:
    lab.configure(limits={"gpus_per_run": 2})
    run = lab.until_steps(lab.train("ann/violin"))
    job = run.record["slurm_job_id"]
    first = ("--partition=first", "--gres=gpu:2", "--output=/dev/null", "--wrap", "sleep 300")
    other = lab.slurm.ask("sbatch", "--parsable", *first)
    try:
        run = lab.until(run, lambda now: now.state == "queued" and "turn 2" in now.reason)
    finally:
        lab.slurm.ask("scancel", other)
    (turn,) = run.record["turns"]
    assert "saved at step" in turn["ended"] and "Slurm begins it again" in lab.log(run)
    lab.begin_now(run)
    assert lab.until_steps(run).record["slurm_job_id"] == job


def test_what_is_asked_of_slurm(lab: SlurmLab) -> None:
    asked = {"time": "02:00:00", "mem": "100M", "cpus_per_task": 2, "options": ["--comment=x y"]}
    lab.configure(slurm=asked, limits={"hours_per_run": 1})
    run = lab.start_argv(
        (sys.executable, "-c", FOREVER), "ann/job", Limits(hours_per_run=1), devices="gpu"
    )
    told = lab.slurm.ask("scontrol", "-o", "show", "job", run.record["slurm_job_id"])
    for word in ("TimeLimit=01:00:00", "Requeue=0", "CPUs/Task=2", "gpu:1", "Comment=x_y"):
        assert word in told.replace("x y", "x_y"), told
    assert "MinMemoryNode=100M" in told and run.session in told, told


@pytest.mark.parametrize("begun", [True, False], ids=["running", "waiting"])
def test_cancelled_by_hand(lab: SlurmLab, begun: bool) -> None:
    wait = [] if begun else ["--hold"]
    lab.configure(slurm={"options": wait})
    run = lab.train("ann/violin")
    if begun:
        lab.until_steps(run)
    lab.slurm.ask("scancel", run.record["slurm_job_id"])
    run = lab.ended(run)
    assert run.state == "stopped" and "scancel" in run.reason
    if begun:
        assert "saved at step" in run.reason
    wait_for(lambda: lab.state(run) == "CANCELLED", lambda: f"it is begun again: {lab.state(run)}")
    assert "scancel" in lab.dlwa("status").stdout


def test_a_wrapper_killed_without_a_word_is_told_by_slurm(lab: SlurmLab) -> None:
    run = lab.start(FOREVER)
    run = lab.until(run, lambda now: now.state == "running")
    lab.slurm.ask("scancel", "--signal=KILL", "--batch", run.record["slurm_job_id"])
    run = lab.ended(run)
    assert run.state == "failed" and run.reason.startswith("its job failed (signal 9)")
    assert run.record["state"] == "running", "nobody could write down the end"
    told = followed.how_it_ended(run.paths.folder, lab.host)
    assert told.startswith("failed (its job failed (signal 9)")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"partition": "nope"}, "Invalid partition name specified"),
        ({"gres": "gpu:h100"}, "Requested node configuration is not available"),
        ({"mem": "900G"}, "Memory specification can not be satisfied"),
    ],
)
def test_what_slurm_refuses_leaves_nothing(lab: SlurmLab, asked: dict, says: str) -> None:
    lab.configure(slurm=asked)
    lab.make_dataset("ann/data")
    words = ("ddsp", "train", "--dataset_name", "ann/data", "--model_name", "ann/new")
    refused = lab.dlwa(*words, "--json")
    assert refused.returncode == ExitCode.USAGE
    error = json.loads(refused.stdout)["error"]
    assert says in error["message"] and "labs/local.yaml" in error["hint"]
    assert not (lab.root / "models" / "ddsp" / "ann" / "new").exists()
    assert "ann/new" not in lab.dlwa("status", "--json").stdout


def test_a_refused_data_set_leaves_nothing_and_an_old_record_stays(lab: SlurmLab) -> None:
    run = lab.start("print(1)", "ann/job", folder=lab.root / "models" / "ddsp" / "ann" / "job")
    before = lab.ended(run).paths.record.read_bytes()
    add_recordings(lab)
    lab.configure(slurm={"partition": "nope"})
    words = ("ddsp", "make-dataset", "--input_name", "ann/in", "--dataset_name", "ann/out")
    assert lab.dlwa(*words).returncode == ExitCode.USAGE
    assert not list((lab.root / "datasets").rglob(".out*"))
    with pytest.raises(UsageError, match="Invalid partition"):
        lab.start("print(2)", "ann/job", folder=run.paths.folder)
    assert run.paths.record.read_bytes() == before and not run.paths.history.exists()


def add_recordings(lab: SlurmLab) -> None:
    folder = lab.root / "inputs" / "ann" / "in"
    folder.mkdir(parents=True)
    (folder / "a.wav").write_bytes(b"RIFF")


def test_a_data_set_is_made_and_followed(lab: SlurmLab) -> None:
    add_recordings(lab)
    words = ("ddsp", "make-dataset", "--input_name", "ann/in", "--dataset_name", "ann/out")
    made = lab.dlwa(*words)
    assert made.returncode == 0, made.stderr
    assert (lab.root / "datasets" / "ddsp" / "ann" / "out" / "dataset.json").exists()


def test_looking_in_and_leaving_again(lab: SlurmLab) -> None:
    run = lab.until_steps(lab.train("ann/violin"))
    words = lab.argv("util", "screen-attach")
    env = {**os.environ, "TERM": "xterm-256color", "DLWA_OWNER": "ann"}
    viewer = pexpect.spawn(words[0], words[1:], env=env, timeout=30, dimensions=(24, 80))
    viewer.expect(r"step: \d+")
    viewer.expect(r"step: \d+")
    viewer.send("\x03")
    viewer.expect("goes on")
    viewer.expect(pexpect.EOF)
    viewer.close()
    assert viewer.exitstatus == 0
    assert lab.again(run).state == "running"
    lab.dlwa("stop", "violin")
    looked = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
    assert looked.returncode == ExitCode.NOT_FOUND and "no run is going on" in looked.stderr


@needs_sshd
def test_from_a_laptop(world: FarLab, lab: SlurmLab) -> None:
    """The same commands with `--lab`: what they do happens on the login node."""
    far, launcher = world.far.root, world.far.root / "dlwa.py"
    (far / "labs").mkdir()
    world.describe(scheduler="slurm", slurm={"options": ["--comment=laptop"]})
    described = read_lab(world.laptop / "labs", "vm")
    (far / "labs" / "local.yaml").write_text(local_lab_file(described))
    known = f"os.environ['SLURM_CONF'] = {str(lab.slurm.conf)!r}\nos.execv("
    launcher.write_text(launcher.read_text().replace("os.execv(", known))
    world.far.make_dataset("ann/data")
    names = ("--dataset_name", "ann/data", "--model_name", "ann/far")
    many = "--gin_param=train_util.train.num_steps=100000"
    trained = world.dlwa("--lab", "vm", "ddsp", "train", *names, "--", many)
    assert trained.returncode == 0 and "trains in Slurm job" in trained.stderr, trained.stderr
    (run,) = json.loads(world.dlwa("--lab", "vm", "status", "--json").stdout)["runs"]
    told = lab.slurm.ask("scontrol", "-o", "show", "job", run["slurm_job_id"])
    assert "Comment=laptop" in told and run["state"] in ("queued", "starting", "running")
    wait_for(lambda: "started_at" in (far / "models/ddsp/ann/far/run.json").read_text())
    stopped = world.dlwa("stop", "ann/far", "--lab", "vm")
    assert stopped.returncode == 0 and "stopped by ann" in stopped.stderr, stopped.stderr


def test_when_slurm_does_not_answer_nobody_is_told_lost(lab: SlurmLab, monkeypatch) -> None:
    run = lab.until_steps(lab.train("ann/violin"))
    lab.slurm.stop_controller()
    try:
        began = time.monotonic()
        shown = lab.dlwa("status")
        assert time.monotonic() - began < 15
        assert "unknown" in shown.stdout and "Slurm does not answer" in shown.stdout
        assert "lost" not in shown.stdout
        monkeypatch.setattr(_slurm, "_SUBMITS_WITHIN_S", 2.0)
        monkeypatch.setattr(_book, "ANSWERS_WITHIN_S", 2.0)
        with pytest.raises(NetworkError, match="was not submitted"):
            lab.start(FOREVER, "ann/new", folder=lab.root / "models" / "ddsp" / "ann" / "new")
        assert not (lab.root / "models" / "ddsp" / "ann" / "new").exists()
        with pytest.raises(DlwaError, match="cannot be stopped now"):
            stopping.stop(run, lab.host, "ann")
    finally:
        lab.slurm.start_controller()
    _book.book_of(lab.host).changed()
    assert lab.until(run, lambda now: now.state == "running").reason == ""


def test_nothing_in_a_command_is_executed(lab: SlurmLab) -> None:
    evil = ["$(touch pwned)", "`touch pwned`", "; touch pwned", "a b", "'", '"', "%j", "\\", "-x"]
    code = "import sys; print(sys.argv[1:])"
    run = lab.start_argv((sys.executable, "-c", code, *evil), "ann/job", cwd=lab.root)
    run = lab.ended(run)
    assert run.state == "finished", run.reason
    assert str(evil) in lab.log(run)
    assert run.paths.slurm_log.exists(), "and the folder's own name did no harm"
    assert shlex.join(evil)  # they would mean something to a shell


def test_a_cluster_without_its_programs_is_told(lab: SlurmLab, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(DlwaError, match="sbatch is not installed here"):
        lab.start(FOREVER)


def test_a_real_training_goes_on_after_its_time_limit(
    trained: Path, slurm: Slurm, lab: SlurmLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_module, "DEADLINE_S", 150.0)  # a minute of Slurm, TensorFlow twice
    own = SlurmLab(trained, slurm, monkeypatch)
    run = own.until(own.found("ann/real"), lambda now: now.record.get("turns"))
    turns = run.record["turns"]
    assert len(turns) == 1, turns
    (turn,) = turns
    saved = int(turn["ended"].rpartition(" ")[2])
    assert "time of its Slurm job is nearly over; saved at step" in turn["ended"] and saved > 0
    own.begin_now(run)
    run = own.until_steps(run, 1)
    first = next(iter(runfiles.read_lines(run.paths.metrics, first_byte(run))))
    assert first["step"] == saved + 1, "not a step is lost or done twice"
    run = stopping.stop(run, own.host, "ann")
    assert run.state == "stopped" and "saved at step" in run.reason
    own.close()
