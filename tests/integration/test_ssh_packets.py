"""What comes in over SSH is what was sent: sealed in each way, while keys are renewed, or not."""

import hashlib
import random
import shlex
import threading

import pytest

from dlwa.errors import NetworkError
from dlwa.hosts.ssh import _connect
from dlwa.hosts.ssh._packets import Packetizer
from tests.integration.sshd import Proxy, Server, connect, needs_sshd

pytestmark = [pytest.mark.integration, needs_sshd]

BYTES = 12_000_001


@pytest.fixture
def sent(tmp_path):
    """A file there with every length of packet in it, and its sum."""
    data = random.Random(5).randbytes(BYTES)
    (tmp_path / "sent").write_bytes(data)
    return shlex.quote(str(tmp_path / "sent")), hashlib.sha256(data).hexdigest()


def brought(line: str, alias: str) -> tuple[str, str, str]:
    """The sum of what a command prints, its stderr, and the cipher that sealed it.

    It waits for us at its end: paramiko hangs if a channel ends while it is asking for new keys.
    """
    with connect(alias) as one:
        channel = one.open_channel(f"{line}; read enter")
        whole, left = hashlib.sha256(), BYTES
        while left and (some := channel.recv(1 << 21)):
            whole.update(some)
            left -= len(some)
        one.send(channel, b"\n")
        told = b"".join(iter(lambda: channel.recv_stderr(1 << 15), b"")).decode()
        assert one.exit_code(channel) == 0
        return whole.hexdigest(), told, one.transport.remote_cipher


@pytest.fixture
def own(tmp_path, client):
    """Starts a server with a configuration of its own, which the client knows by a name."""
    started = []

    def start(name: str, config: str = "", **more: str) -> str:
        one = Server(tmp_path / name)
        started.append(one)
        one.more_config = config
        one.let_in(client.key)
        one.start()
        client.know(one)
        client.add_host(name, one, **more)
        return name

    yield start
    for one in started:
        one.stop()


@pytest.mark.parametrize(
    "cipher", ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"]
)
def test_every_cipher_brings_the_same_bytes(own, sent, cipher):
    line, wanted = sent
    slow = f"head -c 70000 {line}; tail -c +70001 {line} | dd bs=7777 status=none; echo done >&2"
    assert brought(slow, own("one", f"Ciphers {cipher}")) == (wanted, "done\n", cipher)


@pytest.mark.parametrize("asks", ["server", "laptop"])
def test_new_keys_in_the_middle_lose_no_byte(own, sent, asks, monkeypatch):
    if asks == "laptop":
        monkeypatch.setattr(_connect, "_NEW_KEYS_AFTER_BYTES", 1 << 20)
    name = own("one", "RekeyLimit 1M" if asks == "server" else "")
    keys: list[bytes] = []
    take = Packetizer.set_inbound_cipher

    def noted(self, block_engine, **more):
        keys.append(more["iv_in"])
        take(self, block_engine, **more)

    monkeypatch.setattr(Packetizer, "set_inbound_cipher", noted)
    line, wanted = sent
    assert brought(f"cat {line}", name)[0] == wanted
    assert len(set(keys)) == len(keys) >= 5


def test_a_command_behind_a_hop_brings_the_same_bytes(own, sent):
    line, wanted = sent
    assert brought(f"cat {line}", own("inner", ProxyJump=own("hop")))[0] == wanted


@pytest.mark.parametrize("at", [300_000, 300_001, 1_000_003])
def test_a_changed_bit_is_never_taken_in(client, server, sent, at):
    with_proxy = Proxy(server.port)
    client.add_host("harmed", server, Port=with_proxy.port)
    client.know(server, port=with_proxy.port)
    line, wanted = sent
    with_proxy.flip_at = at
    try:
        with pytest.raises(NetworkError, match="lost"):
            assert brought(f"cat {line}", "harmed")[0] == wanted
    finally:
        with_proxy.close()


@pytest.mark.parametrize("config", ["", "RekeyLimit 1M", "Ciphers aes256-ctr\nRekeyLimit 1M"])
def test_many_channels_at_once_mix_nothing_up(own, tmp_path, config):
    """Each brings a file of its own on stdout and another on stderr, over one line."""
    sent = [random.Random(seed).randbytes(3_000_001 + seed) for seed in range(6)]
    places = [tmp_path / f"sent{number}" for number in range(6)]
    for place, data in zip(places, sent, strict=True):
        place.write_bytes(data)
    got: dict[int, tuple[bytes, bytes, int]] = {}

    def fetch(number: int) -> None:
        here, there = (shlex.quote(str(places[which])) for which in (number, 5 - number))
        channel = one.open_channel(f"cat {there} >&2 & cat {here}; wait", lends=number % 2 == 0)
        told: list[bytes] = []

        def listen() -> None:
            told.extend(iter(lambda: channel.recv_stderr(1 << 15), b""))

        other = threading.Thread(target=listen)
        other.start()
        whole = b"".join(iter(lambda: bytes(channel.recv(1 << (10 + 2 * number))), b""))
        other.join(60)
        got[number] = (whole, b"".join(told), one.exit_code(channel))

    with connect(own("many", config)) as one:
        threads = [threading.Thread(target=fetch, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert got == {number: (sent[number], sent[5 - number], 0) for number in range(6)}
