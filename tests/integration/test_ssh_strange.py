"""Machines that send what is no SSH: an error of ours each time, and nothing left behind."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlwa.errors import AccessError, NetworkError
from dlwa.hosts.ssh import _connect
from tests.integration.lab import wait_for
from tests.integration.sshd import Answers, Client, Server, connect, make_key, needs_sshd

pytestmark = [pytest.mark.integration, needs_sshd]
BAD_TEXT = b"\0\0\0\2\xff\xfe"


class Place:
    address = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port


@contextlib.contextmanager
def machine(serve: Callable[[socket.socket], None]) -> Iterator[Place]:
    """A machine that meets each guest in this way."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                guest, _ = listener.accept()
                serve(guest)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield Place(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def packet(load: bytes) -> bytes:
    """As SSH sends it before anything is sealed."""
    filled = 8 - (len(load) + 5) % 8 + 8
    return struct.pack(">IB", len(load) + filled + 1, filled) + load + bytes(filled)


FIRST = {
    "nothing": b"",
    "of another kind": packet(b"\xff" + b"x" * 30),
    "empty": packet(b""),
    "words that are none": packet(b"\x14" + bytes(16) + BAD_TEXT * 10 + bytes(5)),
    "good-bye in no words": packet(b"\x01\0\0\0\x0b" + BAD_TEXT + bytes(4)),
    "filled up with more than it has": struct.pack(">IB", 12, 200) + b"z" * 11,
    "endless": b"\xff" * 40000,
}


@pytest.mark.parametrize("what", FIRST)
def test_what_comes_first_is_no_ssh(client: Client, what: str) -> None:
    def serve(guest: socket.socket) -> None:
        with contextlib.suppress(OSError), guest:
            guest.sendall(b"SSH-2.0-strange\r\n")
            guest.recv(1)
            guest.sendall(FIRST[what])
            guest.shutdown(socket.SHUT_WR)
            while guest.recv(1 << 16):
                pass

    before = set(threading.enumerate())
    with machine(serve) as there:
        client.add_host("strange", there)
        with pytest.raises(NetworkError, match="does not answer as an SSH server"):
            connect("strange", Answers(True))
    wait_for(lambda: not set(threading.enumerate()) - before)


def test_what_the_first_line_says_steers_no_terminal(client: Client) -> None:
    def serve(guest: socket.socket) -> None:
        with guest:
            guest.sendall(b"SSH-1.\x1b[2J-old\r\n")

    with machine(serve) as there:
        client.add_host("strange", there)
        with pytest.raises(AccessError, match="no safe way to talk") as caught:
            connect("strange", Answers(True))
    assert "\x1b" not in caught.value.message and "up to date" in caught.value.hint


def test_a_machine_that_says_no_more_than_its_name(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(_connect, "CONNECT_TIMEOUT_S", 0.5)
    silent = threading.Event()

    def serve(guest: socket.socket) -> None:
        with guest:
            guest.sendall(b"SSH-2.0-silent\r\n")
            silent.wait(60)

    with machine(serve) as there:
        client.add_host("silent", there)
        with pytest.raises(NetworkError, match=r"no host key came within 0\.5 s"):
            connect("silent", Answers(True))
        silent.set()


def test_a_machine_that_seals_in_no_way_of_ours(client: Client, tmp_path: Path) -> None:
    there = Server(tmp_path / "chacha")
    there.more_config = "Ciphers chacha20-poly1305@openssh.com"
    there.start()
    try:
        client.add_host("chacha", there)
        with pytest.raises(AccessError, match="no acceptable ciphers") as caught:
            connect("chacha", Answers(True))
    finally:
        there.stop()
    assert "Ciphers +aes256-gcm@openssh.com" in caught.value.hint


SEALED = {
    "of another kind": b"\xff" + b"x" * 30,
    "a refusal in no words": b"\x33" + BAD_TEXT + b"\0",
    "a service in no words": b"\x06" + BAD_TEXT,
    "a channel in no words": b"\x5a" + BAD_TEXT + bytes(2),
    "extensions without end": b"\x07" + b"\xff" * 20,
    "data cut short": b"\x5e" + bytes(3),
    "empty": b"",
    "good-bye in no words": b"\x01" + bytes(4) + BAD_TEXT + bytes(4),
}


@pytest.mark.parametrize("cipher", ["aes128-gcm@openssh.com", "aes128-ctr"])
@pytest.mark.parametrize("what", SEALED)
def test_what_comes_sealed_is_no_ssh(
    client: Client, tmp_path: Path, what: str, cipher: str
) -> None:
    import paramiko

    host_key = make_key(tmp_path / "host")

    def serve(guest: socket.socket) -> None:
        transport = paramiko.Transport(guest)
        transport.get_security_options().ciphers = (cipher,)
        transport.add_server_key(paramiko.PKey.from_path(host_key))

        class Door(paramiko.ServerInterface):
            def get_allowed_auths(self, username: str) -> str:
                return "publickey"

            def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
                packets = transport.packetizer
                build = packets._build_packet
                packets._build_packet = lambda _: build(SEALED[what])
                return paramiko.AUTH_FAILED

        with contextlib.suppress(paramiko.SSHException, EOFError):
            transport.start_server(server=Door())

    with machine(serve) as there:
        client.add_host("strange", there)
        with pytest.raises(NetworkError, match=r"broke|lost"):
            connect("strange", Answers(True))
