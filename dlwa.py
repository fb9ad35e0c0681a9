#!/usr/bin/env python3
"""Start dlwa: `./dlwa.py demo`, or `python3 dlwa.py demo` where files are not executable.

The first start makes `.venv` beside this file and installs what the command line needs; every
start then hands over to it. Standard library only. The file is kept readable for old Pythons
(3.6), so that they can say what is missing instead of failing on the syntax.
"""

import os
import sys

OLDEST, TOO_NEW = (3, 11), (3, 14)
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin", "python")
STAMP = os.path.join(VENV, "dlwa-installed")
EXTRAS = os.path.join(VENV, "dlwa-extras")  # written by `dlwa setup`: which half is in there too
PYPROJECT = os.path.join(ROOT, "pyproject.toml")
CONSTRAINTS = os.path.join(ROOT, "dlwa", "constraints.txt")


def main(words):
    """Make sure that everything is installed, then become `.venv`'s dlwa."""
    if read(STAMP) != fingerprint() or not os.path.exists(PYTHON):
        if not OLDEST <= sys.version_info[:2] < TOO_NEW:
            return start_with_newer_python(words)
        code = install_once()
        if code:
            return code
    # -P: a folder named dlwa where one happens to stand must not be taken for us
    return hand_over([PYTHON, "-P", "-m", "dlwa.cli"] + words)


def fingerprint():
    """What must be unchanged for an installation to be good: the lists, the Python, the place."""
    import binascii

    sums = [binascii.crc32(read(path).encode("utf-8")) for path in (PYPROJECT, CONSTRAINTS)]
    return "dlwa 1 %08x %08x\n%s\n%s\n" % (sums[0], sums[1], os.path.realpath(PYTHON), ROOT)


def read(path):
    """Return the text of a file, empty if there is none."""
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError):
        return ""


def hand_over(argv):
    """Become another program; on Windows, where one cannot, wait for it."""
    if os.name != "nt":
        sys.stdout.flush()
        os.execv(argv[0], argv)
    import signal
    import subprocess

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program
    return subprocess.call(argv)


