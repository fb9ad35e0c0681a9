"""Connecting: name, socket, host key, login, hop by hop; and what a connection can do."""

import contextlib
import logging
import socket
import sys
import threading
from typing import Any

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from dlwa.errors import AccessError, NetworkError
from dlwa.hosts.ssh import _auth, _hostkeys
from dlwa.hosts.ssh._alive import stay_alive
from dlwa.hosts.ssh._inbox import Inbox
from dlwa.hosts.ssh._packets import Packetizer
from dlwa.hosts.ssh._proxy import ProxySocket
from dlwa.hosts.ssh._socket import Socket
from dlwa.hosts.ssh._target import Asker, Target
from dlwa.hosts.ssh._transport import Transport, told

CONNECT_TIMEOUT_S = 10.0
ALIVE_EVERY_S = 5.0
DEAD_AFTER_S = 20.0
# 100 MB/s at 40 ms; twice as much fills the queues on the way, and what overflows is sent again
WINDOW_BYTES = 4 << 20
PACKET_BYTES = 1 << 15
_OLD_CIPHERS = ("3des-cbc",)
# A little after OpenSSH, which asks for new keys after 2^32 blocks of AES (RFC 4344, 3.2): paramiko
# hangs if a channel ends while it is asking; and with its own 512 MiB big files stop.
_NEW_KEYS_AFTER_BYTES = 18 << 32
_CONNECTION_LOST = -1  # paramiko's exit status of a channel that ended without one

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # its tracebacks are told by our errors


def connect(target: Target, asker: Asker) -> "Connection":
    """Connect to a machine through its hops; every host key is checked, then we log in.

    Raises `AccessError` (host key, login) or `NetworkError` (everything that trying again may
    mend).
    """
    before: Connection | None = None
    if target.jump:
        before = connect(target.jump, asker)
    try:
        transport = _transport(target, before)
        try:
            key = _start(transport, target)
            _hostkeys.require_known(target, key, asker)
            transport.set_keepalive(0)
            _auth.log_in(transport, target, asker)
        except BaseException:
            transport.close()
            raise
    except BaseException:
        if before:
            before.close()
        raise
    return Connection(target, transport, before, _hostkeys.fingerprint(key))


class Connection:
    """An open connection. Use it in a `with`; what breaks it raises `NetworkError`."""

    def __init__(
        self,
        target: Target,
        transport: paramiko.Transport,
        before: "Connection | None",
        host_key: str,
    ) -> None:
        self.target, self._transport, self._before = target, transport, before
        self.host_key = host_key
        """The fingerprint of the machine's key."""
        self._closing = threading.Event()
        watched = (transport, transport.sock, self._closing, ALIVE_EVERY_S, DEAD_AFTER_S)
        threading.Thread(target=stay_alive, args=watched, daemon=True, name="ssh-alive").start()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def transport(self) -> paramiko.Transport:
        """The SSH connection itself, host key checked and logged in."""
        return self._transport

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self._transport.is_active()

    def close(self) -> None:
        """Close it, and the hops before it."""
        self._closing.set()
        with contextlib.suppress(paramiko.SSHException, OSError, EOFError):
            self._transport.close()
        if self._before:
            self._before.close()

    def open_channel(
        self, line: str, terminal: tuple[str, int, int] | None = None, *, lends: bool = False
    ) -> paramiko.Channel:
        """Start a command line in the login's shell and return its channel.

        `terminal` is the type, columns and rows of a terminal the command shall see. `lends`: what
        `recv` returns is good until the next `recv` only, which spares much a copy.
        """
        try:
            channel = self._transport.open_session(
                window_size=WINDOW_BYTES, max_packet_size=PACKET_BYTES, timeout=DEAD_AFTER_S
            )
            if terminal:
                channel.get_pty(*terminal)
            inbox = Inbox(lends=lends)
            # nothing comes before a command
            channel.in_buffer = inbox  # type: ignore[assignment]
            self._transport.packetizer.deliver(channel.get_id(), inbox)  # type: ignore[attr-defined]
            channel.exec_command(line)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self.lost(error) from error
        return channel

    def send(self, channel: paramiko.Channel, data: bytes) -> None:
        """Send all of it; raises `NetworkError` if the other side is gone."""
        try:
            channel.sendall(data)
        except (OSError, EOFError) as error:
            raise self.lost(error) from error

    def exit_code(self, channel: paramiko.Channel) -> int:
        """The exit code of a command that has closed its output.

        Raises `NetworkError` if the connection ended before the command did.
        """
        if not channel.status_event.wait(DEAD_AFTER_S):
            raise self.lost(TimeoutError("no exit code came"))
        if channel.exit_status == _CONNECTION_LOST:
            raise self.lost(EOFError())
        return channel.exit_status

    def lost(self, error: BaseException) -> NetworkError:
        """The error that says this connection is lost, and why."""
        return NetworkError(
            f"the connection to {self.target} was lost ({told(error)})", "try again"
        )


