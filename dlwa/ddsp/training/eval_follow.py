"""Which checkpoint comes next: one, or each that a running training writes."""

import subprocess
import sys
import time
from pathlib import Path

from absl import logging

from dlwa import runfiles
from dlwa.ddsp.training import checkpoint_util

LOOK_AGAIN_S = 5.0
ASK_AGAIN_S = 30.0
_ANSWERS_WITHIN_S = 60.0
_OVER = ("finished", "stopped", "failed")


def checkpoints(restore_dir, delay_s=0.0, run_once=False):
    """Prefixes of checkpoints as they appear, always the newest.

    Ends after one with `run_once`, and when the training in the folder is over: its record says
    so, or whoever keeps it (this machine, Slurm) says that it is gone. A training without a record
    is waited for until somebody stops this program.

    Raises:
        FileNotFoundError: if there is none, and there will be none.
    """
    if run_once:
        yield checkpoint_util.get_latest_checkpoint(restore_dir)
        return
    training = _Training(restore_dir)
    last, last_time = None, -float("inf")
    while True:
        end = training.end()  # before looking: it saves before it ends
        newest = _newest(restore_dir)
        if newest != last and (end or time.monotonic() - last_time >= delay_s):
            last, last_time = newest, time.monotonic()
            yield newest
        elif end and last is None:
            raise FileNotFoundError(f"the training in {restore_dir} is {end}, without a checkpoint")
        elif end:
            logging.info("The training is %s; there will be no more checkpoints.", end)
            return
        else:
            time.sleep(min(LOOK_AGAIN_S, delay_s) or LOOK_AGAIN_S)


def _newest(restore_dir):
    try:
        return checkpoint_util.get_latest_checkpoint(restore_dir)
    except FileNotFoundError:
        logging.log_first_n(logging.INFO, "Waiting for a checkpoint in %s", 1, restore_dir)
        return None


class _Training:
    """The training that writes the checkpoints, as far as there is a record of it."""

    def __init__(self, folder):
        self._folder = Path(folder).absolute()
        self._ask_at = -float("inf")
        self._gone = ""

    def end(self):
        """How it ended, in words; empty while it goes on, or if nobody can say."""
        record = runfiles.read_json(self._folder / runfiles.RECORD_FILE) or {}
        if record.get("state") in _OVER:
            return record["state"]
        if record and time.monotonic() >= self._ask_at:
            self._gone = self._ask()
            self._ask_at = time.monotonic() + ASK_AGAIN_S
        return self._gone

    def _ask(self):
        """Ask the half of dlwa that knows who keeps runs; without an answer it goes on."""
        argv = [sys.executable, "-m", "dlwa.actions.followed", str(self._folder)]
        here = Path(runfiles.__file__).parents[1]  # what lies in the current folder is not imported
        try:
            done = subprocess.run(
                argv,
                cwd=here,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_ANSWERS_WITHIN_S,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as error:
            logging.warning("Nobody says how the training stands: %s", error)
            return ""
        return done.stdout.strip()
