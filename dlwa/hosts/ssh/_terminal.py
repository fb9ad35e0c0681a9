"""A program on another machine that has this terminal: keys, size and Ctrl-C are its own."""

import os
import shutil
import sys
import threading
import time
from typing import Any

import paramiko

from dlwa.errors import NetworkError
from dlwa.hosts.ssh._connect import Connection, close_channel

_CHUNK = 1 << 15
_LOOK_EVERY_S = 0.05
# what a program that drew the whole screen would do at its end: all lines scroll, plain keys and
# colours, a cursor, the screen as it was before
_PUT_RIGHT = b"\x1b[r\x1b[?1l\x1b>\x1b[0m\x1b[?25h\x1b[?1049l\r\n"


def attach(connection: Connection, line: str) -> int:
    """Give this terminal to a command line over there until it ends; returns its exit code.

    Raises `NetworkError` when the connection is lost meanwhile; the terminal is put right first.
    """
    size = shutil.get_terminal_size()
    term = os.environ.get("TERM", "") or "xterm-256color"
    channel = connection.open_channel(line, (term, size.columns, size.lines))
    try:
        with _raw_terminal():
            _carry(channel)
            try:
                return connection.exit_code(channel)
            except NetworkError:
                _write(_PUT_RIGHT)
                raise
    finally:
        close_channel(channel)


def _carry(channel: paramiko.Channel) -> None:
    """Copy both ways until the program closes its side."""
    ended = threading.Event()
    keys = threading.Thread(target=_send_keys, args=(channel, ended), daemon=True)
    sizes = threading.Thread(target=_send_sizes, args=(channel, ended), daemon=True)
    keys.start()
    sizes.start()
    try:
        while data := channel.recv(_CHUNK):
            _write(data)
    except (OSError, EOFError):
        pass  # the exit code, or its absence, tells what happened
    finally:
        ended.set()
        keys.join(timeout=1.0)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(1, view) :]
        except BlockingIOError:
            time.sleep(0.005)


def _send_sizes(channel: paramiko.Channel, ended: threading.Event) -> None:
    """Pass on each change of the terminal's size; looking works on every system."""
    told = shutil.get_terminal_size()
    while not ended.wait(_LOOK_EVERY_S * 4):
        now = _size()
        if now != told:
            told = now
            try:
                channel.resize_pty(now.columns, now.lines)
            except (paramiko.SSHException, OSError, EOFError):
                return


def _size() -> os.terminal_size:
    try:
        return os.get_terminal_size(1)
    except OSError:
        return shutil.get_terminal_size()


def _send_keys(channel: paramiko.Channel, ended: threading.Event) -> None:
    try:
        while not ended.is_set():
            data = _keys(_LOOK_EVERY_S)
            if data is None:
                return
            if data:
                channel.sendall(data)
    except (OSError, EOFError):
        return


if sys.platform == "win32":
    import ctypes
    import msvcrt

    _UTF8 = 65001
    _SPECIAL = {"H": "\x1b[A", "P": "\x1b[B", "M": "\x1b[C", "K": "\x1b[D", "S": "\x1b[3~"}
    _SPECIAL |= {"G": "\x1b[H", "O": "\x1b[F", "I": "\x1b[5~", "Q": "\x1b[6~", "R": "\x1b[2~"}

    def _keys(wait_s: float) -> bytes | None:
        if not msvcrt.kbhit():
            time.sleep(wait_s)
            return b""
        key = msvcrt.getwch()
        if key in ("\x00", "\xe0"):
            key = _SPECIAL.get(msvcrt.getwch(), "")
        return key.encode("utf-8")

    class _raw_terminal:  # noqa: N801 - used as a function
        """Ctrl-C as a key, escape sequences drawn, bytes read as UTF-8."""

        def __enter__(self) -> None:
            self._kernel = ctypes.windll.kernel32
            self._modes = []
            self._codepage = self._kernel.GetConsoleOutputCP()
            self._kernel.SetConsoleOutputCP(_UTF8)
            for number, on, off in ((-10, 0, 0x7), (-11, 0x5, 0)):
                handle = self._kernel.GetStdHandle(number)
                mode = ctypes.c_ulong()
                if self._kernel.GetConsoleMode(handle, ctypes.byref(mode)):
                    self._modes.append((handle, mode.value))
                    self._kernel.SetConsoleMode(handle, (mode.value | on) & ~off)

        def __exit__(self, *_: object) -> None:
            for handle, mode in self._modes:
                self._kernel.SetConsoleMode(handle, mode)
            self._kernel.SetConsoleOutputCP(self._codepage)

else:
    import select
    import termios
    import tty

    def _keys(wait_s: float) -> bytes | None:
        """What was typed within a moment; None once nothing can come any more."""
        ready, _, _ = select.select([0], [], [], wait_s)
        if not ready:
            return b""
        return os.read(0, _CHUNK) or None

    class _raw_terminal:  # noqa: N801 - used as a function
        """Every key goes to the other side, Ctrl-C too; put right whatever happens."""

        def __enter__(self) -> None:
            self._before: list[Any] | None = None
            if os.isatty(0):
                self._before = termios.tcgetattr(0)
                tty.setraw(0, termios.TCSADRAIN)

        def __exit__(self, *_: object) -> None:
            if self._before is not None:
                termios.tcsetattr(0, termios.TCSADRAIN, self._before)
