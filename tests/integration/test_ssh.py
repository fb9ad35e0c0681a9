"""Connections against a real sshd: keys, host keys, hops, lost lines."""

import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from dlwa.errors import AccessError, DlwaError, NetworkError
from dlwa.hosts import ssh
from dlwa.hosts.base import Completed
from dlwa.hosts.ssh import _connect
from dlwa.labs import Lab
from tests.integration.lab import wait_for
from tests.integration.sshd import (
    Answers,
    Proxy,
    Server,
    connect,
    descendants,
    each_road,
    make_key,
    name_of,
    needs_sshd,
)

pytestmark = [pytest.mark.integration, needs_sshd]


def said_by(line: str, alias: str = "vm", user: Answers | None = None, **more) -> Completed:
    with ssh.connection(Lab(alias, host=alias, **more), user or Answers()) as lab:
        return lab.collect(line)


def shown_by_openssh(key: Path) -> str:
    said = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, text=True, check=True)
    return said.stdout.split()[1]


def test_a_known_machine_is_entered_without_a_question(client, server):
    client.know(server)
    with connect() as open_one:
        assert shown_by_openssh(server.host_key) in open_one.host_key


def test_an_unknown_machine_costs_one_question_with_the_fingerprint_openssh_shows(client, server):
    user = Answers(True)
    connect("vm", user).close()
    assert len(user.asked) == 1 and shown_by_openssh(server.host_key) in user.asked[0]
    connect("vm").close()  # now it is known, to us and to ssh
    argv = ["ssh", "-F", client.config, "-oBatchMode=yes", "vm", "true"]
    assert subprocess.run(argv, check=False).returncode == 0


@each_road
@pytest.mark.parametrize("answer", [False, None])
def test_without_a_yes_nothing_is_sent_or_remembered(client, server, answer, road):
    before = server.log().count("Accepted publickey")
    with pytest.raises(AccessError, match="SHA256:") as caught:
        road("vm", Answers(answer))
    assert caught.value.exit_code == 4
    assert not client.known_hosts.exists()
    assert server.log().count("Accepted publickey") == before


@each_road
def test_a_changed_key_is_the_end_even_for_a_user_who_says_yes(client, server, tmp_path, road):
    other = make_key(tmp_path / "other")
    wrong = " ".join(other.with_name("other.pub").read_text().split()[:2])
    client.know(server, wrong)
    user = Answers(True)
    with pytest.raises(AccessError, match="has changed") as caught:
        road("vm", user)
    assert not user.asked
    assert shown_by_openssh(other) in caught.value.message
    subprocess.run(shlex.split(caught.value.hint.rpartition(": ")[2]), check=True)
    assert not client.known_hosts.read_text(), "the hint forgets the key where it was found"


def test_a_key_of_another_type_than_the_known_one_is_a_changed_key(client, server, tmp_path):
    make_key(tmp_path / "other", "ecdsa")
    client.know(server, " ".join((tmp_path / "other.pub").read_text().split()[:2]))
    with pytest.raises(AccessError, match="has changed"):
        connect("vm", Answers(True))


@each_road
def test_a_pinned_key_wins_over_known_hosts(client, server, tmp_path, road):
    connect("vm", pinned=(server.public_host_key,)).close()
    client.know(server)
    make_key(tmp_path / "other")
    pinned = (" ".join((tmp_path / "other.pub").read_text().split()[:2]),)
    with pytest.raises(AccessError, match="lab file"):
        road("vm", Answers(True), pinned=pinned)


def test_a_revoked_key_is_refused(client, server):
    client.know(server)
    with client.known_hosts.open("a") as stream:
        stream.write(f"@revoked * {server.public_host_key}\n")
    with pytest.raises(AccessError, match="revoked"):
        connect("vm", Answers(True))


def test_hashed_known_hosts_are_read_and_written(client, server):
    client.know(server)
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", client.known_hosts], check=True)
    assert "127.0.0.1" not in client.known_hosts.read_text()
    connect("vm").close()
    client.known_hosts.unlink()
    client.config.write_text(
        client.config.read_text().replace("HashKnownHosts no", "HashKnownHosts yes")
    )
    connect("vm", Answers(True)).close()
    assert "127.0.0.1" not in client.known_hosts.read_text()
    connect("vm").close()


def test_patterns_of_known_hosts_count(client, server):
    line = f"[127.0.0.*]:{server.port} {server.public_host_key}\n"
    client.known_hosts.write_text(f"nonsense\n@cert-authority * {server.public_host_key}\n{line}")
    connect("vm").close()
    client.known_hosts.write_text("![127.0.0.1]:*," + line)
    with pytest.raises(AccessError, match="unknown"):
        connect("vm")


