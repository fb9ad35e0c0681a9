"""The wrapper with real processes: every way a run can end is told as it was."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions import attended, launch, stopping
from dlwa.actions.runs import Run
from dlwa.labs import Limits
from dlwa.tools import screen
from dlwa.workspace import RunPaths, machine_locks
from tests.integration.lab import Lab, needs_screen, wait_for

pytestmark = [pytest.mark.integration, needs_screen]

FOREVER = "import time\nprint('here', 'I am', flush=True)\nwhile True: time.sleep(1)"
SAVES = """
import os, signal, sys, time
from pathlib import Path
from dlwa import runfiles
def save(*_):
    runfiles.report_event(Path(os.environ["DLWA_RUN_DIR"]), "stopped", step=12)
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("here", "I am", flush=True)
while True: time.sleep(0.05)
"""
DEAF = FOREVER.replace("\n", "\nimport signal; signal.signal(15, signal.SIG_IGN)\n", 1)


def started(lab: Lab, code: str, **more) -> Run:
    run = lab.start(code, **more)
    return lab.until(run, lambda now: "here I am" in lab.log(now))


def kill(process, signum: int = signal.SIGKILL) -> None:
    os.kill(process.pid, signum)


def test_a_run_that_ends_well(lab: Lab) -> None:
    run = lab.ended(lab.start("print('one'); print('two', end='')"))
    assert (run.state, run.record["exit_code"]) == ("finished", 0)
    assert "one\ntwo" in lab.log(run)
    wait_for(lambda: not lab.sessions(), lambda: "the session ends with the run")


def test_who_looks_whether_a_run_lives_does_not_keep_it_from_starting(lab: Lab) -> None:
    paths = RunPaths(lab.settings.workspace.runs / "looked-at")
    paths.folder.mkdir(parents=True)
    paths.lock.touch()
    with paths.lock.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.6, lambda: fcntl.flock(looking, fcntl.LOCK_UN)).start()
        run = lab.ended(lab.start("print('one')", folder=paths.folder))
    assert (run.state, run.record["exit_code"]) == ("finished", 0)


def test_a_link_among_the_locks_of_the_machine_ends_a_run_in_words(lab: Lab) -> None:
    locks = machine_locks(os.environ)
    locks.mkdir(exist_ok=True)
    (locks / "queue").symlink_to(lab.root)
    run = lab.ended(lab.start("print('one')", devices="cpu"))
    assert run.state == "failed" and run.reason.startswith(f"{locks / 'queue'} is a link")
    assert run.record["hint"].startswith("remove it: rm ")


def test_what_lies_in_the_current_folder_is_no_part_of_a_run(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A student's select.py, or what somebody else puts into a shared folder."""
    for name in ("select", "json", "dlwa"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not a part of Python')")
    monkeypatch.chdir(tmp_path)
    run = lab.ended(lab.start("print('one')"))
    assert (run.state, run.record["exit_code"]) == ("finished", 0)
    argv = launch.module_argv("dlwa.version", ())
    assert attended.run_module(argv, lambda *_: None, reports=False).warnings == ()


def test_a_run_that_fails_tells_why(lab: Lab) -> None:
    run = lab.ended(lab.start("print('fine so far')\nraise ValueError('x=3 must be 4')"))
    assert (run.state, run.record["exit_code"]) == ("failed", 1)
    assert run.reason == "ValueError: x=3 must be 4"


def test_a_program_that_does_not_exist(lab: Lab) -> None:
    run = lab.ended(lab.start_argv(("/no/such/program",), "ann/none"))
    assert (run.state, run.record["exit_code"]) == ("failed", 127)
    assert "/no/such/program cannot be started" in run.reason


def test_a_killed_job(lab: Lab) -> None:
    run = started(lab, FOREVER)
    kill(run.child)
    run = lab.ended(run)
    assert run.state == "failed" and "killed from outside dlwa (SIGKILL)" in run.reason
    assert "here I am" in run.reason


def test_a_killed_wrapper_is_lost_and_its_job_saves(lab: Lab) -> None:
    run = started(lab, SAVES)
    kill(run.wrapper)
    run = lab.ended(run)
    assert run.state == "lost" and "wrapper" in run.reason
    run = lab.until(run, lambda now: "saved at step 12" in now.reason)
    lab.until(run, lambda now: now.child is not None and not lab.host.is_alive(now.child))


def test_a_session_quit_from_inside(lab: Lab) -> None:
    run = started(lab, SAVES)
    argv = screen.quit_argv(lab.session(run))
    subprocess.run(argv, env={**os.environ, "SCREENDIR": str(lab.sockets)}, check=True)
    run = lab.ended(run)
    assert (run.state, run.record["exit_code"]) == ("stopped", 0)
    assert run.reason == "its screen session was closed; saved at step 12"


def test_a_killed_screen(lab: Lab) -> None:
    run = started(lab, SAVES)
    kill(lab.session(run))
    run = lab.ended(run)
    assert run.state == "stopped" and "session was closed" in run.reason


def test_a_restarted_machine(lab: Lab) -> None:
    run = started(lab, FOREVER)
    record = {**run.record, "boot_id": "11111111-2222"}
    runfiles.write_json(run.paths.record, record)
    assert lab.again(run).state == "lost" and "restarted" in lab.again(run).reason


def test_stop_lets_it_save(lab: Lab) -> None:
    run = started(lab, SAVES)
    ended = stopping.stop(run, lab.host, "ann")
    assert (ended.state, ended.reason) == ("stopped", "stopped by ann; saved at step 12")
    assert not run.paths.stop_request.exists()


def test_stop_ends_also_who_does_not_listen(lab: Lab) -> None:
    run = started(lab, DEAF)
    ended = stopping.stop(run, lab.host, "ann", grace_s=0.3)
    assert ended.state == "stopped" and "did not save in time" in ended.reason
    assert run.child and not lab.host.is_alive(run.child)


def test_stop_ends_a_halted_run(lab: Lab) -> None:
    run = started(lab, SAVES)
    kill(run.child, signal.SIGSTOP)
    lab.until(run, lambda now: now.state == "stalled")
    assert stopping.stop(run, lab.host, "ann").state == "stopped"


def test_a_halted_wrapper_is_woken_by_screen_or_by_stop(lab: Lab) -> None:
    run = started(lab, SAVES)
    kill(run.wrapper, signal.SIGSTOP)
    assert stopping.stop(run, lab.host, "ann").state == "stopped"


def test_stop_ends_the_children_of_the_job(lab: Lab) -> None:
    family = "import subprocess, sys\nx = subprocess.Popen(['sleep', '300'])\nprint(x.pid)\n"
    run = started(lab, family + FOREVER)
    grandchild = next(int(line) for line in lab.log(run).splitlines() if line.isdigit())
    assert lab.host.identify(grandchild)
    stopping.stop(run, lab.host, "ann")
    wait_for(lambda: lab.host.identify(grandchild) is None)


def test_a_signal_from_a_shutdown_is_passed_on(lab: Lab) -> None:
    run = started(lab, SAVES)
    kill(run.wrapper, signal.SIGTERM)
    run = lab.ended(run)
    assert run.state == "stopped" and "outside dlwa" in run.reason


def test_the_time_limit_of_the_lab(lab: Lab) -> None:
    run = lab.ended(lab.start(SAVES, limits=Limits(hours_per_run=0.3 / 3600)))
    assert run.state == "stopped" and "limit" in run.reason


def test_progress_bars_and_half_lines_reach_the_log_at_once(lab: Lab) -> None:
    code = "import sys, time\nfor n in (1, 2): print(f'\\r{n} %', end='')\n" + FOREVER
    run = started(lab, code)
    assert b"\r1 %\r2 %" in run.paths.log.read_bytes()


def test_what_the_job_is_told_of_its_place(lab: Lab) -> None:
    code = "import os\nfor name, value in os.environ.items(): print(name, repr(value))"
    run = lab.ended(lab.start(code, env={"MINE": "a b'c"}, devices="cpu"))
    assert f"DLWA_RUN_DIR '{run.paths.folder}'" in lab.log(run)
    assert "CUDA_VISIBLE_DEVICES ''" in lab.log(run)
    assert 'MINE "a b\'c"' in lab.log(run)


def test_nothing_in_an_argument_reaches_a_shell(lab: Lab, tmp_path: Path) -> None:
    evil = [f"$(touch {tmp_path}/a)", f"`touch {tmp_path}/b`", f"; touch {tmp_path}/c", "~root"]
    evil += [f"\n touch {tmp_path}/d", "-rf", "--", "$IFS", "|cat", "&", '"', "'", "*", "\\"]
    code = "import sys; print(sys.argv[1:])"
    run = lab.ended(lab.start_argv((sys.executable, "-c", code, *evil), "ann/evil"))
    assert repr(evil) in lab.log(run)
    assert not {path.name for path in tmp_path.iterdir()} & set("abcd")


def aside(lab: Lab) -> dict[str, str]:
    built = lab.root / "datasets/ddsp/ann/.d.partial-1"
    built.mkdir(parents=True)
    return {"built": str(built), "place": str(lab.root / "datasets/ddsp/ann/d"), "must_hold": "d*"}


def test_what_was_built_aside_gets_its_name_only_when_whole(lab: Lab) -> None:
    places = aside(lab)
    fill = f"open({places['built'] + '/data'!r}, 'w').write('x')\n"
    run = lab.ended(lab.start(fill, aside=places))
    assert run.state == "finished" and (Path(places["place"]) / "data").read_text() == "x"


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "pass"])
def test_what_failed_or_is_empty_leaves_nothing(lab: Lab, end: str) -> None:
    places = aside(lab)
    run = lab.ended(lab.start(end, aside=places))
    assert run.state == "failed"
    assert not list((lab.root / "datasets/ddsp/ann").iterdir())


