"""Telling how far a preparation has come: a line in the log, a line in the run's folder."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from absl import logging

from dlwa import runfiles

UNIT = "s of audio"
_LOG_EVERY_S = 5.0
_REPORT_EVERY_S = 1.0


class CancelledError(Exception):
    """The preparation ends early; what is being measured is not needed any more."""


class Progress:
    """Seconds of audio done of a total, with speed and remaining time, told by several threads."""

    def __init__(self, total_s: float):
        self.total_s = total_s
        self.done_s = 0.0
        self.measured_s = 0.0
        self.cancelled = False
        self._lock = threading.Lock()
        self._begun: float | None = None
        self._logged = self._reported = time.monotonic()

    @contextlib.contextmanager
    def of(self, name: str, seconds: float) -> Iterator[Callable[[float], None]]:
        """Count one recording: yields what to call with the seconds measured since the last call.

        At the end all of the recording counts as done, even what was known or turned out unusable.
        """
        ticked = 0.0
        self._begun = self._begun or time.monotonic()

        def tick(more_s: float) -> None:
            nonlocal ticked
            self.check()
            more_s = min(more_s, max(0.0, seconds - ticked))
            ticked += more_s
            self._count(more_s, more_s, name)

        try:
            yield tick
        finally:
            self._count(seconds - ticked, 0.0, name)

    def check(self) -> None:
        """Raise CancelledError if nobody waits for the result any more."""
        if self.cancelled:
            raise CancelledError

    def reading(self, name: str) -> None:
        """Tell that a recording is being read, as long as none is being measured."""
        self.check()
        if not self.measured_s:
            self._count(0.0, 0.0, f"reading {name}")

    def finish(self) -> float:
        """Report the end; return the speed in times real time."""
        self.done_s = self.total_s
        self._report("")
        return self._speed()

    def _count(self, done_s: float, measured_s: float, name: str) -> None:
        with self._lock:
            self.done_s = min(self.done_s + done_s, self.total_s)
            self.measured_s += measured_s
            now = time.monotonic()
            if now - self._reported >= _REPORT_EVERY_S:
                self._reported = now
                self._report(name)
            if now - self._logged >= _LOG_EVERY_S:
                self._logged = now
                self._log(name)

    def _speed(self) -> float:
        begun = self._begun or time.monotonic()
        return self.measured_s / max(time.monotonic() - begun, 1e-6)

    def _left_s(self) -> float | None:
        """Seconds to go at the speed so far, which is that of what had to be measured."""
        speed = self._speed()
        return (self.total_s - self.done_s) / speed if speed > 0 else None

    def _report(self, name: str) -> None:
        left_s = self._left_s()
        more = {} if left_s is None else {"eta_s": round(left_s, 1)}
        done_s, total_s = round(self.done_s, 1), round(self.total_s, 1)
        runfiles.tell_progress(done_s, total_s, UNIT, name, **more)

    def _log(self, name: str) -> None:
        left_s = self._left_s()
        logging.info(
            "%5.1f of %.1f s of audio (%.1f x real time%s): %s",
            self.done_s,
            self.total_s,
            self._speed(),
            f", about {left_s:.0f} s left" if left_s is not None else "",
            name,
        )
