"""What the commands that make data sets share: how they end."""

import errno

from absl import flags, logging

from dlwa.ddsp.audio_io import AudioFileError
from dlwa.ddsp.failures import fail
from dlwa.ddsp.training.data_preparation._errors import PreparationError, UsageError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def carry_out(command, run, foreseen=()):
    """Run a command and turn every foreseeable failure into a message; returns the exit code.

    Args:
        command: its name.
        run: what it does.
        foreseen: more errors whose first line says all that is to be said.
    """
    if flags.FLAGS["verbosity"].using_default_value:
        logging.set_verbosity(logging.INFO)
    try:
        run()
    except UsageError as error:
        return fail(error.reason, error.hint or f"{command} --help lists the flags", 2)
    except PreparationError as error:
        return fail(error.reason, error.hint, error.exit_code)
    except AudioFileError as error:
        return fail(str(error), "replace or remove this file")
    except OSError as error:
        by_system = f"{error.filename or 'writing'}: {error.strerror}"
        full = error.errno in _FULL
        hint = "free some space on the disk and run the same command again" if full else ""
        return fail(by_system if error.strerror else str(error), hint)
    except foreseen as error:
        return fail(str(error).splitlines()[0])
    except KeyboardInterrupt:
        return 130
    return 0
