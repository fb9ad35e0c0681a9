"""fabric on our own lines: its `run`, `sudo`, `put`, `get`; our host keys, our login, our hops.

fabric alone accepts every unknown host key and opens gateways by itself. Here neither can
happen: the line is made by `connect`, and what could make another one refuses.
"""

import contextlib
import io
from collections.abc import Callable
from typing import Any

import fabric
import paramiko
from invoke.exceptions import AuthFailure, CommandTimedOut, Failure, ThreadException

from dlwa.errors import AccessError, DlwaError, NetworkError
from dlwa.hosts.base import Completed
from dlwa.hosts.ssh._connect import Connection
from dlwa.hosts.ssh._fabric_line import NO_LINE, Line, settings
from dlwa.hosts.ssh._target import Asker, Target
from dlwa.hosts.ssh._transport import told
from dlwa.shell import quote

_TRIES = 3


class LabConnection(fabric.Connection):  # type: ignore[misc]
    """A `fabric.Connection` to a lab; it connects when it is first used.

    `root` is the lab's workspace. Raises `AccessError` for a machine that is not who it should be
    or that lets nobody in, `NetworkError` for a line that breaks.
    """

    _connect: Callable[[], Connection] | None = None
    _line: Connection | None = None
    _own_asker: Asker | None = None
    transport: Any = None
    root: str = ""

    def __init__(
        self, connect: Callable[[], Connection], target: Target, asker: Asker, root: str = ""
    ) -> None:
        super().__init__(target.host, user=target.user, port=target.port, config=settings())
        self.client: Any = NO_LINE
        self._set(_connect=connect, _line=None, _own_asker=asker, root=root)

    @property
    def line(self) -> Connection:
        """The connection below, opened if need be."""
        self.open()
        assert self._line is not None
        return self._line

    def open(self) -> None:
        """Connect unless connected: every host key on the way is checked, then we log in."""
        if self.is_connected:
            return
        self.close()
        assert self._connect is not None
        line = self._connect()
        self._set(_line=line)
        self.client, self.transport = Line(line), line.transport

    def close(self) -> None:
        """Close the line, and the hops before it."""
        super().close()
        if self._line is not None:
            self._line.close()
            self._set(_line=None)
        self.client, self.transport = NO_LINE, None

    def create_session(self) -> Any:
        """Open a channel; raises `NetworkError` if the line is lost."""
        line = self.line
        try:
            return super().create_session()
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise line.lost(error) from error

    def get_gateway(self) -> None:
        """None: hops are those of ~/.ssh/config, and `connect` opens them."""

    def open_gateway(self) -> Any:
        """Refused, because fabric would not check the hop's key."""
        return NO_LINE.connect()

    def collect(self, command: str, timeout_s: float = 60.0, **more: Any) -> Completed:
        """Run a command to its end, showing nothing here; any exit code is fine.

        Raises `NetworkError` if the line breaks before, or after `timeout_s`.
        """
        return self._collected(self.run, command, timeout_s, **more)

    def collect_as_root(self, script: str, timeout_s: float = 600.0) -> Completed:
        """Run a shell script by sudo; its password is asked for, if it wants one, and not kept.

        Raises `AccessError` if sudo does not let us.
        """
        command = f"sh -c {quote(script)}"
        free = self.collect("sudo -n true")
        if free.ok:
            return self.collect(f"sudo -n {command}", timeout_s)
        assert self._own_asker is not None
        for _ in range(_TRIES):
            secret = self._own_asker.secret(f"sudo password of {self.user} on {self.host}: ")
            try:
                return self._collected(self.sudo, command, timeout_s, password=secret)
            except AuthFailure:
                self._own_asker.say("not accepted")
        raise AccessError(
            f"sudo on {self.host} does not let {self.user} in", "ask who runs the machine"
        )

    def send_file(self, data: bytes, remote: str) -> None:
        """Write a file there; a relative path begins at the login's home folder.

        Raises `NetworkError` if the line breaks, `DlwaError` if the file cannot be written.
        """
        line = self.line
        try:
            self.put(io.BytesIO(data), remote=remote)
        except (paramiko.SSHException, OSError, EOFError) as error:
            if not line.is_open:
                raise line.lost(error) from error
            with contextlib.suppress(paramiko.SSHException, OSError, EOFError):
                self.sftp().remove(remote)
            raise DlwaError(
                f"{remote} cannot be written on {self.host} by SFTP: {told(error)}",
                "is the disk full, or SFTP switched off there?",
            ) from error

    def _collected(
        self, run: Callable[..., Any], command: str, timeout_s: float, **more: Any
    ) -> Completed:
        line = self.line
        try:
            done = run(command, hide=True, warn=True, in_stream=False, timeout=timeout_s, **more)
        except CommandTimedOut as error:
            raise NetworkError(
                f"{line.target} did not answer within {timeout_s:g} s", "try again"
            ) from error
        except (ThreadException, paramiko.SSHException, OSError, EOFError) as error:
            raise line.lost(error) from error
        except AuthFailure:
            raise
        except Failure as error:
            raise line.lost(error) from error
        return Completed(done.exited, done.stdout, done.stderr)
