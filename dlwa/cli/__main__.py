"""`python -m dlwa.cli`, and the command `dlwa`."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from dlwa.cli import main


def run() -> NoReturn:
    """Run the command line and be gone: to take Python apart would cost each command 70 ms."""
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody is left to be told
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