def test_a_machine_known_without_its_port_is_known_as_to_openssh(client, server, tmp_path):
    client.known_hosts.write_text(f"127.0.0.1 {server.public_host_key}\n")
    connect("vm").close()
    make_key(tmp_path / "other")
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    client.known_hosts.write_text(f"127.0.0.1 {other}\n")
    with pytest.raises(AccessError, match="unknown"):  # that is another server there
        connect("vm")


@pytest.mark.parametrize("cut", [5, 40, 44, -3])
def test_a_spoilt_line_of_known_hosts_is_told_as_one(client, server, cut):
    """Neither a changed key nor a machine never seen: file, line, and what to type."""
    kind, data = server.public_host_key.split()
    client.known_hosts.write_text("# mine\n\nothers.example nonsense\n")
    client.know(server, f"{kind} {data[:cut]}")
    user = Answers(True)
    with pytest.raises(AccessError, match=r"known_hosts, line 4: .* cannot be read") as caught:
        connect("vm", user)
    assert not user.asked
    sed = shlex.split(caught.value.hint.rpartition(": ")[2])
    subprocess.run(sed, check=True)
    assert client.known_hosts.read_text().splitlines()[-1] == "others.example nonsense"
    client.know(server, f"{kind} {data[:cut]}")
    client.know(server)
    connect("vm").close()  # another line says it right


def test_lines_of_known_hosts_that_mean_nobody_are_passed_over(client, server):
    spoilt = [
        "|1|abc|def",
        "|1||",
        "|1|\u00e9|x",
        "|1|" + "A" * 27 + "=|\ufffd",
        "\u00fcber,*.nowhere",
    ]
    lines = [f"{name} {server.public_host_key}\n" for name in spoilt]
    client.known_hosts.write_text("".join(lines))
    with pytest.raises(AccessError, match="unknown"):
        connect("vm")
    client.config.write_text(client.config.read_text() + "  HostKeyAlias Lab-VM\n")
    client.known_hosts.write_text(f"{''.join(lines)}LAB-vm {server.public_host_key}\n")
    connect("vm").close()  # names of machines have no case


def test_strict_host_key_checking_asks_nobody(client, server):
    client.config.write_text(client.config.read_text() + "  StrictHostKeyChecking yes\n")
    user = Answers(True)
    with pytest.raises(AccessError, match="unknown"):
        connect("vm", user)
    assert not user.asked


@each_road
def test_every_hop_is_checked(client, server, tmp_path, road):
    """A jump host with a changed key ends it; an unknown one is asked about by its own name."""
    hop = Server(tmp_path / "hop")
    hop.let_in(client.key)
    hop.start()
    try:
        client.add_host("hop", hop)
        client.add_host("inner", server, ProxyJump="hop")
        client.know(server)
        with pytest.raises(AccessError, match="unknown") as caught:
            road("inner")
        assert "host_keys" not in caught.value.hint, "that would pin the lab's own key"
        subprocess.run(caught.value.hint.partition("add it: ")[2], shell=True, check=True)
        connect("inner").close()
        client.known_hosts.write_text("")
        client.know(server)
        user = Answers(True)
        accepted = hop.log().count("Accepted publickey")
        address = said_by("echo $SSH_CONNECTION", "inner", user).out
        assert address.split()[3] == str(server.port)
        assert len(user.asked) == 1 and str(hop.port) in user.asked[0]
        assert hop.log().count("Accepted publickey") == accepted + 1
        client.known_hosts.write_text("")
        client.know(server)
        client.know(hop, server.public_host_key)
        with pytest.raises(AccessError, match="has changed"):
            road("inner", Answers(True))
        assert hop.log().count("Accepted publickey") == accepted + 1
    finally:
        hop.stop()


def test_two_hops_and_a_proxy_command(client, server, tmp_path):
    """`ProxyJump a,b` goes through a to b; a ProxyCommand's machine is checked all the same."""
    hop = Server(tmp_path / "hop")
    hop.let_in(client.key)
    hop.start()
    try:
        client.add_host("hop", hop)
        client.add_host("inner", server, ProxyJump="hop,vm", HostKeyAlias="inner-machine")
        command = f"ssh -F {client.config} -W %h:%p hop"
        client.add_host("piped", server, ProxyCommand=command)
        client.know(hop)
        client.know(server)
        with pytest.raises(AccessError, match="inner-machine is unknown"):
            said_by("true", "inner")
        with client.known_hosts.open("a") as stream:
            stream.write(f"inner-machine {server.public_host_key}\n")
        before = server.log().count("Accepted publickey")
        assert said_by("echo through", "inner").out == "through\n"
        assert (
            server.log().count("Accepted publickey") == before + 2
        )  # as the second hop, and itself
        assert said_by("echo through", "piped").out == "through\n"
        client.known_hosts.write_text("")
        client.know(hop)
        with pytest.raises(AccessError, match="unknown"):
            said_by("true", "piped")
    finally:
        hop.stop()


