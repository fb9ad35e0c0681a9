"""What programs have in common that play a folder of models for whoever knocks at a port."""

import argparse
import contextlib
import errno
import signal
import sys
import tempfile
from pathlib import Path

from dlwa.ddsp import quiet
from dlwa.ddsp.failures import fail

_NOT_FOUND, _TAKEN, _INTERRUPTED = 3, 6, 130


def parser(prog, description, protocol, port):
    """The command line of such a program; `protocol` is that of the port."""
    words = argparse.ArgumentParser(prog=prog, description=description, allow_abbrev=False)
    words.add_argument("--models", type=Path, required=True, help="Folder of models.")
    words.add_argument("--host", default="127.0.0.1", help="Address to listen at.")
    words.add_argument(
        "--port", type=int, default=port, help=f"{protocol} port; 0 takes a free one."
    )
    words.add_argument("--pitch_model", default="auto", help="auto, swift, tiny ... full.")
    return words


def run(words, argv, listen):
    """Listen until a signal; returns the exit code.

    Args:
        words: the parser of the command line.
        argv: the command line.
        listen: called with what the command line says and a folder for sounds that is gone
            afterwards; opens the port. May return an exit code.
    """
    given = words.parse_args(argv)
    if not given.models.is_dir():
        return fail(f"models={given.models} does not exist", code=_NOT_FOUND)
    _leave_on_signals()
    with tempfile.TemporaryDirectory(prefix=f"dlwa-{words.prog}-") as scratch:
        try:
            return listen(given, scratch) or 0
        except KeyboardInterrupt:
            return _INTERRUPTED
        except PortError as error:
            place = f"host={given.host} port={given.port}"
            return fail(f"{place}: {error.strerror}", error.hint(words.prog), _TAKEN)
        except OSError as error:
            return fail(str(error))


class PortError(OSError):
    """Nobody can listen at this port: taken, of another machine, or not for this login."""

    def hint(self, program):
        """What to type next."""
        if self.errno == errno.EADDRNOTAVAIL:
            return "--host must be an address of this machine, such as 127.0.0.1"
        if self.errno == errno.EACCES:
            return "ports below 1024 are the administrator's; --port=0 takes a free one"
        return f"another {program} may be open already; --port=0 takes a free one"


@contextlib.contextmanager
def binding():
    """While a port is opened: tell a port that cannot be had from whatever else goes wrong.

    Raises:
        PortError: if the port cannot be had.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            raise PortError(error.errno, error.strerror) from error
        raise


def _leave_on_signals():
    """Make SIGTERM, and a closed terminal, leave by way of everything that cleans up."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def stage(given):
    """The Stage on which the models play; loads TensorFlow."""
    quiet.import_tensorflow()
    from dlwa.ddsp.timbre_transfer import Stage

    return Stage(given.pitch_model)
