"""Where a job's output goes: the log, whole; the terminal, as far as somebody can look."""

import errno
import os
import time
from contextlib import suppress
from pathlib import Path

_KEPT = 65536
_RETRY_AFTER_S = 10.0


class Tee:
    """Writes bytes to a log at once and shows them on a terminal without ever waiting for it.

    A terminal can stop taking output (somebody scrolls back in screen, the session is gone);
    the job must not wait for that. A full disk does not stop the job either: the log then has a
    gap, and the last output is kept in memory to tell why it ended.
    """

    def __init__(self, log: Path, terminal: int | None) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o664)
        self._terminal = terminal
        self._retry_at = 0.0
        self.disk_full = False
        self.recent = b""
        if terminal is not None:
            os.set_blocking(terminal, False)

    def write(self, data: bytes) -> None:
        """Take a piece of the job's output."""
        self.recent = (self.recent + data)[-_KEPT:]
        self._show(data)

    def say(self, text: str) -> None:
        """Add a line of our own, marked as such."""
        line = text.replace("\n", "\\n").replace("\r", "\\r")
        self._show(f"=== dlwa: {line}\n".encode("utf-8", "replace"))

    def forget_terminal(self) -> None:
        """Stop showing; the session has gone."""
        self._terminal = None

    def close(self) -> None:
        """Close the log."""
        os.close(self._log)

    def _show(self, data: bytes) -> None:
        self._to_log(data)
        if self._terminal is not None:
            with suppress(OSError):
                os.write(self._terminal, data)

    def _to_log(self, data: bytes) -> None:
        if time.monotonic() < self._retry_at:
            return
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._log, view) :]
        except OSError as error:
            self.disk_full = self.disk_full or error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._retry_at = time.monotonic() + _RETRY_AFTER_S
