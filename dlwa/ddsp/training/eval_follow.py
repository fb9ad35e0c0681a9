"""Which checkpoint comes next: one, or each that a running training writes."""

import time
from pathlib import Path

from absl import logging

from dlwa import runfiles
from dlwa.ddsp.training import checkpoint_util

LOOK_AGAIN_S = 5.0
_OVER = ("finished", "stopped", "failed")


def checkpoints(restore_dir, delay_s=0.0, run_once=False):
    """Prefixes of checkpoints as they appear, always the newest.

    Ends after one with `run_once`, and when the record of the training in the folder says that it
    is over; a training without a record is waited for until somebody stops this program.

    Raises:
        FileNotFoundError: with `run_once`, if there is none.
    """
    if run_once:
        yield checkpoint_util.get_latest_checkpoint(restore_dir)
        return
    last, last_time = None, -float("inf")
    while True:
        over = _is_over(restore_dir)  # before looking: it saves before it ends
        newest = _newest(restore_dir)
        if newest != last and (over or time.monotonic() - last_time >= delay_s):
            last, last_time = newest, time.monotonic()
            yield newest
        elif over:
            logging.info("The training is over (%s); there will be no more checkpoints.", over)
            return
        else:
            time.sleep(min(LOOK_AGAIN_S, delay_s) or LOOK_AGAIN_S)


def _newest(restore_dir):
    try:
        return checkpoint_util.get_latest_checkpoint(restore_dir)
    except FileNotFoundError:
        logging.log_first_n(logging.INFO, "Waiting for a checkpoint in %s", 1, restore_dir)
        return None


def _is_over(restore_dir):
    """How the training of this folder ended, by its record; empty while it goes on or has none."""
    state = (runfiles.read_json(Path(restore_dir) / runfiles.RECORD_FILE) or {}).get("state")
    return state if state in _OVER else ""
