"""Real screen: start, list, look in, leave, end exactly one."""

import os
import shutil
import subprocess
from pathlib import Path

import pexpect
import pytest

from dlwa.actions import sessions, stopping
from dlwa.actions.keepers import _screen
from dlwa.errors import BusyError, DlwaError
from dlwa.hosts.local import LocalHost
from dlwa.shell import Command
from dlwa.tools import screen
from tests.integration.lab import Lab, needs_screen, wait_for

pytestmark = [pytest.mark.integration, needs_screen]

FOREVER = "import time\nprint('here', 'I am', flush=True)\nwhile True: time.sleep(1)"


def start_plain(lab: Lab, name: str) -> None:
    """A session that is none of dlwa's."""
    argv = ("screen", "-dmS", name, "sleep", "300")
    assert lab.host.run(Command(argv, screen.environment(lab.sockets))).ok


def test_a_run_is_there_within_three_seconds_and_listed(lab: Lab) -> None:
    run = lab.start(FOREVER)
    assert run.state == "running" and run.wrapper and run.child
    assert [session.name for session in lab.sessions()] == [run.session]
    assert lab.session(run).state == "detached"


def test_ending_run1_leaves_run10_alone(lab: Lab) -> None:
    """screen takes a name for every session that begins with it; dlwa does not."""
    first, tenth = lab.start(FOREVER, "ann/run1"), lab.start(FOREVER, "ann/run10")
    start_plain(lab, "dlwa.ann.run1")
    start_plain(lab, first.session + "0")
    assert stopping.stop(first, lab.host, "ann").state == "stopped"
    assert not sessions.close(first, lab.host), "it has no session any more"
    assert lab.again(tenth).state == "running"
    names = [session.name for session in lab.sessions()]
    assert sorted(names) == sorted(["dlwa.ann.run1", first.session + "0", tenth.session])


def test_two_sessions_of_one_name_are_not_confused(lab: Lab) -> None:
    run = lab.start(FOREVER)
    start_plain(lab, run.session)
    (twin,) = (one for one in lab.sessions() if one != lab.session(run))
    stopping.stop(run, lab.host, "ann")
    wait_for(lambda: lab.sessions() == [twin], lambda: str(lab.sessions()))


@pytest.mark.parametrize("name", ["ann/" + "v" * 64, "a.b-c_d/e.f/g--h", "_/9", "ann/" * 15 + "x"])
def test_unusual_names(lab: Lab, name: str) -> None:
    run = lab.start(FOREVER, name)
    assert lab.session(run).name == run.session
    assert stopping.stop(run, lab.host, "ann").state == "stopped"


def test_other_sessions_with_odd_names_do_no_harm(lab: Lab) -> None:
    for name in ("my run [1]", "tab", "dlwa."):
        start_plain(lab, name)
    run = lab.start(FOREVER)
    assert {"my run [1]", "tab", "dlwa.", run.session} == {s.name for s in lab.sessions()}
    assert lab.session(run).name == run.session


def test_looking_in_and_leaving_again(lab: Lab) -> None:
    """In a real terminal: the output is seen, Ctrl-A D and Ctrl-C leave, no other key ends it."""
    run = lab.start(FOREVER)
    for leave in ("\x01d", "\x03"):
        words = lab.argv("util", "screen-attach")
        env = {**os.environ, "TERM": "xterm-256color", "DLWA_OWNER": "ann"}
        viewer = pexpect.spawn(words[0], words[1:], env=env, timeout=30, dimensions=(24, 80))
        viewer.expect("here I am")
        wait_for(lambda: lab.session(run).state == "attached")
        for kills in ("\x01k", "\x01K", "\x01\x0b", "\x01\\", "\x01\x1c"):
            viewer.send(f"{kills}y")  # screen would ask, and this is a yes
        viewer.send(leave)
        viewer.expect("goes on")
        viewer.expect(pexpect.EOF)
        viewer.close()
        assert viewer.exitstatus == 0
        wait_for(lambda: lab.session(run).state == "detached")
    assert lab.again(run).state == "running"


