"""The commands a student types, with real screen and small programs for the DDSP half."""

import json
import os
import signal
import time
from pathlib import Path

import pexpect
import pytest

from dlwa import runfiles
from dlwa.actions import runs
from dlwa.actions.runs import Run
from tests.integration.lab import Lab, needs_screen, wait_for

pytestmark = [pytest.mark.integration, needs_screen]

STEPS = "--gin_param=train_util.train.num_steps="
TRAIN = ("ddsp", "train", "--dataset_name", "ann/violin", "--model_name")


@pytest.fixture(autouse=True)
def data(lab: Lab) -> None:
    lab.make_dataset("ann/violin")
    folder = lab.root / "inputs" / "ann" / "takes"
    folder.mkdir(parents=True)
    (folder / "TAKE1.WAV").write_bytes(b"sound")


def model(lab: Lab, name: str = "ann/m") -> Run:
    run = runs.read_run(lab.root / "models" / "ddsp" / name, lab.host)
    assert run is not None
    return run


def test_train_returns_at_once_and_says_how_to_go_on(lab: Lab) -> None:
    began = time.monotonic()
    done = lab.dlwa(*TRAIN, "ann/m")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 3 + 5  # the promise is 3 s; this machine may be busy
    run = model(lab)
    for told in (
        "--gin_param=batch_size=16",
        "logs -f ann/m",
        "util screen-attach ann/m",
        "stop ann/m",
        "resume",
        str(run.paths.log),
        run.session,
    ):
        assert told in done.stderr
    assert run.state == "running" and run.record["total_steps"] == 30000


def test_stop_then_train_resumes_where_it_stopped(lab: Lab) -> None:
    lab.dlwa(*TRAIN, "ann/m")
    lab.until(
        model(lab), lambda now: (runfiles.last_line(now.paths.metrics) or {}).get("step", 0) > 9
    )
    stopped = lab.dlwa("stop", "ann/m")
    assert stopped.returncode == 0 and "saved at step" in stopped.stderr
    first, step = model(lab), (runfiles.last_line(model(lab).paths.events) or {})["step"]
    assert first.state == "stopped"
    again = lab.dlwa(*TRAIN, "ann/m")
    assert again.returncode == 0 and "goes on from its last checkpoint" in again.stderr
    lab.until(
        model(lab), lambda now: (runfiles.last_line(now.paths.metrics) or {}).get("step", 0) > step
    )
    (earlier,) = runfiles.read_lines(model(lab).paths.history)
    assert (earlier["id"], earlier["state"]) == (first.id, "stopped")


def test_a_second_train_of_a_running_model_is_refused(lab: Lab) -> None:
    lab.dlwa(*TRAIN, "ann/m")
    done = lab.dlwa(*TRAIN, "ann/m")
    assert done.returncode == 6
    assert model(lab).id in done.stderr and "screen-attach ann/m" in done.stderr


def test_two_at_the_same_instant_start_one(lab: Lab) -> None:
    import subprocess

    env = {**os.environ, "DLWA_OWNER": "ann"}
    racers = [
        subprocess.Popen(lab.argv(*TRAIN, "ann/m"), env=env, stderr=subprocess.DEVNULL)
        for _ in range(5)
    ]
    assert sorted(racer.wait(60) for racer in racers) == [0, 6, 6, 6, 6]
    assert len(lab.sessions()) == 1


def test_a_finished_training_has_nothing_left_to_do(lab: Lab) -> None:
    lab.dlwa(*TRAIN, "ann/m", "--", f"{STEPS}3")
    assert lab.ended(model(lab)).state == "finished"
    done = lab.dlwa(*TRAIN, "ann/m")
    assert done.returncode == 0 and "nothing is left to do" in done.stderr
    more = lab.dlwa(*TRAIN, "ann/m", "--", f"{STEPS}6")
    assert more.returncode == 0
    lab.until(model(lab), lambda now: (runfiles.last_line(now.paths.metrics) or {})["step"] == 6)


def test_fresh_starts_beside(lab: Lab) -> None:
    lab.dlwa(*TRAIN, "ann/m", "--", f"{STEPS}3")
    lab.ended(model(lab))
    done = lab.dlwa(*TRAIN, "ann/m", "--fresh", "--", f"{STEPS}4")
    assert done.returncode == 0 and "ann/m-2" in done.stderr
    assert lab.ended(model(lab, "ann/m-2")).record["total_steps"] == 4
    assert (lab.root / "models/ddsp/ann/m/ckpt-3.index").exists()


