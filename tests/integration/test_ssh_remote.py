"""Commands that run in a lab: the same program there, drawn here, over lines that break."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from dlwa.version import __version__
from tests.integration.far_lab import FarLab
from tests.integration.lab import HERE, needs_screen, wait_for
from tests.integration.sshd import needs_sshd, needs_terminals

pytestmark = [pytest.mark.integration, needs_sshd, needs_screen]
COUNTING = (
    "import time\nfor i in range({n}):\n    print('line', i, flush=True)\n    time.sleep({s})"
)
COUNTING_UNTIL = (
    "import itertools, os, time\n"
    "for i in itertools.takewhile(lambda _: not os.path.exists({end!r}), itertools.count()):\n"
    "    print('line', i, flush=True)\n    time.sleep({s})"
)


def counted(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"^line (\d+)$", text, re.MULTILINE)]


def far_commands(world: FarLab, word: str) -> set[int]:
    """The processes over there that run a command of dlwa."""
    found = set()
    for pid in world.server.sessions():
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if word.encode() in line and any(part.endswith(b".py") for part in line):
                found.add(pid)
    return found


def test_the_path_of_a_student(world: FarLab):
    world.far.root.joinpath("inputs/ann/violin").mkdir(parents=True)
    world.far.root.joinpath("inputs/ann/violin/a.wav").write_bytes(b"RIFF")
    env = {"DLWA_LAB": "vm"}
    made = world.dlwa(
        "ddsp", "make-dataset", "--input_name", "ann/violin", "--dataset_name", "ann/violin", **env
    )
    assert made.returncode == 0, made.stderr
    assert (world.far.root / "datasets/ddsp/ann/violin/dataset.json").exists()
    assert not (world.laptop / "datasets").exists()
    words = ("ddsp", "train", "--dataset_name", "ann/violin", "--model_name", "ann/violin")
    many = "--gin_param=train_util.train.num_steps=100000"
    trained = world.dlwa(*words, "--", many, **env)
    assert trained.returncode == 0 and "you may log out" in trained.stderr
    shown = world.dlwa("status", "--lab", "vm")
    assert "ann/violin" in shown.stdout and "running" in shown.stdout
    document = json.loads(world.dlwa("--lab", "vm", "status", "--json").stdout)
    assert document["runs"][0]["owner"] == "ann"
    stopped = world.dlwa("stop", "ann/violin", "--lab=vm")
    assert stopped.returncode == 0 and "stopped" in stopped.stderr
    missing = world.dlwa("logs", "nobody", "--lab", "vm", "--json")
    assert missing.returncode == 3
    assert json.loads(missing.stdout)["error"]["kind"] == "NotFoundError"


def test_errors_and_exit_codes_come_from_there(world: FarLab):
    done = world.dlwa(
        *("ddsp", "train", "--dataset_name", "ann/no", "--model_name", "ann/no", "--lab", "vm")
    )
    assert done.returncode == 3
    assert "error: dataset_name=ann/no" in done.stderr and "hint:" in done.stderr
    usage = world.dlwa("stop", "--wrong-flag", "--lab", "vm")
    assert usage.returncode == 2 and "--wrong-flag" in usage.stderr


def test_other_versions_are_told_before_anything_runs(world: FarLab):
    world.install("0.0.9")
    done = world.dlwa("status", "--lab", "vm")
    assert done.returncode == 4
    assert f"has dlwa 0.0.9, this is {__version__}" in done.stderr
    assert "lab setup vm" in done.stderr
    world.install("9.1.0")
    assert "git pull" in world.dlwa("status", "--lab", "vm").stderr
    world.install(__version__.rpartition(".")[0] + ".99")
    assert "dlwa 0" not in world.dlwa("status", "--lab", "vm").stderr


def test_a_lab_without_dlwa_or_folder_says_so(world: FarLab):
    (world.far.root / "dlwa.py").unlink()
    done = world.dlwa("status", "--lab", "vm")
    assert done.returncode == 3 and "lab setup vm" in done.stderr
    world.describe(root="/no/such; touch /tmp/dlwa-payload")
    done = world.dlwa("status", "--lab", "vm")
    assert done.returncode == 3 and "has no folder" in done.stderr


def test_what_works_here_only_says_so(world: FarLab):
    done = world.dlwa("demo", "--lab", "vm")
    assert done.returncode == 2 and "this machine only" in done.stderr


def test_others_runs_are_refused_there_too(world: FarLab):
    run = world.far.start("import time; time.sleep(60)", "ben/job")
    done = world.dlwa("stop", "ben/job", "--lab", "vm")
    assert done.returncode == 4 and "ask ben" in done.stderr
    assert world.far.again(run).live


ASKING = {90, 98}  # messages one waits for an answer to: open a channel, start this in it
COUNT = """
import json, sys
from paramiko.packet import Packetizer
from dlwa.cli import main
kinds, plain = [], Packetizer.send_message
def send_message(self, message):
    kinds.append(message.asbytes()[0])
    plain(self, message)
