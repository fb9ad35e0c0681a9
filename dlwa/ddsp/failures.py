"""How every command of this half says that it cannot go on."""

import contextlib
import functools
import sys
from pathlib import Path

from dlwa import runfiles


def flags_of(command):
    """A parser of absl's flags; those that do not exist or cannot be read end with exit code 2."""
    return functools.partial(_read_flags, command)


def _read_flags(command, argv):
    from absl import flags

    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(fail(str(error), f"{command} --help lists the flags", 2))


def fail(reason, hint="", code=1, folder=None):
    """Say why: on stderr, and in the events of the run this belongs to.

    Args:
        reason: what was wrong and what was expected.
        hint: what to type next.
        code: the exit code.
        folder: of the run where no `DLWA_RUN_DIR` names it.

    Returns:
        The exit code.
    """
    print(f"error: {reason}" + (f"\nhint: {hint}" if hint else ""), file=sys.stderr, flush=True)
    place = runfiles.run_dir() or folder
    if place and Path(place).is_dir():
        with contextlib.suppress(OSError):  # a full disk may be the reason itself
            runfiles.report_event(Path(place), "failed", reason=str(reason), hint=hint)
    return code