def test_a_wrong_flag_is_told_where_one_looks(lab: Lab) -> None:
    lab.dlwa(*TRAIN, "ann/m", "--", "--gin_param=wrong_binding=1")
    assert lab.ended(model(lab)).state == "failed"
    for words in (("util", "screen-attach"), ("status", "ann/m"), ("util", "screen-attach", "m")):
        done = lab.dlwa(*words)
        assert "wrong_binding is unknown" in done.stderr
        assert "did you mean batch_size?" in done.stderr
    assert "failed" in lab.dlwa("status").stdout
    assert lab.dlwa(*TRAIN, "ann/m").returncode == 0, "the flag can be corrected"


def test_looking_in_tells_how_each_recent_run_ended(lab: Lab) -> None:
    lab.dlwa(*TRAIN, "ann/good", "--", f"{STEPS}3")
    lab.ended(model(lab, "ann/good"))
    lab.dlwa(*TRAIN, "ann/bad", "--", "--gin_param=wrong_binding=1")
    lab.ended(model(lab, "ann/bad"))
    lab.dlwa(*TRAIN, "ann/halted")
    lab.until(model(lab, "ann/halted"), lambda now: now.paths.metrics.exists())
    lab.dlwa("util", "screen-kill", "ann/halted")
    done = lab.dlwa("util", "screen-attach")
    assert done.returncode == 3
    assert "train of ann/good finished" in done.stderr
    assert "train of ann/bad failed" in done.stderr
    assert "train of ann/halted stopped" in done.stderr and "stopped by ann" in done.stderr


def test_with_several_runs_one_is_asked_which(lab: Lab) -> None:
    lab.dlwa("util", "run", "--name", "one", "--", "sleep", "300")
    lab.dlwa("util", "run", "--name", "two", "--", "sleep", "300")
    refused = lab.dlwa("stop")
    assert refused.returncode == 2 and "ann/one" in refused.stderr and "ann/two" in refused.stderr
    words = lab.argv("stop")
    env = {**os.environ, "DLWA_OWNER": "ann", "TERM": "xterm"}
    asked = pexpect.spawn(words[0], words[1:], env=env, timeout=30, encoding="utf-8")
    asked.expect(r"(\d)  ann/one")
    number = asked.match[1]
    asked.expect("Which run")
    asked.sendline(number)
    asked.expect("stopped by ann")
    asked.expect(pexpect.EOF)
    states = {run.name: run.state for run in runs.all_runs(lab.settings.workspace, lab.host)}
    assert states == {"ann/one": "stopped", "ann/two": "running"}


def test_the_run_of_another_needs_an_admin_and_a_yes(lab: Lab) -> None:
    lab.dlwa("util", "run", "--name", "bob/x", "--", "sleep", "300", DLWA_OWNER="bob")
    refused = lab.dlwa("stop", "bob/x", "--yes")
    assert refused.returncode == 4 and "belongs to bob" in refused.stderr
    assert lab.dlwa("stop", "bob/x", "--as-admin").returncode == 2, "nobody can say yes"
    assert lab.dlwa("stop", "bob/x", "--as-admin", "--dry-run").returncode == 0
    assert len(lab.sessions()) == 1
    assert lab.dlwa("stop", "bob/x", "--as-admin", "--yes").returncode == 0
    wait_for(lambda: not lab.sessions())


MAKE = ("ddsp", "make-dataset", "--input_name", "ann/takes", "--dataset_name")


def test_make_dataset_follows_to_the_end(lab: Lab) -> None:
    done = lab.dlwa(*MAKE, "ann/new")
    assert done.returncode == 0, done.stderr
    assert (lab.root / "datasets/ddsp/ann/new/dataset.json").exists()
    assert "not used: bad.wav: is empty" in done.stderr
    assert "train --dataset_name ann/new" in done.stderr
    assert not list((lab.root / "datasets/ddsp/ann").glob(".*"))
    assert lab.dlwa(*MAKE, "ann/new").returncode == 6


def test_make_dataset_that_fails_says_so_and_leaves_nothing(lab: Lab) -> None:
    done = lab.dlwa(*MAKE, "ann/new", "--", "--fail")
    assert done.returncode == 3
    assert "no usable recording" in done.stderr and "hint: record more" in done.stderr
    assert {path.name for path in (lab.root / "datasets/ddsp/ann").iterdir()} == {"violin"}


