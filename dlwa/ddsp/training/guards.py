"""What keeps a long training from going wrong unseen."""

import contextlib
import math
import signal

MAX_ROLLBACKS = 3
MAX_BAD_BATCHES = 10
# After so many good steps a failure counts as the first one again.
_HEALED_STEPS = 1000


class TrainingFailedError(RuntimeError):
    """The training cannot go on.

    Args:
        reason: why.
        hint: what to try.
    """

    def __init__(self, reason, hint=""):
        super().__init__(f"{reason}; {hint}" if hint else reason)
        self.reason, self.hint = reason, hint


class StopRequest:
    """Whether the training is to stop: a signal came, or its time is up."""

    def __init__(self):
        self.reason = ""

    def __bool__(self):
        return bool(self.reason)

    def time_is_up(self, hours):
        """Stop because of the time it was given."""
        self.reason = self.reason or f"its time is up ({hours:g} h)"

    def _note(self, number, _frame):
        if self.reason:
            # Asked a second time: whoever asks does not want to wait for the end of the step.
            raise KeyboardInterrupt
        self.reason = f"asked to by {signal.Signals(number).name}"


@contextlib.contextmanager
def stop_request():
    """Turn SIGTERM, SIGINT and SIGHUP into a StopRequest for the time of the block."""
    request = StopRequest()
    before = {}
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # started by nohup: to go on when the terminal closes
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


class Rollbacks:
    """How often a training had to go back, until it has gone well for long."""

    def __init__(self):
        self.count, self._good_steps = 0, 0

    def went_well(self):
        """Count a good step."""
        self._good_steps += 1
        if self._good_steps >= _HEALED_STEPS:
            self.count = 0

    def add(self):
        """Count a rollback."""
        self.count, self._good_steps = self.count + 1, 0

    def is_enough(self):
        """Whether going back once more makes no sense."""
        return self.count >= MAX_ROLLBACKS
