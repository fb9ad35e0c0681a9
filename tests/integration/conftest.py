"""Fixtures of the tests that talk to real programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.far_lab import FarLab, far_lab
from tests.integration.lab import Lab, opened
from tests.integration.sshd import Client, Server


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A workspace with screen sessions of its own."""
    yield from opened(tmp_path, monkeypatch)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarLab]:
    """A laptop, and a lab behind a real sshd."""
    with far_lab(tmp_path, monkeypatch) as opened_world:
        yield opened_world


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real sshd."""
    server = Server(tmp_path_factory.mktemp("sshd") / "vm")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A user of that sshd, who has not met it yet."""
    client = Client(tmp_path / "client")
    for name, value in client.env.items():
        monkeypatch.setenv(name, value)
    server.authorized.write_text("")
    server.let_in(client.key)
    client.add_host("vm", server)
    return client