def test_ctrl_c_leaves_make_dataset_running(lab: Lab) -> None:
    words = lab.argv(*MAKE, "ann/new", "--", "--seconds=4")
    env = {**os.environ, "DLWA_OWNER": "ann", "TERM": "xterm-256color"}
    command = pexpect.spawn(words[0], words[1:], env=env, timeout=30, dimensions=(24, 100))
    command.expect("take1.wav")
    command.send("\x03")
    command.expect("goes on without you")
    command.expect(pexpect.EOF)
    command.close()
    assert command.exitstatus == 130
    (run,) = runs.all_runs(lab.settings.workspace, lab.host)
    assert run.live
    second = lab.dlwa(*MAKE, "ann/new")
    assert second.returncode == 6 and run.id in second.stderr
    assert lab.ended(run).state == "finished"


def test_make_dataset_detached_and_logs_followed(lab: Lab) -> None:
    done = lab.dlwa(*MAKE, "ann/new", "--detach", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["kind"] == "make-dataset"
    followed = lab.dlwa("logs", "-f", "ann/new")
    assert followed.returncode == 0
    assert "=== dlwa: finished" in followed.stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("ddsp", "train", "--dataset_name", "ann/violin", "--model_name", "../x"), 2, "'..'"),
        (("ddsp", "train", "--dataset_name", "ann/no", "--model_name", "ann/x"), 3, "did you mean"),
        (("ddsp", "train", "ann/violin", "--dataset_name", "a", "--model_name", "b"), 2, "--"),
        (("ddsp", "train", "--dataset_name", "ann/violin"), 2, "--model-name"),
        (("ddsp", "make-dataset", "--input_name", "no", "--dataset_name", "x"), 3, "no folder"),
        (("status", "nobody/nothing"), 3, "unknown"),
        (("stop",), 3, "no run is going on"),
        (("logs", "$(reboot)"), 3, "unknown"),
        (("util", "run", "--name", "a b", "--", "true"), 2, "space"),
        (("util", "run", "--gpus", "2", "--", "true"), 6, "may claim 1 GPU here"),
        (("user", "add", "../x"), 2, "slash"),
    ],
)
def test_mistakes_end_with_their_own_code_and_leave_nothing(
    lab: Lab, words: tuple[str, ...], code: int, told: str
) -> None:
    before = sorted(lab.root.rglob("*"))
    done = lab.dlwa(*words)
    assert done.returncode == code, done.stderr
    assert told in done.stderr and "Traceback" not in done.stderr
    as_json = lab.dlwa(*words[:1], *words[1:2], "--json", *words[2:])
    if as_json.stdout:
        assert json.loads(as_json.stdout)["error"]["exit_code"] == as_json.returncode
    assert sorted(lab.root.rglob("*")) == before


def test_people_and_what_they_use(lab: Lab) -> None:
    assert lab.dlwa("user", "add", "bob").returncode == 0
    assert lab.dlwa("user", "add", "Bob").returncode == 6
    assert "bob" in lab.dlwa("user", "list").stdout
    (lab.root / "inputs/bob/big.wav").write_bytes(b"x" * 12345)
    words = ("util", "run", "--name", "bob/x", "--", "true")
    assert lab.dlwa(*words).returncode == 4, "nobody computes in another's name"
    assert lab.dlwa(*words, DLWA_OWNER="bob").returncode == 0
    (bob,) = json.loads(lab.dlwa("user", "usage", "bob", "--json").stdout)
    assert (bob["owner"], bob["bytes_by_home"]["inputs"], bob["runs"]) == ("bob", 12345, 1)
    lab.dlwa("util", "run", "--name", "job", "--", "true", DLWA_OWNER="cai")
    assert "cai" in lab.dlwa("user", "usage").stdout, "who has run something, without a folder"


def test_ten_kills_at_any_moment_and_status_is_always_right(lab: Lab) -> None:
    """SIGKILL wrapper or job at odd moments: status never says running, train goes on."""
    best = 0
    for number in range(10):
        assert lab.dlwa(*TRAIN, "ann/m").returncode == 0
        now = model(lab)
        deadline = time.monotonic() + number * 0.07
        wait_for(lambda end=deadline: time.monotonic() > end)
        victim = now.wrapper if number % 2 else lab.until(now, lambda r: bool(r.child)).child
        assert victim is not None
        os.kill(victim.pid, signal.SIGKILL)
        ended = lab.ended(now)
        assert ended.state == ("lost" if number % 2 else "failed")
        wait_for(lambda run=ended: not (run.child and lab.host.is_alive(run.child)))
        shown = json.loads(lab.dlwa("status", "ann/m", "--json").stdout)
        assert shown["state"] == ended.state and shown["reason"]
        saved = [int(path.stem[5:]) for path in Path(ended.paths.folder).glob("ckpt-*.index")]
        assert max(saved, default=0) >= best, "no checkpoint is ever lost"
        best = max(saved, default=0)