Packetizer.send_message = send_message
code = main(sys.argv[2:])
assert "fabric" not in sys.modules
open(sys.argv[1], "w").write(json.dumps(kinds))
sys.exit(code)
"""


@pytest.mark.parametrize("words", [["status", "--all"], ["logs", "ann/job"]])
def test_looking_takes_two_round_trips_once_logged_in(world: FarLab, tmp_path: Path, words):
    """Open a channel, start the command; all it says comes by itself."""
    run = world.far.start("print('done')", "ann/job")
    world.far.ended(run)
    argv = [sys.executable, "-c", COUNT, str(tmp_path / "kinds"), *words, "--lab", "vm"]
    done = subprocess.run(
        argv, env=world.environment(), cwd=world.laptop, capture_output=True, text=True
    )
    assert done.returncode == 0 and ("done" in done.stdout or "ann/job" in done.stdout)
    kinds = json.loads((tmp_path / "kinds").read_text())
    after_login = kinds[len(kinds) - kinds[::-1].index(50) :]
    assert [kind for kind in after_login if kind in ASKING] == [90, 98]


def test_a_followed_log_survives_cuts_without_losing_or_doubling_a_line(world: FarLab):
    enough = world.laptop / "enough"
    run = world.far.start(COUNTING_UNTIL.format(end=str(enough), s=0.02), "ann/count")
    following = world.start("logs", "-f", "-n", "100000", run.id, "--lab", "shaky")
    seen: set[int] = set()
    for _ in range(3):
        wait_for(lambda: not far_commands(world, "logs") <= seen)  # noqa: B023
        seen |= far_commands(world, "logs")
        time.sleep(0.3)  # a little is said before each cut
        world.proxy.cut()
    wait_for(lambda: not far_commands(world, "logs") <= seen)
    enough.touch()
    out, _ = following.communicate(timeout=60)
    assert following.returncode == 0, out
    lines = counted(out)
    assert lines == list(range(len(lines))) == counted(world.far.log(run)) and len(lines) > 50
    assert "connecting again" in out


def test_a_silent_line_and_a_sleeping_laptop_cost_no_line(world: FarLab):
    """First the machine's packets stop coming, without a word; then the laptop's lid is closed."""
    enough = world.laptop / "enough"
    run = world.far.start(COUNTING_UNTIL.format(end=str(enough), s=0.03), "ann/count")
    words = ("logs", "-f", "-n", "100000", run.id, "--lab", "shaky")
    following = world.start(*words, program=str(HERE / "impatient_dlwa.py"))
    halted: list[int] = []
    try:
        wait_for(lambda: bool(far_commands(world, "logs")))
        first = far_commands(world, "logs")
        time.sleep(0.5)  # a little is said before
        halted = world.server.connections()
        for pid in halted:
            os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: not far_commands(world, "logs") <= first)
        following.send_signal(signal.SIGSTOP)
        world.proxy.cut()
        time.sleep(0.5)  # what is said meanwhile is asked for afterwards
        following.send_signal(signal.SIGCONT)
        enough.touch()
        out, _ = following.communicate(timeout=60)
    finally:
        for pid in halted:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    assert following.returncode == 0, out
    lines = counted(out)
    assert lines == list(range(len(lines))) == counted(world.far.log(run)) and len(lines) > 50
    assert out.count("connecting again") >= 2


def test_a_lost_laptop_harms_no_run_and_leaves_nothing_behind(world: FarLab):
    run = world.far.start(COUNTING.format(n=100000, s=0.05), "ann/count")
    following = world.start("logs", "-f", run.id, "--lab", "vm")
    wait_for(lambda: len(world.server.sessions()) >= 2)
    following.send_signal(signal.SIGKILL)
    following.communicate()
    wait_for(lambda: not world.server.sessions(), lambda: str(world.server.sessions()))
    assert world.far.again(run).state == "running"


def test_leaving_a_plain_watch_leaves_nothing_behind(world: FarLab):
    run = world.far.start(COUNTING.format(n=100000, s=0.05), "ann/count")
    watching = world.start("watch", "--lab", "shaky")
    wait_for(lambda: bool(far_commands(world, "watch")))
    assert watching.stdout and "ann/count" in watching.stdout.readline()
    world.proxy.cut()
    assert "connecting again" in watching.stdout.readline()
    assert "ann/count" in watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    assert watching.wait(timeout=20) == 130
    watching.communicate()
    wait_for(lambda: not world.server.sessions(), lambda: str(world.server.sessions()))
    assert world.far.again(run).state == "running"


def test_a_reader_that_has_gone_ends_a_followed_log(world: FarLab):
    """`dlwa logs -f | head`: that is no lost line."""
    run = world.far.start(COUNTING.format(n=100000, s=0.05), "ann/count")
    following = world.start("logs", "-f", run.id, "--lab", "vm")
    assert following.stdout and following.stdout.readline()
    following.stdout.close()
    assert following.wait(timeout=15) == 1
    wait_for(lambda: not world.server.sessions(), lambda: str(world.server.sessions()))


def test_a_start_that_was_cut_may_simply_be_repeated(world: FarLab):
    """Wherever the line broke: the repeat starts the training or says that it goes on."""
    world.far.make_dataset("ann/violin")
    words = ("ddsp", "train", "--dataset_name", "ann/violin", "--model_name", "ann/violin")
    many = ("--", "--gin_param=train_util.train.num_steps=100000")
    for place in (3500, 5200):  # before the command, and while it talks
        world.proxy.carried, world.proxy.cut_after = 0, place
        cut = world.dlwa(*words, "--lab", "shaky", *many)
        assert cut.returncode == 5 and "again" in cut.stderr
        world.proxy.cut_after = None
        again = world.dlwa(*words, "--lab", "shaky", *many)
        assert again.returncode == 0 or "already goes on" in again.stderr
        status = json.loads(world.dlwa("status", "--lab", "vm", "--json").stdout)
        assert [run["state"] in ("starting", "running") for run in status["runs"]] == [True]
        assert world.dlwa("stop", "ann/violin", "--lab", "vm").returncode == 0


def test_a_cut_before_anything_is_known_is_a_network_error(world: FarLab):
    world.proxy.cut_after = 2000
    done = world.dlwa("status", "--lab", "shaky")
    assert done.returncode == 5 and "hint:" in done.stderr


@pytest.fixture
def terminal(world: FarLab):
    opened = []

    def start(*words: str) -> pexpect.spawn:
        argv = world.argv(*words)
        one = pexpect.spawn(
            argv[0],
            argv[1:],
            env=world.environment(TERM="xterm-256color"),
            cwd=str(world.laptop),
            timeout=20,
            dimensions=(30, 100),
            encoding="utf-8",
        )
        opened.append(one)
        return one

    yield start
    for one in opened:
        one.close(force=True)


@needs_terminals
def test_looking_into_a_session_with_size_and_detach(world: FarLab, terminal):
    code = (
        "import shutil, time\n"
        "while True:\n"
        "    print('size', *shutil.get_terminal_size(), flush=True); time.sleep(0.1)"
    )
    run = world.far.start(code, "ann/looks")
    one = terminal("util", "screen-attach", "ann/looks", "--lab", "vm")
    one.expect(r"size ")
    began = time.monotonic()
    one.send("\x01d")
    one.expect("goes on")
    one.expect(pexpect.EOF)
    one.close()
    assert one.exitstatus == 0 and time.monotonic() - began < 5
    assert world.far.again(run).state == "running"


@needs_terminals
def test_a_terminal_there_has_our_size_and_ctrl_c_leaves(world: FarLab, terminal):
    run = world.far.start(COUNTING.format(n=100000, s=0.1), "ann/looks")
    one = terminal("util", "screen-attach", "ann/looks", "--lab", "vm")
    one.expect("line ")
    pids = world.server.sessions()
    sizes = [os.get_terminal_size(fd) for pid in pids if (fd := _open_terminal(pid)) is not None]
    assert (100, 30) in [tuple(size) for size in sizes]
    one.setwinsize(40, 120)
    wait_for(
        lambda: (
            (120, 40)
            in [
                tuple(os.get_terminal_size(fd))
                for pid in pids
                if (fd := _open_terminal(pid)) is not None
            ]
        )
    )
    one.send("\x03")
    one.expect("goes on")
    one.expect(pexpect.EOF)
    assert world.far.again(run).state == "running"


@needs_terminals
def test_a_cut_look_comes_back(world: FarLab, terminal):
    world.far.start(COUNTING.format(n=100000, s=0.1), "ann/looks")
    one = terminal("util", "screen-attach", "ann/looks", "--lab", "shaky")
    one.expect("line ")
    world.proxy.cut()
    one.expect("connecting again")
    shown = one.before.rpartition("\x1b[?1049h")[2]
    assert "\x1b[?1049l" in shown and "\x1b[?25h" in shown, "one may give up waiting now"
    one.expect(r"line \d+")
    for _ in range(5):  # screen drops what is typed while it draws for the first time
        one.send("\x01d")
        if one.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=4) == 0:
            return
    raise AssertionError(f"it could not be left: {one.before}")


@needs_terminals
def test_on_the_whole_screen_a_refusal_is_only_told(world: FarLab, terminal):
    world.install("0.0.9")
    one = terminal("watch", "--lab", "vm")
    one.expect(pexpect.EOF)
    assert one.before.startswith("\x1b[31merror: ") and "dlwa-lab:" not in one.before


@needs_terminals
def test_watching_from_afar(world: FarLab, terminal):
    world.far.start(COUNTING.format(n=100000, s=0.1), "ann/looks")
    one = terminal("watch", "--lab", "vm")
    one.expect("ann/looks")
    one.sendintr()
    one.expect("goes on")
    one.expect(pexpect.EOF)


def test_questions_are_asked_here_and_answered_there(world: FarLab, terminal):
    run = world.far.start("import time; time.sleep(60)", "ben/job")
    one = terminal("stop", "ben/job", "--as-admin", "--lab", "vm")
    one.expect(r"Stop it all the same\? \[y/N\]")
    one.sendline("y")
    one.expect("stopped")
    one.expect(pexpect.EOF)
    assert not world.far.again(run).live


def _open_terminal(pid: int) -> int | None:
    try:
        fd = os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return None
    return fd if os.isatty(fd) else None
