"""What fabric's `Connection` leans on, on a line of ours: its client, its runner, its settings."""

from typing import Any

import fabric
import paramiko
from fabric.runners import Remote

from dlwa.errors import AccessError
from dlwa.hosts.ssh._connect import Connection

_READ_BYTES = 1 << 15


class _Runner(Remote):  # type: ignore[misc]
    """A remote command whose lost line is an error, never an exit code."""

    read_chunk_size = _READ_BYTES
    _gave_up = False

    def start(self, *arguments: Any, **more: Any) -> None:
        self._line = self.context.line
        self._is_deaf = self.opts["in_stream"] is False and not self.watchers and not self.using_pty
        super().start(*arguments, **more)
        if self._is_deaf:
            self.channel.shutdown_write()

    def send_interrupt(self, interrupt: KeyboardInterrupt) -> None:
        """Ctrl-C: a command that hears nothing would go on, and we would wait for it."""
        if self._is_deaf:
            self.channel.close()
            raise interrupt
        super().send_interrupt(interrupt)

    def kill(self) -> None:
        self._gave_up = True
        super().kill()

    @property
    def timed_out(self) -> bool:
        """Whether its time was over; fabric asks the timer, which still runs while it closes."""
        return self._gave_up

    def returncode(self) -> int:
        if self.timed_out:
            return int(self.channel.exit_status)
        return int(self._line.exit_code(self.channel))


class _Shell(_Runner):
    """A login shell, likewise."""

    def send_start_message(self, command: str) -> None:
        self.channel.invoke_shell()


class Line:
    """What fabric asks of paramiko's client, answered by a line that stands already."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def get_transport(self) -> paramiko.Transport:
        return self._line.transport

    def open_sftp(self) -> paramiko.SFTPClient:
        try:
            sftp = paramiko.SFTPClient.from_transport(self._line.transport)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._line.lost(error) from error
        assert sftp is not None
        return sftp

    def connect(self, *_: Any, **__: Any) -> None:
        raise AccessError("fabric may open no connection by itself; dlwa.hosts.ssh does")

    def close(self) -> None:
        self._line.close()


class _NoLine(Line):
    """The same before a connection is made."""

    def __init__(self) -> None:
        pass

    def get_transport(self) -> Any:
        return None

    open_sftp = close = Line.connect  # type: ignore[assignment]


NO_LINE = _NoLine()


def settings() -> Any:
    """fabric's settings without anybody's files: ~/.ssh/config is read by OpenSSH itself."""
    run = {"encoding": "utf-8"}
    overrides = {
        "load_ssh_configs": False,
        "run": run,
        "runners": {"remote": _Runner, "remote_shell": _Shell},
    }
    return fabric.Config(lazy=True, overrides=overrides)