def close_channel(channel: paramiko.Channel) -> None:
    """Close a channel; that the connection has gone already is no matter."""
    with contextlib.suppress(paramiko.SSHException, OSError, EOFError):
        channel.close()


def _transport(target: Target, before: Connection | None) -> paramiko.Transport:
    sock: Any = Socket(_socket(target, before))
    transport = Transport(
        sock,
        default_window_size=WINDOW_BYTES,
        default_max_packet_size=PACKET_BYTES,
        packetizer_class=Packetizer,
    )
    options = transport.get_security_options()
    fast = [name for name in options.ciphers if "gcm" in name]
    good = [name for name in options.ciphers if name not in (*fast, *_OLD_CIPHERS)]
    options.ciphers = (*fast, *good)
    transport.packetizer.REKEY_BYTES = _NEW_KEYS_AFTER_BYTES
    known = [kind for name in _hostkeys.preferred_types(target) for kind in _signatures(name)]
    first = [name for name in known if name in options.key_types]
    options.key_types = (*first, *(name for name in options.key_types if name not in first))
    return transport


def _signatures(key_type: str) -> list[str]:
    """The algorithms a key of a type signs with."""
    return ["rsa-sha2-512", "rsa-sha2-256"] if key_type == "ssh-rsa" else [key_type]


def _socket(target: Target, before: Connection | None) -> Any:
    if before:
        try:
            return before._transport.open_channel(
                "direct-tcpip",
                (target.host, target.port),
                ("127.0.0.1", 0),
                window_size=WINDOW_BYTES,
                timeout=CONNECT_TIMEOUT_S,
            )
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise NetworkError(
                f"{before.target} cannot reach {target.host}:{target.port}: {told(error)}",
                "is the machine on?",
            ) from error
    if target.proxy_command:
        names = {"%h": target.host, "%p": str(target.port), "%r": target.user, "%n": target.alias}
        line = target.proxy_command
        for name, value in names.items():
            line = line.replace(name, value)
        return ProxySocket(line.replace("\0", "%"))
    return _tcp(target)


def _tcp(target: Target) -> socket.socket:
    try:
        sock = socket.create_connection((target.host, target.port), CONNECT_TIMEOUT_S)
    except socket.gaierror as error:
        raise NetworkError(
            f"host={target.host} is unknown: {error.strerror}", "check the name and the network"
        ) from error
    except ConnectionRefusedError as error:
        raise NetworkError(
            f"{target.host}:{target.port} refuses connections: the machine is on, but no SSH server"
            " listens at this port",
            "is the port right (lab file, ~/.ssh/config)? there: sudo systemctl start ssh",
        ) from error
    except OSError as error:
        raise NetworkError(
            f"{target.host}:{target.port} does not answer: {error.strerror or error}",
            "is the machine on, and the network the right one (VPN)?",
        ) from error
    # paramiko leaves Nagle's algorithm on, which costs 6 ms at each window update
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(DEAD_AFTER_S * 1000))
    sock.settimeout(None)
    return sock


def _start(transport: paramiko.Transport, target: Target) -> paramiko.PKey:
    """Agree on keys; returns that of the machine, which has signed for it."""
    transport.banner_timeout = CONNECT_TIMEOUT_S
    transport.auth_timeout = 60.0
    try:
        transport.start_client(timeout=CONNECT_TIMEOUT_S)
        if not transport.initial_kex_done:
            raise TimeoutError(f"no host key came within {CONNECT_TIMEOUT_S:g} s")
        return transport.get_remote_server_key()
    except IncompatiblePeer as error:
        hint = "who runs it should bring its SSH server up to date"
        if "cipher" in str(error):
            hint = "dlwa speaks AES only; there, in sshd_config: Ciphers +aes256-gcm@openssh.com"
        raise AccessError(
            f"{target} and dlwa have no safe way to talk in common: {told(error)}", hint
        ) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        hint = f"is {target.port} its SSH port? else try again; it may be starting up"
        if target.proxy_command:
            hint = f"does this reach it? ssh {target.alias}   (ProxyCommand {target.proxy_command})"
        raise NetworkError(
            f"{target} does not answer as an SSH server: {told(error)}", hint
        ) from error
