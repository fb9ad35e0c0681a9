"""Logging in to a real sshd: keys, agent, passphrases, codes; what is asked and what is not."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlwa.errors import AccessError, UsageError
from dlwa.hosts import ssh
from tests.integration.lab import wait_for
from tests.integration.sshd import Answers, Server, agent, connect, make_key, needs_sshd

pytestmark = [pytest.mark.integration, needs_sshd]


def test_a_key_with_a_passphrase_asks_for_it_and_tells_a_wrong_one(client, server):
    locked = make_key(client.folder / "locked", passphrase="open sesame")
    server.authorized.write_text("")
    server.let_in(locked)
    client.add_host("locked", server, IdentityFile=locked)
    client.know(server)
    user = Answers(None, "wrong", "open sesame")
    connect("locked", user).close()
    assert len(user.asked) == 2 and all(str(locked) in prompt for prompt in user.asked)
    assert user.told


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_other_kinds_of_keys_work(client, server, kind):
    key = make_key(client.folder / kind, kind)
    server.let_in(key)
    client.add_host(kind, server, IdentityFile=key)
    client.know(server)
    connect(kind).close()


def test_the_agent_is_asked_first(client, server, monkeypatch):
    locked = make_key(client.folder / "held")
    server.authorized.write_text("")
    server.let_in(locked)
    client.add_host("held", server, IdentityFile="none", IdentitiesOnly="no")
    client.know(server)
    with agent(locked) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        connect("held").close()


def test_a_public_key_may_name_the_one_of_the_agent(client, server, monkeypatch):
    """The private half is nowhere on this machine: in a stick, or in a password manager."""
    held = make_key(client.folder / "held")
    others = [make_key(client.folder / f"other{number}") for number in range(7)]
    server.authorized.write_text("")
    server.let_in(held)
    client.add_host("held", server, IdentityFile=f"{held}.pub")
    client.know(server)
    with agent(*others, held) as place:
        held.unlink()
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        user = Answers()
        connect("held", user).close()
    assert not user.told


def test_keys_nobody_knows_are_refused_with_what_to_type(client, server):
    server.authorized.write_text("")
    client.know(server)
    with pytest.raises(AccessError, match="none of our keys") as caught:
        connect("vm")
    assert "ssh-copy-id" in caught.value.hint


def test_machines_that_ask_questions_get_answers_and_keep_none(client, tmp_path):
    """Keyboard-interactive and passwords, against a server that asks; PAM is not needed."""
    asked = []
    with asking_server(make_key(tmp_path / "host"), asked) as port:
        client.add_host("asks", ServerAt(port), IdentityFile="none")
        user = Answers(True, "wrong", "123456")
        with ssh.connect(ssh.resolve("asks"), user) as open_one:
            assert open_one.is_open
        assert any("One-time code" in prompt for prompt in user.asked)
        assert asked == ["wrong", "123456"]
        nobody = Answers(True)
        with pytest.raises(UsageError, match="nobody can be asked"):
            ssh.connect(ssh.resolve("asks"), nobody)
    told = " ".join([*user.told, *(path.read_text() for path in client.folder.glob("*hosts"))])
    assert "123456" not in told and "\x1b" not in told


def test_a_code_is_asked_where_ctrl_c_is_heard(client, tmp_path):
    """On the thread that connects: paramiko's own would leave the terminal without echo."""

    class Leaving(Answers):
        def secret(self, prompt: str) -> str:
            raise KeyboardInterrupt

    with asking_server(make_key(tmp_path / "host"), []) as port:
        client.add_host("asks", ServerAt(port), IdentityFile="none")
        before = set(threading.enumerate())
        with pytest.raises(KeyboardInterrupt):
            connect("asks", Leaving(True))
        wait_for(lambda: not [one for one in set(threading.enumerate()) - before if one.daemon])


