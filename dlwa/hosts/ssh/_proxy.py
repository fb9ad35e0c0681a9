"""A ProxyCommand of ~/.ssh/config: a program that carries the connection, as OpenSSH runs it."""

import os
import socket
import subprocess
import sys
from contextlib import suppress

from dlwa.errors import DlwaError

_ENDS_WITHIN_S = 1.0


class ProxySocket(socket.socket):
    """The socket a ProxyCommand reads and writes. What it says itself goes to our stderr."""

    def __init__(self, line: str) -> None:
        if sys.platform == "win32":  # its programs cannot be given sockets
            raise DlwaError(
                f"ProxyCommand {line}: dlwa cannot run it on Windows",
                "write ProxyJump in ~/.ssh/config instead",
            )
        near, far = socket.socketpair()
        super().__init__(fileno=near.detach())
        argv = (os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {line}")
        with far:
            self._program = subprocess.Popen(argv, stdin=far.fileno(), stdout=far.fileno())

    def close(self) -> None:
        """End the program too; not all of them notice."""
        super().close()
        self._program.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._program.wait(_ENDS_WITHIN_S)
