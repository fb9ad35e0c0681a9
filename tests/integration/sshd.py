"""Real OpenSSH servers on loopback, with keys, a client's configuration and a proxy that harms."""

import getpass
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from dlwa.errors import UsageError
from dlwa.hosts import ssh
from dlwa.labs import Lab
from tests.integration.lab import wait_for
from tests.integration.slow_line import FAR, SlowLine

SSHD = shutil.which("sshd") or ("/usr/sbin/sshd" if Path("/usr/sbin/sshd").exists() else None)
needs_sshd = pytest.mark.skipif(SSHD is None, reason="openssh-server is missing")


def _gives_terminals() -> bool:
    """Whether an sshd started by this user can open terminals (its /dev/pts must allow it)."""
    with suppress(OSError):
        mounts = Path("/proc/mounts").read_text().splitlines()
        return os.geteuid() == 0 or any("devpts" in line and "gid=5" in line for line in mounts)
    return False


needs_terminals = pytest.mark.skipif(
    not _gives_terminals(), reason="devpts is mounted without gid=5: sshd needs root for terminals"
)


class Server:
    """One sshd with a host key and a list of keys it lets in.

    `line` runs it on the far machine of a slow line instead of this one.
    """

    def __init__(
        self, folder: Path, env: Mapping[str, str] | None = None, line: SlowLine | None = None
    ) -> None:
        self.folder, self.port, self.env = folder, free_port(), dict(env or {})
        self.more_config = ""
        self.address, self._within = (FAR, line.far) if line else ("127.0.0.1", [])
        folder.mkdir(parents=True)
        self.host_key = make_key(folder / "host_ed25519")
        self.authorized = folder / "authorized_keys"
        self.authorized.touch()
        self._process: subprocess.Popen[bytes] | None = None
        self._given = False  # whether somebody has been told the port

    @property
    def public_host_key(self) -> str:
        return " ".join((self.folder / "host_ed25519.pub").read_text().split()[:2])

    def let_in(self, key: Path, options: str = "") -> None:
        """Add a key to those that may log in, perhaps with options before it."""
        public = key.with_name(key.name + ".pub").read_text()
        with self.authorized.open("a") as stream:
            stream.write(f"{options} {public}".lstrip())

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self.folder / "sshd_config"
        # bash then skips the user's own .bashrc, which may do anything and take its time
        env = {"SHLVL": "2", **self.env}
        pairs = " ".join(f'"{name}={value}"' for name, value in env.items())
        config.write_text(
            f"Port {self.port}\nListenAddress {self.address}\nHostKey {self.host_key}\n"
            f"PidFile none\nAuthorizedKeysFile {self.authorized}\nStrictModes no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n"
            "PermitRootLogin prohibit-password\nLogLevel VERBOSE\nMaxStartups 100:30:200\n"
            f"MaxSessions 50\nSubsystem sftp internal-sftp\nSetEnv {pairs}\n"
            f"{self.more_config}\n"
        )
        listens = f"Server listening on {self.address} port {self.port}."
        with (self.folder / "log").open("ab") as log:
            before = self.log().count(listens)
            argv = [*self._within, str(SSHD), "-D", "-e", "-f", str(config)]
            self._process = subprocess.Popen(argv, stderr=log, stdin=subprocess.DEVNULL)
        started = self._process
        wait_for(lambda: self.log().count(listens) > before or started.poll() is not None, self.log)
        # another program may have taken the port meanwhile: it would answer as an impostor
        if started.poll() is not None:
            assert "Address already in use" in self.log() and not self._given, self.log()
            self.port = free_port()
            self.start()
        self._given = True
        if not self._within:
            wait_for(lambda: answers(self.port), self.log)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def sessions(self) -> list[int]:
        """The processes of connections, all below the listener."""
        return descendants(self._process.pid) if self._process else []

    def cut(self) -> None:
        """End every connection as a crash would."""
        for pid in self.connections():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def connections(self) -> list[int]:
        """sshd's own processes, not what they run."""
        return [pid for pid in self.sessions() if "sshd" in name_of(pid)]

    def stop(self) -> None:
        if self._process is None:
            return
        below = self.sessions()
        self._process.kill()
        self._process.wait()
        for pid in below:
            if "sshd" in name_of(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process = None


class Client:
    """What a user has: keys, known_hosts, a configuration, all in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.known_hosts = folder / "known_hosts"
        self.config = folder / "config"
        self.config.write_text("")
        self.key = make_key(folder / "id_ed25519")
        self.env = {"DLWA_SSH_CONFIG": str(self.config), "SSH_AUTH_SOCK": ""}

    def add_host(self, alias: str, server: Server, **more: object) -> None:
        """Describe a machine in the configuration."""
        options = {
            "HostName": server.address,
            "Port": server.port,
            "User": getpass.getuser(),
            "IdentityFile": self.key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "none",
            "HashKnownHosts": "no",
            **more,
        }
        lines = [f"  {name} {value}\n" for name, value in options.items() if value is not None]
        with self.config.open("a") as stream:
            stream.write(f"Host {alias}\n{''.join(lines)}\n")

    def know(self, server: Server, key: str = "", port: int = 0) -> None:
        """Write a machine's key, or a wrong one, into known_hosts."""
        with self.known_hosts.open("a") as stream:
            stream.write(
                f"[{server.address}]:{port or server.port} {key or server.public_host_key}\n"
            )


class Answers:
    """A user who answers as told and remembers what was asked."""

    def __init__(self, yes: bool | None = None, *secrets: str) -> None:
        self.yes, self.secrets = yes, list(secrets)
        self.asked: list[str] = []
        self.told: list[str] = []

    def secret(self, prompt: str) -> str:
        self.asked.append(prompt)
        if not self.secrets:
            raise UsageError("nobody can be asked")
        return self.secrets.pop(0)

    def confirm(self, question: str) -> bool:
        self.asked.append(question)
        if self.yes is None:
            raise UsageError("nobody can be asked")
        return self.yes

    def say(self, text: str) -> None:
        self.told.append(text)


def connect(alias: str = "vm", asker: Answers | None = None, **more) -> ssh.Connection:
    """Connect as that user, by an alias of the configuration."""
    return ssh.connect(ssh.resolve(alias, **more), asker or Answers())


def through_fabric(use: str) -> Callable[..., "ssh.LabConnection"]:
    """The same by fabric's connection, which connects when it is first used."""

    def connect(alias: str = "vm", asker: Answers | None = None, pinned: tuple[str, ...] = ()):
        lab = Lab(alias, host=alias, root="/tmp", host_keys=pinned)
        line = ssh.connection(lab, asker or Answers())
        getattr(line, use)(*(["true"] if use == "collect" else []))
        return line

    connect.__name__ = f"fabric_{use}"
    return connect


# every way in: what one refuses, all refuse
each_road = pytest.mark.parametrize(
    "road",
    [connect, *map(through_fabric, ("collect", "sftp", "shell"))],
    ids=lambda it: it.__name__,
)


class Proxy:
    """Passes TCP on, and harms it when told to: cut after N bytes, flip a bit, stall."""

    def __init__(self, port: int) -> None:
        self.to, self.port = port, 0
        self.cut_after: int | None = None
        self.flip_at: int | None = None
        self.stall_after: int | None = None
        self.released = threading.Event()  # ends a stall
        self.carried = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # a blocked accept would keep it alive
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection; the threads that carry them close the sockets they hold."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.to))
                except OSError:  # the machine is off; the next one may find it on
                    near.close()
                    continue
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(1 << 16):
                if not self._harm(data, other):
                    return
            other.shutdown(socket.SHUT_WR)
        except OSError:  # one side broke: so does the other
            for sock in (one, other):
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _harm(self, data: bytes, other: socket.socket) -> bool:
        before, self.carried = self.carried, self.carried + len(data)
        if self.cut_after is not None and self.carried >= self.cut_after:
            other.sendall(data[: max(0, self.cut_after - before)])
            self.cut_after = None
            self.cut()
            return False
        if self.stall_after is not None and self.carried >= self.stall_after:
            self.released.wait(3600)
        if self.flip_at is not None and before <= self.flip_at < self.carried:
            place = self.flip_at - before
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            self.flip_at = None
        other.sendall(data)
        return True


@contextmanager
def agent(*keys: Path) -> Iterator[str]:
    """An ssh-agent that holds the keys; yields its socket."""
    done = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True)
    values = dict(
        part.split("=", 1) for part in done.stdout.replace(";", "\n").split() if "=" in part
    )
    env = {**os.environ, "SSH_AUTH_SOCK": values["SSH_AUTH_SOCK"]}
    try:
        subprocess.run(["ssh-add", "-q", *map(str, keys)], env=env, check=True)
        yield values["SSH_AUTH_SOCK"]
    finally:
        os.kill(int(values["SSH_AGENT_PID"]), signal.SIGTERM)


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A key pair; returns the private half."""
    argv = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as one:
            return one.recv(4) == b"SSH-"
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and parent_of(int(entry.name)) == pid:
            found += [int(entry.name), *descendants(int(entry.name))]
    return found


def parent_of(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(text[text.rindex(")") + 2 :].split()[1])


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def random_bytes(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


PYTHON = sys.executable