def test_a_key_and_a_code_together(client, tmp_path):
    """The right key is followed by the question; no other key is tried, no passphrase asked."""
    asked = []
    locked = make_key(client.folder / "locked", passphrase="open sesame")
    with asking_server(make_key(tmp_path / "host"), asked, client.key) as port:
        client.add_host("asks", ServerAt(port))
        text = client.config.read_text()
        client.config.write_text(text + f"  IdentityFile {locked}\n")
        user = Answers(True, "123456")
        ssh.connect(ssh.resolve("asks"), user).close()
    assert asked == ["123456"] and not any("assphrase" in prompt for prompt in user.asked)


def test_a_locked_key_is_asked_about_only_when_no_other_will_do(client, server):
    locked = make_key(client.folder / "locked", passphrase="open sesame")
    client.add_host("both", server, IdentityFile=locked)
    client.config.write_text(client.config.read_text() + f"  IdentityFile {client.key}\n")
    client.know(server)
    user = Answers(None)
    connect("both", user).close()
    assert not user.asked


def test_too_many_keys_are_told_with_what_to_write(client, server):
    server.authorized.write_text("")
    keys = [make_key(client.folder / f"key{number}") for number in range(8)]
    more = "".join(f"  IdentityFile {key}\n" for key in keys)
    client.config.write_text(client.config.read_text().rstrip() + f"\n{more}")
    client.know(server)
    with pytest.raises(AccessError, match=r"after \d+ keys|none of our keys") as caught:
        connect("vm")
    assert "IdentitiesOnly" in caught.value.hint or "ssh-copy-id" in caught.value.hint


def test_too_many_wrong_passwords_are_no_matter_of_the_network(client, tmp_path):
    """sshd counts keys and passwords together, and hangs up."""
    there = Server(tmp_path / "strict")
    there.more_config = "Match all\n  PasswordAuthentication yes\n"
    there.start()
    try:
        keys = [make_key(client.folder / f"key{number}") for number in range(3)]
        client.add_host("strict", there, IdentityFile="\n  IdentityFile ".join(map(str, keys)))
        client.know(there)
        with pytest.raises(AccessError, match="keys and passwords"):
            connect("strict", Answers(None, "a", "b", "c"))
    finally:
        there.stop()


def test_nothing_is_called_refused_that_nobody_was_asked(client, tmp_path):
    """sshd without PAM offers to ask questions, and has none."""
    there = Server(tmp_path / "asks")
    there.more_config = "Match all\n  KbdInteractiveAuthentication yes\n"
    there.start()
    try:
        client.add_host("asks", there)
        client.know(there)
        user = Answers(None)
        with pytest.raises(AccessError, match="none of our keys") as caught:
            connect("asks", user)
        assert not user.told and "chmod go-w" in caught.value.hint
    finally:
        there.stop()


class ServerAt:
    address = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port


@contextlib.contextmanager
def asking_server(host_key: Path, asked: list[str], first: Path | None = None) -> Iterator[int]:
    """An SSH server that lets in whoever knows the one-time code (and has the key `first`)."""
    import paramiko

    class Door(paramiko.ServerInterface):
        def get_allowed_auths(self, username):
            return "keyboard-interactive,publickey" if first else "keyboard-interactive"

        def check_auth_publickey(self, username, key):
            right = first and key.get_base64() == paramiko.PKey.from_path(first).get_base64()
            return paramiko.AUTH_PARTIALLY_SUCCESSFUL if right else paramiko.AUTH_FAILED

        def check_auth_interactive(self, username, submethods):
            return paramiko.InteractiveQuery("Welcome\x1b[2J", "", ("One-time code: ", False))

        def check_auth_interactive_response(self, responses):
            asked.extend(responses)
            good = responses == ["123456"]
            return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                transport = paramiko.Transport(sock)
                transport.add_server_key(paramiko.PKey.from_path(host_key))
                with contextlib.suppress(paramiko.SSHException, EOFError):
                    transport.start_server(server=Door())

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