def say(text):
    """Tell the story on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def start_with_newer_python(words):
    """Look for a Python that dlwa runs on and start over with it; else say how to get one."""
    mine = "%d.%d" % sys.version_info[:2]
    for candidate in candidates():
        if answers(candidate):
            return hand_over(candidate + [os.path.abspath(__file__)] + words)
    say("error: python=%s, dlwa needs Python 3.11, 3.12 or 3.13" % mine)
    say("hint: " + how_to_get_python())
    return 1


def candidates():
    """Commands that may be a right Python: our own first, then the newest."""
    import shutil

    names = ["3.%d" % minor for minor in range(TOO_NEW[1] - 1, OLDEST[1] - 1, -1)]
    found = [[PYTHON if os.path.exists(PYTHON) else None]]
    found += [[shutil.which("python" + name)] for name in names] + [[shutil.which("python3")]]
    if os.name == "nt":
        launcher = shutil.which("py")
        found += [[launcher, "-" + name] for name in names if launcher]
    return [candidate for candidate in found if candidate[0]]


def answers(candidate):
    """Whether a command really is a Python of the right version (a shim may only look so)."""
    import subprocess

    question = "import sys; sys.exit(not %r <= sys.version_info[:2] < %r)" % (OLDEST, TOO_NEW)
    try:
        quiet = subprocess.DEVNULL
        return not subprocess.call(candidate + ["-c", question], stdout=quiet, stderr=quiet)
    except OSError:
        return False


def how_to_get_python():
    """The next thing to type on this system."""
    if sys.platform == "darwin":
        return "brew install python@3.13, or the installer of python.org"
    if os.name == "nt":
        return "winget install Python.Python.3.13, then: py -3.13 dlwa.py"
    return "sudo apt install python3.11 python3.11-venv (or your system's package of Python 3.11+)"


def install_once():
    """Install while holding a lock, so that several first starts at once do it one by one."""
    folder = os.path.join(ROOT, ".dlwa")
    try:
        os.makedirs(folder, exist_ok=True)
        lock = open(os.path.join(folder, "install.lock"), "a")  # noqa: SIM115 - held on purpose
    except OSError as error:
        say("error: %s" % error)
        say("hint: dlwa installs itself into its own folder; copy it to one you may write to")
        return 1
    with lock:
        wait_for(lock)
        if read(STAMP) == fingerprint():  # somebody else has just done it
            return 0
        return install()


def wait_for(lock):
    """Hold the lock; say so if somebody else has it. Without working locks just go on."""
    try:
        import fcntl
    except ImportError:
        wait_for_on_windows(lock)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another dlwa is installing here; waiting for it ...")
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:
        pass  # some network folders have no locks


def wait_for_on_windows(lock):
    """The same with the locks of Windows, which give up after ten seconds."""
    import msvcrt

    told = False
    while True:
        try:
            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
            return
        except OSError:
            if not told:
                say("another dlwa is installing here; waiting for it ...")
            told = True


def install():
    """Install the light half (and what `dlwa setup` has added); the stamp is written last."""
    first = not read(STAMP)
    if first:
        say("dlwa starts here for the first time and installs itself into .venv (about 80 MB)")
    else:
        say("dlwa or its folder has changed; bringing .venv up to date")
    moved = not first and not read(STAMP).endswith("\n%s\n" % ROOT)
    sound = works(["-c", "import pip"])
    if (moved or not sound) and not make_venv(clear=not sound):
        return 1
    code = pip_install()
    if code and first and sound and make_venv(clear=True):
        code = pip_install()  # an interrupted first start had left something broken
    if code:
        say("error: the installation did not finish (pip ended with %d)" % code)
        say("hint: check the internet connection and the disk space, then run the same again")
        return 1
    write_stamp()
    say("installed.")
    return 0


def works(arguments):
    """Whether .venv has a Python that can do this."""
    import subprocess

    try:
        quiet = subprocess.DEVNULL
        return not subprocess.call([PYTHON] + arguments, stdout=quiet, stderr=quiet)
    except OSError:
        return False


def make_venv(clear):
    """Make .venv anew, or let it write its own scripts again for the place it has moved to."""
    import shutil
    import subprocess

    maker = getattr(sys, "_base_executable", sys.executable) if clear else PYTHON
    if clear:
        shutil.rmtree(VENV, ignore_errors=True)
    finished = subprocess.run(
        [maker, "-m", "venv", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    if finished.returncode:
        say(finished.stdout.strip())
        say("error: python=%s cannot make a virtual environment in %s" % (maker, VENV))
        say("hint: sudo apt install python3-venv (Debian and Ubuntu), then run the same again")
    return not finished.returncode


def pip_install():
    """Run pip for this project; show what it is busy with, keep its words for a failure."""
    import subprocess

    target = ROOT + ("[%s]" % read(EXTRAS).strip() if read(EXTRAS).strip() else "")
    argv = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    argv += ["-c", CONSTRAINTS, "-e", target]
    pip = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        errors="replace",
    )
    said = []
    for line in pip.stdout:
        said.append(line.rstrip())
        show(line.split())
    code = pip.wait()
    show([])
    if code:
        say("\n".join(said[-15:]))
    return code


def show(words):
    """One line of progress that is overwritten; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        return
    text = ""
    if words[:1] == ["Collecting"]:
        text = "  fetching " + words[1]
    elif words[:1] == ["Installing"]:
        text = "  installing"
    if text or not words:
        sys.stderr.write("\r" + text.ljust(60) + ("" if words else "\r"))
        sys.stderr.flush()


def write_stamp():
    """Record that the installation is whole; replaced at once, so it is never half written."""
    aside = "%s.%d" % (STAMP, os.getpid())
    with open(aside, "w", encoding="utf-8", newline="") as stream:
        stream.write(fingerprint())
    os.replace(aside, STAMP)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("\ninterrupted; run the same again and it goes on")
        sys.exit(130)
