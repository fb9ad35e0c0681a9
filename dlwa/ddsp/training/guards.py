"""What keeps a long training from going wrong unseen."""

import contextlib
import math
import signal

MAX_ROLLBACKS = 3
# Evaluations without an improvement of at least this share count as standing still.
_PLATEAU_EVALUATIONS = 10
_PLATEAU_SHARE = 0.005


class TrainingFailedError(Exception):
    """The training cannot go on; the message says why and what to try."""


class StopRequest:
    """Whether somebody asked the training to stop (SIGTERM or SIGINT)."""

    def __init__(self):
        self.signal = None

    def __bool__(self):
        return self.signal is not None

    @property
    def name(self):
        """The signal's name."""
        return signal.Signals(self.signal).name if self.signal else ""

    def _note(self, number, _frame):
        self.signal = number


@contextlib.contextmanager
def stop_request():
    """Turn SIGTERM and SIGINT into a StopRequest for the time of the block."""
    request = StopRequest()
    before = {}
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.signal(number, request._note)
    except ValueError:
        # Only the main thread may do this; elsewhere the caller looks after signals.
        before = {}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_finite(losses):
    """Whether all losses are numbers."""
    return all(math.isfinite(value) for value in losses.values())


class Plateau:
    """Notices when held-out loss has stopped improving; tells once."""

    def __init__(self):
        self._best, self._since, self._told = math.inf, 0, False

    def update(self, loss):
        """Take a new loss; True the first time nothing has improved for long."""
        if loss < self._best * (1.0 - _PLATEAU_SHARE):
            self._best, self._since, self._told = loss, 0, False
            return False
        self._since += 1
        if self._since >= _PLATEAU_EVALUATIONS and not self._told:
            self._told = True
            return True
        return False