def test_an_odd_terminal_type_is_replaced(lab: Lab) -> None:
    lab.start(FOREVER)
    words = lab.argv("util", "screen-attach")
    env = {**os.environ, "TERM": "xterm-nonsense", "DLWA_OWNER": "ann"}
    viewer = pexpect.spawn(words[0], words[1:], env=env, timeout=30)
    viewer.expect("here I am")
    viewer.send("\x01d")
    viewer.expect(pexpect.EOF)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux draws the screen of this test")
def test_what_a_person_sees(lab: Lab) -> None:
    """Drawn by tmux: the last lines of the run, and below them how to leave."""
    lab.start(FOREVER)
    server = ["tmux", "-L", lab.sockets.name, "-f", "/dev/null"]
    shown = lab.argv("util", "screen-attach")
    subprocess.run([*server, "new-session", "-d", "-s", "t", "-x", "80", "-y", "24", *shown])

    def picture() -> str:
        argv = [*server, "capture-pane", "-p", "-t", "=t:"]
        return subprocess.run(argv, capture_output=True, text=True).stdout

    try:
        wait_for(lambda: "here I am" in picture() and "leave it running" in picture(), picture)
    finally:
        subprocess.run([*server, "kill-server"])


def test_looking_in_needs_a_terminal(lab: Lab) -> None:
    lab.start(FOREVER)
    done = lab.dlwa("util", "screen-attach")
    assert done.returncode == 2 and "logs -f ann/job" in done.stderr


def test_a_viewer_who_scrolls_back_does_not_hold_up_the_run(lab: Lab) -> None:
    """In copy mode screen stops reading; the output must still flow into the log."""
    run = lab.start("for n in range(20000): print('line', n, 'x' * 60)\nprint('all said')")
    argv = ("screen", "-S", lab.session(run).address, "-p", "0", "-X", "copy")
    lab.host.run(Command(argv, screen.environment(lab.sockets)))
    assert lab.ended(run).state == "finished"
    assert "all said" in lab.log(run)


def test_without_screen_the_command_that_installs_it_is_told(lab: Lab) -> None:
    class Bare(LocalHost):
        def which(self, program: str) -> str | None:
            return None

    lab.host = Bare()
    with pytest.raises(DlwaError) as caught:
        lab.start(FOREVER)
    assert "apt-get install screen" in caught.value.hint
    assert not (lab.root / ".dlwa/runs").exists(), "nothing is left behind"
    lab.host = LocalHost()


def test_a_socket_folder_others_may_read_is_told(lab: Lab) -> None:
    lab.sockets.chmod(0o755)
    with pytest.raises(DlwaError, match="must have mode 700") as caught:
        lab.start(FOREVER)
    assert caught.value.hint == f"chmod 700 {lab.sockets}"
    lab.sockets.chmod(0o700)


def test_a_long_socket_folder_shortens_the_name_or_is_refused(lab: Lab, monkeypatch) -> None:
    long = Path(str(lab.sockets) + "/" + "d" * 50)
    long.mkdir(mode=0o700)
    monkeypatch.setenv("SCREENDIR", str(long))
    run = lab.start(FOREVER, "ann/" + "v" * 60)
    assert sessions.session_of(run, lab.host) is not None
    stopping.stop(run, lab.host, "ann")
    longer = Path(str(lab.sockets) + "/" + "d" * 78)
    longer.mkdir(mode=0o700)
    monkeypatch.setenv("SCREENDIR", str(longer))
    with pytest.raises(DlwaError, match="too long"):
        lab.start(FOREVER)


def test_a_second_start_in_one_folder_is_refused(lab: Lab) -> None:
    run = lab.start(FOREVER)
    with pytest.raises(BusyError, match=run.id):
        lab.start(FOREVER, folder=run.paths.folder)
    assert lab.again(run).id == run.id


def test_a_session_that_cannot_come_up_is_told(lab: Lab, monkeypatch) -> None:
    monkeypatch.setattr(_screen, "wrapper_command", lambda folder: ("/nonexistent",))
    monkeypatch.setattr(_screen, "_STARTS_WITHIN_S", 0.5)
    folder = lab.root / "there"
    with pytest.raises(DlwaError, match="did not come up"):
        lab.start(FOREVER, folder=folder)
    assert '"state": "failed"' in (folder / "run.json").read_text()