def test_a_name_taken_meanwhile_is_not_overwritten(lab: Lab) -> None:
    places = aside(lab)
    Path(places["place"]).mkdir()
    (Path(places["place"]) / "data").write_text("hers")
    fill = f"open({places['built'] + '/data'!r}, 'w').write('mine')\n"
    run = lab.ended(lab.start(fill, aside=places))
    assert run.state == "failed" and "could not be made" in run.reason
    assert (Path(places["place"]) / "data").read_text() == "hers"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_recorded_on_the_full_disk(lab: Lab) -> None:
    disk = lab.root / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount")
    try:
        fill = "with open('big', 'wb') as f:\n while True: f.write(b'x' * 4096); f.flush()"
        run = lab.ended(lab.start(fill, folder=disk / "run", cwd=disk))
        assert run.state == "failed"
        assert run.reason.startswith("the disk is full: OSError: [Errno 28]")
        (disk / "big").unlink()
        talk = "while True: print('x' * 4096)"
        run = lab.start(talk, "ann/talk", folder=disk / "talk", cwd=disk)
        lab.until(run, lambda now: now.paths.log.stat().st_size > 0)
        wait_for(lambda: shutil.disk_usage(disk).free < 4096)
        ended = stopping.stop(run, lab.host, "ann")
        assert ended.state == "stopped"
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
