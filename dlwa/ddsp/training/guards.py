"""What keeps a long training from going wrong unseen."""

import contextlib
import math
import signal

MAX_ROLLBACKS = 3
MAX_BAD_BATCHES = 10
# After so many good steps a failure counts as the first one again.
_HEALED_STEPS = 1000
# Evaluations without an improvement of at least this share count as standing still.
_PLATEAU_EVALUATIONS = 10
_PLATEAU_SHARE = 0.005


class TrainingFailedError(Exception):
    """The training cannot go on.

    Args:
        reason: why.
        hint: what to try.
    """

    def __init__(self, reason, hint=""):
        super().__init__(f"{reason}; {hint}" if hint else reason)
        self.reason, self.hint = reason, hint


class StopRequest:
    """Whether the training is to stop: a signal came (SIGTERM, SIGINT), or its time is up."""

    def __init__(self):
        self.reason = ""

    def __bool__(self):
        return bool(self.reason)

    def time_is_up(self):
        """Stop because of the time."""
        self.reason = self.reason or "its time is up"

    def _note(self, number, _frame):
        if self.reason:
            # Asked a second time: whoever asks does not want to wait for the end of the step.
            raise KeyboardInterrupt
        self.reason = f"asked to by {signal.Signals(number).name}"


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


class Collapse:
    """Notices a model that fell silent or plays only noise; tells each once."""

    _SILENT_DB = -30.0
    _NOISE_SHARE = 0.98
    # Before this many steps a model may well be quiet or noisy.
    _FROM_STEP = 1000

    def __init__(self):
        self._told = set()

    def update(self, step, energies):
        """Take mean energies of held-out sounds.

        Args:
            step: of the training.
            energies: mean squares by name: target, sound, harmonic, filtered_noise.

        Returns:
            List of (event, text).
        """
        if step < self._FROM_STEP or energies.get("target", 0.0) <= 0.0:
            return []
        remarks = []
        level_db = 10.0 * math.log10(max(energies["sound"], 1e-20) / energies["target"])
        if level_db < self._SILENT_DB:
            remarks.append(
                ("silence", f"The model plays {-level_db:.0f} dB too quietly, almost silence.")
            )
        harmonic, noise = energies.get("harmonic"), energies.get("filtered_noise")
        if harmonic is not None and noise is not None and harmonic + noise > 0:
            share = noise / (harmonic + noise)
            if share > self._NOISE_SHARE:
                remarks.append(
                    ("noise_only", f"{share:.0%} of what the model plays is noise, no tone.")
                )
        new = [(e, f"{text} {_COLLAPSE_HINT}") for e, text in remarks if e not in self._told]
        self._told.update(event for event, _ in remarks)
        return new


_COLLAPSE_HINT = (
    "If it stays so, start over with another learning rate, and check that the recordings hold one "
    "instrument, playing one note at a time."
)
