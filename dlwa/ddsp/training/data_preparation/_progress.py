"""Telling how far a preparation has come: a line in the log, a line in the run's folder."""

import os
import time
from pathlib import Path

from absl import logging

from dlwa import runfiles

UNIT = "s of audio"
_LOG_EVERY_S = 5.0
_REPORT_EVERY_S = 1.0


def run_dir() -> Path | None:
    """The folder of the run this process belongs to, if it belongs to one."""
    folder = os.environ.get("DLWA_RUN_DIR")
    return Path(folder) if folder and Path(folder).is_dir() else None


class Progress:
    """Seconds of audio done of a total, with speed and remaining time."""

    def __init__(self, total_s: float):
        self.total_s = total_s
        self.done_s = 0.0
        self._begun = time.monotonic()
        self._logged = self._reported = self._begun
        self._what = ""

    def start(self, what: str) -> None:
        """Say which recording comes now."""
        self._what = what

    def tick(self, seconds: float) -> None:
        """Count seconds of audio as done, and tell so if the last time is long enough ago."""
        self.done_s = min(self.done_s + seconds, self.total_s)
        now = time.monotonic()
        if now - self._reported >= _REPORT_EVERY_S:
            self._reported = now
            self._report()
        if now - self._logged >= _LOG_EVERY_S:
            self._logged = now
            self._log(now - self._begun)

    def skip_to(self, seconds: float) -> None:
        """Correct the count, e.g. when a recording turned out to be unusable."""
        self.done_s = min(seconds, self.total_s)

    def finish(self) -> float:
        """Report the end; return the speed in times real time."""
        self.done_s = self.total_s
        self._report()
        return self.total_s / max(time.monotonic() - self._begun, 1e-6)

    def _report(self) -> None:
        if folder := run_dir():
            runfiles.report_progress(folder, self.done_s, self.total_s, UNIT, self._what)

    def _log(self, elapsed_s: float) -> None:
        speed = self.done_s / max(elapsed_s, 1e-6)
        left_s = (self.total_s - self.done_s) / max(speed, 1e-6)
        logging.info(
            "%5.1f of %.1f s of audio (%.1f x real time, about %.0f s left): %s",
            self.done_s,
            self.total_s,
            speed,
            left_s,
            self._what,
        )