def test_a_proxy_command_is_a_line_of_a_shell_and_may_speak(client, server, capfd):
    """As with OpenSSH: `2>/dev/null` is no argument, and why it failed is the user's to read."""
    carry = f"ssh -F {client.config} -W %h:%p vm"
    client.add_host("piped", server, ProxyCommand=f"sh -c 'echo here I go >&2; exec {carry}'")
    client.add_host("quiet", server, ProxyCommand=f"{carry} 2>/dev/null")
    client.add_host("broken", server, ProxyCommand="no-such-program %h 100%%")
    client.know(server)
    assert said_by("true", "quiet").ok and said_by("true", "piped").ok
    assert capfd.readouterr().err == "here I go\n"
    with pytest.raises(NetworkError, match="as an SSH server") as caught:
        connect("broken")
    assert "no-such-program" in capfd.readouterr().err and "ssh broken" in caught.value.hint


def test_a_proxy_command_that_dies_is_noticed_at_once_and_none_is_left(client, server):
    client.add_host("piped", server, ProxyCommand=f"ssh -F {client.config} -W %h:%p vm")
    client.know(server)
    with connect("piped") as open_one:
        (proxy,) = (pid for pid in descendants(os.getpid()) if name_of(pid) == "ssh")
        channel = open_one.open_channel("sleep 60")
        os.kill(proxy, signal.SIGKILL)
        with pytest.raises(NetworkError, match="lost"):
            open_one.exit_code(channel)
    connect("piped").close()
    wait_for(lambda: not [pid for pid in descendants(os.getpid()) if name_of(pid) == "ssh"])


def test_jumps_that_go_in_a_circle_are_told(client, server):
    client.add_host("a", server, ProxyJump="b")
    client.add_host("b", server, ProxyJump="a")
    with pytest.raises(DlwaError, match="leads back"):
        ssh.resolve("a")


def test_included_files_and_match_blocks_count(client, server):
    more = client.folder / "more"
    more.write_text(f"Match originalhost short\n  HostName 127.0.0.1\n  Port {server.port}\n")
    text = client.config.read_text()
    client.config.write_text(f"Include {more}\n{text.replace('Host vm', 'Host vm short')}")
    client.know(server)
    assert said_by("true", "short").ok


def test_a_machine_that_is_off_is_a_network_matter(client, server):
    with pytest.raises(NetworkError, match="refuses connections") as caught:
        connect("vm", port=1)
    assert caught.value.exit_code == 5


def test_a_name_that_does_not_exist_is_told(client):
    with pytest.raises(NetworkError, match="unknown"):
        connect("no-such-host.invalid")


def test_a_killed_connection_is_never_an_exit_code(client, server):
    """A lost line looks to paramiko like a command that said nothing and ended with -1."""
    client.know(server)
    with connect() as open_one:
        channel = open_one.open_channel("echo there; sleep 60")
        assert channel.recv(5) == b"there"
        server.cut()
        with pytest.raises(NetworkError, match="lost"):
            open_one.exit_code(channel)


def test_a_peer_that_falls_silent_is_noticed(client, server, monkeypatch):
    monkeypatch.setattr(_connect, "ALIVE_EVERY_S", 0.2)
    monkeypatch.setattr(_connect, "DEAD_AFTER_S", 1.0)
    client.know(server)
    with connect() as open_one:
        channel = open_one.open_channel("sleep 60")
        halted = server.connections()
        for pid in halted:
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            with pytest.raises(NetworkError):
                open_one.exit_code(channel) if channel.recv(1) == b"" else None
            assert time.monotonic() - began < 10
        finally:
            for pid in halted:
                os.kill(pid, signal.SIGCONT)


def test_a_flipped_bit_on_the_line_ends_the_connection(client, server):
    proxy = Proxy(server.port)
    client.know(server, port=proxy.port)
    proxy.flip_at = 200_000
    try:
        with pytest.raises(NetworkError):
            said_by("head -c 1000000 /dev/zero", port=proxy.port)
    finally:
        proxy.close()


def test_only_one_place_opens_connections():
    """Grep: nothing sets paramiko's own policies, and one line makes the transport."""
    sources = {path: path.read_text() for path in Path(ssh.__file__).parents[2].rglob("*.py")}
    for word in ("AutoAdd", "MissingHostKey", "missing_host_key", "SSHClient", "WarningPolicy"):
        assert not [path for path, text in sources.items() if word in text]
    made_here = re.compile(r"(?<!class )\bTransport\(")
    makers = [path.name for path, text in sources.items() for _ in made_here.findall(text)]
    assert makers == ["_connect.py"]
    fabrics = [
        path for path, text in sources.items() if re.search(r"\bfabric\.\w*\(|Group\(", text)
    ]
    made = {word for path in fabrics for word in re.findall(r"fabric\.\w*\(", sources[path])}
    assert made == {"fabric.Config("}, "fabric's own connections accept every key"
