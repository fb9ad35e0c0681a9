"""Programs at a port: which failures are the port's, and how the others are told."""

import errno
import os
import signal
import socket

import pytest

pytestmark = pytest.mark.ddsp


@pytest.fixture(autouse=True)
def _own_signals():
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def models(tmp_path):
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def _run(models, listen, *words):
    from dlwa.ddsp import ports

    return ports.run(
        ports.parser("serve", "plays", "UDP", 9001), [f"--models={models}", *words], listen
    )


def _opening(given, _scratch):
    from dlwa.ddsp import ports

    with ports.binding():
        socket.create_server((given.host, given.port)).close()


def test_a_taken_port_is_told_as_taken(models, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert _run(models, _opening, f"--port={port}") == 6
    said = capsys.readouterr().err
    assert f"host=127.0.0.1 port={port}: Address already in use" in said
    assert "another serve may be open already; --port=0" in said


def test_an_address_of_another_machine_is_told_as_that(models, capsys):
    assert _run(models, _opening, "--host=192.0.2.1", "--port=0") == 6
    assert "--host must be an address of this machine" in capsys.readouterr().err


def test_a_port_for_the_administrator_alone_is_told_as_that(models, capsys, monkeypatch):
    def denied(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", denied)
    assert _run(models, _opening, "--port=80") == 6
    assert "ports below 1024 are the administrator's" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.ENOENT])
def test_what_has_nothing_to_do_with_the_port_is_told_as_it_is(models, capsys, number):
    def listen(_given, _scratch):
        raise OSError(number, os.strerror(number), "/far/sound.wav")

    assert _run(models, listen) == 1
    said = capsys.readouterr().err
    assert f"{os.strerror(number)}: '/far/sound.wav'" in said and "port" not in said


def test_the_programs_tell_a_taken_port_from_the_rest(models):
    from dlwa.ddsp import ports
    from dlwa.ddsp.serve._requests import Requests
    from dlwa.ddsp.serve._server import Server

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(ports.PortError, match="in use"):
            Server(Requests(models, None, models), port=other.getsockname()[1])
