"""What a laptop with Windows needs: seen from here, with what Windows has not taken away."""

import subprocess
import sys

from tests.imports import ROOT

PRELUDE = """
import sys, types
# the libraries choose their own Windows halves; ours are what is tried
import asyncio, concurrent.futures, ctypes, fabric, getpass, http.server, importlib.metadata
import multiprocessing, paramiko, rich.console, rich.live, rich.progress, rich.table, socketserver
import subprocess, tarfile, tempfile, typer, yaml

GONE = {"termios", "fcntl", "tty", "pty", "pwd", "grp", "resource"}

class Windows:
    def find_spec(self, name, *_):
        if name in GONE:
            raise ImportError(f"{name} is not for Windows")

for name in GONE:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Windows())
sys.platform = "win32"
msvcrt = sys.modules["msvcrt"] = types.ModuleType("msvcrt")
import os
for name in ("O_CLOEXEC", "O_NOFOLLOW", "fchmod", "geteuid", "getuid"):
    delattr(os, name)
"""


def on_windows(code: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code, *words], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_of_the_lab_half_can_be_imported():
    code = """
import importlib
from tests.imports import sources
for name in sources():
    if not name.startswith("dlwa.ddsp") and not name.endswith("__main__"):
        importlib.import_module(name)
print("all")
"""
    assert on_windows(code) == "all\n"


def test_a_terminal_is_handed_over_with_keys_as_escape_sequences():
    code = """
from dlwa.hosts.ssh import _terminal
keys = iter(["\\xe0", "H", "\\x03", "é"])
msvcrt.kbhit = lambda: True
msvcrt.getwch = lambda: next(keys)
print([_terminal._keys(0.0) for _ in range(3)])
"""
    assert on_windows(code) == "[b'\\x1b[A', b'\\x03', b'\\xc3\\xa9']\n"


def test_a_lock_is_taken_the_way_windows_takes_it(tmp_path):
    code = """
from pathlib import Path
from dlwa.locks import FileLock
free = [False, False, True]
def locking(handle, mode, count):
    if not free.pop(0):
        raise OSError(13, "Permission denied")
msvcrt.locking, msvcrt.LK_NBLCK = locking, 2
lock = FileLock(Path(sys.argv[1]) / "lock")
print(lock.try_acquire(), lock.held)
with lock:
    print(lock.held, free)
"""
    assert on_windows(code, str(tmp_path)) == "False False\nTrue []\n"


def test_the_console_is_put_right_afterwards():
    code = """
from dlwa.hosts.ssh import _terminal
said = []
class Kernel:
    def __getattr__(self, name):
        answer = 850 if name == "GetConsoleOutputCP" else 1
        return lambda *given: said.append((name, *given[:1])) or answer
ctypes.windll = types.SimpleNamespace(kernel32=Kernel())
with _terminal._raw_terminal():
    said.append("work")
print(said[-3:], ("SetConsoleOutputCP", 65001) in said)
"""
    told = on_windows(code)
    assert (
        told == "[('SetConsoleMode', 1), ('SetConsoleMode', 1), ('SetConsoleOutputCP', 850)] True\n"
    )
