"""Which checkpoint comes next: one, or each that a running training writes."""

import contextlib
import os
import socket
import time
from pathlib import Path

from absl import logging

from dlwa import runfiles
from dlwa.ddsp.training import checkpoint_util

LOOK_AGAIN_S = 5.0
_OVER = ("finished", "stopped", "failed")
_PROC = Path("/proc")


def checkpoints(restore_dir, delay_s=0.0, run_once=False):
    """Prefixes of checkpoints as they appear, always the newest.

    Ends after one with `run_once`, and when the record of the training in the folder says that it
    is over, or names processes of this machine that have gone; a training without a record is
    waited for until somebody stops this program.

    Raises:
        FileNotFoundError: if there is none, and there will be none.
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
        elif over and last is None:
            raise FileNotFoundError(f"the training in {restore_dir} {over}; it left no checkpoint")
        elif over:
            logging.info("The training %s; there will be no more checkpoints.", over)
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
    """How the training of this folder ended, in words; empty while it goes on or has no record."""
    record = _record(restore_dir)
    if record.get("state") not in _OVER and _has_gone(record):
        record = _record(restore_dir)  # it may have ended while we looked
        if record.get("state") not in _OVER:
            return "is lost (its process ended without a word)"
    return f"is over ({record['state']})" if record.get("state") in _OVER else ""


def _record(restore_dir):
    return runfiles.read_json(Path(restore_dir) / runfiles.RECORD_FILE) or {}


def _has_gone(record):
    """Whether the processes of a record lived on this machine and live no more.

    A cluster may start the job again elsewhere; what it does with it cannot be seen from here.
    """
    if record.get("host") != socket.gethostname() or record.get("keeper", "screen") != "screen":
        return False
    here = _boot_id()
    if here and record.get("boot_id", here) != here:
        return True
    named = [key for key in ("pid", "child_pid") if isinstance(record.get(key), int)]
    return bool(named) and not any(_lives(record[key], record.get(f"{key}_start")) for key in named)


def _boot_id():
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _lives(pid, start):
    """Whether a process lives, and is the one that began then (in ticks, as Linux counts)."""
    if not (_PROC / "self/stat").exists():
        with contextlib.suppress(PermissionError):  # somebody else's
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return False
        return True
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0] not in "ZX" and start in (None, int(fields[19]))
