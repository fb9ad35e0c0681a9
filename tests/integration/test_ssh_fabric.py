"""fabric's Connection on our own lines: what it runs, and that it opens none itself."""

import contextlib
import gc
import io
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlwa.errors import AccessError, DlwaError, NetworkError, UsageError
from dlwa.hosts import ssh
from dlwa.labs import Lab
from tests.integration.far_lab import FarLab
from tests.integration.sshd import Answers, Client, Server, needs_sshd, needs_terminals

pytestmark = [pytest.mark.integration, needs_sshd]
PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/script-labs.md"


def lab_at(alias: str = "vm", user: Answers | None = None, **more) -> "ssh.LabConnection":
    return ssh.connection(Lab(alias, host=alias, root="/tmp", **more), user or Answers())


def test_run_is_fabrics_own(client: Client, server: Server):
    from fabric import Connection, SerialGroup

    client.know(server)
    with lab_at() as lab:
        assert isinstance(lab, Connection) and not lab.is_connected
        done = lab.run("printf out; printf err >&2; exit 7", hide=True, warn=True, in_stream=False)
        assert (done.exited, done.stdout, done.stderr) == (7, "out", "err")
        with lab.cd(lab.root):
            assert lab.run("pwd", hide=True, in_stream=False).stdout == "/tmp\n"
        group = SerialGroup.from_connections([lab, lab_at()])
        said = group.run("echo hi", hide=True, in_stream=False)
        assert {one.stdout for one in said.values()} == {"hi\n"}
        group.close()
    assert not lab.is_connected


def test_files_go_both_ways(client: Client, server: Server, tmp_path: Path):
    client.know(server)
    with lab_at() as lab:
        lab.put(io.BytesIO(b"\0\xff" * 1000), str(tmp_path / "there"))
        lab.get(str(tmp_path / "there"), str(tmp_path / "here"))
        assert (tmp_path / "here").read_bytes() == b"\0\xff" * 1000
        with pytest.raises(DlwaError, match="cannot be written"):
            lab.send_file(b"x", "/no/such/folder/file")


def test_fabric_can_open_nothing_by_itself(client: Client, server: Server):
    """fabric makes a client that would accept any key; it is thrown away before it is used."""
    from fabric import Connection
    from paramiko import AutoAddPolicy, SSHClient

    client.know(server)
    with lab_at() as lab:
        trusting = below(Connection("127.0.0.1", config=lab.config))
        assert [one for one in trusting if isinstance(one, AutoAddPolicy)], "what we look for"
        assert not [one for one in below(lab) if isinstance(one, AutoAddPolicy | SSHClient)]
        with pytest.raises(AccessError, match="by itself"):
            lab.client.connect("127.0.0.1", port=server.port)
        lab.gateway = "nc %h %p"
        with pytest.raises(AccessError, match="by itself"):
            lab.open_gateway()
        lab.open()
        assert not [one for one in below(lab) if isinstance(one, AutoAddPolicy | SSHClient)]


def below(thing: object) -> list[object]:
    """Everything that can be reached from an object, modules, classes and functions aside."""
    seen: dict[int, object] = {}
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        shared = isinstance(one, type | type(gc)) or hasattr(one, "__globals__")
        if id(one) not in seen and not shared:
            seen[id(one)] = one
            waiting += gc.get_referents(one)
    return list(seen.values())


def test_the_line_can_be_lost_and_opened_again(client: Client, server: Server):
    client.know(server)
    with lab_at() as lab:
        assert lab.collect("true").ok
        with pytest.raises(NetworkError, match="lost"):
            lab.collect("kill -9 $PPID; sleep 30")
        assert lab.collect("echo again").out == "again\n"
        with pytest.raises(NetworkError, match=r"within 0\.3 s"):
            lab.collect("sleep 30", timeout_s=0.3)


@contextlib.contextmanager
def hears_ctrl_c() -> Iterator[None]:
    """Also where the tests run in the background, with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_leaves_a_command_that_is_waited_for(client: Client, server: Server):
    """By itself fabric passes it on, and waits."""
    client.know(server)
    with hears_ctrl_c(), lab_at() as lab:
        lab.open()
        threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
        began_s = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            lab.collect("sleep 30")
        assert time.monotonic() - began_s < 10
        assert lab.collect("echo again").out == "again\n"


@needs_terminals
def test_a_shell_has_a_terminal_and_may_be_lost(client: Client, server: Server):
    client.know(server)
    with lab_at() as lab:
        assert "/dev/pts/" in lab.shell(in_stream=io.StringIO("tty; exit\n")).stdout
        with pytest.raises(NetworkError, match="lost"):
            lab.shell(in_stream=io.StringIO("kill -9 $PPID; sleep 30\n"))


def test_nothing_is_read_from_this_terminal(client: Client, server: Server, monkeypatch):
    client.know(server)
    monkeypatch.setattr("sys.stdin", None)
    with lab_at() as lab:
        assert lab.collect("cat; echo end").out == "end\n"


SUDO = """#!/bin/sh
# asks as sudo does, and knows one password
[ "$1" = -n ] && { echo "sudo: a password is required" >&2; exit 1; }
shift; printf %s "$2" >&2; shift; shift
read -r typed
[ "$typed" = open-sesame ] || { printf 'Sorry, try again.\\n' >&2; exit 1; }
exec "$@"
"""


def test_sudo_asks_for_its_password_here_and_keeps_it_nowhere(
    client: Client,
    tmp_path: Path,
):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sudo").write_text(SUDO)
    (tmp_path / "bin/sudo").chmod(0o755)
    there = Server(tmp_path / "sudoer", {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"})
    there.let_in(client.key)
    there.start()
    try:
        client.add_host("sudoer", there)
        client.know(there)
        user = Answers(True, "wrong", "open-sesame")
        with lab_at("sudoer", user) as lab:
            done = lab.collect_as_root(f"echo it\\'s done > {tmp_path}/made && cat {tmp_path}/made")
            assert (done.code, done.out) == (0, "it's done\n")
            assert len(user.asked) == 2 and "not accepted" in user.told
            assert not [one for one in below(lab.config) if one == "open-sesame"]
        with (
            pytest.raises(AccessError, match="does not let"),
            lab_at("sudoer", Answers(True, "1", "2", "3")) as lab,
        ):
            lab.collect_as_root("true")
        assert "open-sesame" not in there.log()
    finally:
        there.stop()


def test_this_machine_is_no_place_to_connect_to():
    with pytest.raises(UsageError, match="this machine"):
        ssh.connection("local")


def test_naming_the_door_loads_no_fabric():
    code = "import sys, dlwa.hosts.ssh; sys.exit('fabric' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_scripts_of_the_page_run(world: FarLab):
    """Each block of docs/how-to/script-labs.md, on labs behind a real sshd."""
    world.describe("mylab")
    world.describe("other", host="shaky")
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    said = []
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block.replace('run("nvidia-smi")', 'run("echo a GPU")')],
            capture_output=True,
            text=True,
            env=world.environment(DLWA_ROOT=str(world.laptop)),
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert re.fullmatch(r"a GPU\n\d+ characters of JSON\n", said[0])
    assert len(said[1].splitlines()) == 2 and "127.0.0.1 " in said[1]
