"""What is watched while a model trains, and told once when it is not as it should be.

Every alarm gives remarks: the name of an event, a sentence, and for the event "recovered" the name
of what is over.
"""

import math
from typing import NamedTuple


class Remark(NamedTuple):
    """Something worth telling: an event of this name, a sentence, and what has ended with it."""

    event: str
    text: str
    of: str = ""


class Plateau:
    """Notices when held-out loss has stopped improving.

    Args:
        patience: measurements in a row without an improvement.
        share: by which the loss must fall to count as improved.
    """

    def __init__(self, patience=10, share=0.005):
        self._patience, self._share = patience, share
        self._best, self._best_step, self._since, self._told = math.inf, 0, 0, False

    def update(self, step, loss):
        """Take a measurement; returns a list of Remark."""
        if loss < self._best * (1.0 - self._share):
            was_told = self._told
            self._best, self._best_step, self._since, self._told = loss, step, 0, False
            improved = Remark("recovered", "Held-out loss improves again.", "plateau")
            return [improved] if was_told else []
        self._since += 1
        if self._since < self._patience or self._told:
            return []
        self._told = True
        return [
            Remark(
                "plateau",
                f"Held-out loss has not improved by {self._share:.1%} in {self._since} "
                f"measurements (best {self._best:.2f} at step {self._best_step}); more steps may "
                "not help.",
            )
        ]


class Collapse:
    """Notices a model that fell silent or plays only noise, by how held-out sounds come out.

    Silent is what lies 30 dB below the recordings. Only noise is what is noisier than a tone 5 dB
    softer than the noise around it, while the recordings are clearly tonal.
    """

    SILENT_DB = -30.0
    NOISY, NOISIER_BY = 0.5, 0.2
    # Before this many steps a model may well be quiet or noisy.
    FROM_STEP = 1000

    def __init__(self):
        self._told = {}

    def update(self, step, heard):
        """Take what was heard.

        Args:
            step: of the training.
            heard: means by name: target and sound (squares), target_noisiness and
                sound_noisiness (0 ... 1).

        Returns:
            List of Remark.
        """
        if step < self.FROM_STEP or not heard.get("target", 0.0) > 0.0:
            return []
        found = self._find(heard)
        news = [
            Remark(event, f"{text} {_WHAT_HELPS}")
            for event, text in found.items()
            if event not in self._told
        ]
        over = [
            Remark("recovered", _OVER[event], event) for event in self._told if event not in found
        ]
        self._told = found
        return [*news, *over]

    def _find(self, heard):
        level_db = 10.0 * math.log10(max(heard["sound"], 1e-20) / heard["target"])
        if level_db < self.SILENT_DB:
            text = f"The model plays {-level_db:.0f} dB softer than the recordings: silence."
            return {"silence": text}
        noisy, should_be = heard["sound_noisiness"], heard["target_noisiness"]
        if noisy > self.NOISY and noisy - should_be > self.NOISIER_BY:
            text = (
                f"What the model plays is noise without a tone (noisiness {noisy:.2f}, of the "
                f"recordings {should_be:.2f})."
            )
            return {"noise_only": text}
        return {}


_OVER = {
    "silence": "The model is no longer silent.",
    "noise_only": "The model plays tones again.",
}
_WHAT_HELPS = (
    "If it stays so, start over with another learning rate, and check that the recordings hold one "
    "instrument, playing one note at a time."
)


class SlowDown:
    """Notices a training that runs much slower than it did.

    Args:
        window_s: seconds over which a speed is measured; single slow steps do not count.
        factor: share of its own best speed below which it is slow.
        windows: how many slow ones in a row are worth a word.
    """

    def __init__(self, window_s=20.0, factor=0.6, windows=3):
        self._window_s, self._factor, self._windows = window_s, factor, windows
        self._begun, self._best, self._slow, self._told = None, 0.0, 0, False

    def update(self, step, at_s):
        """Take a step and when it was done, in seconds of training; returns a list of Remark."""
        if self._begun is None:
            self._begun = (step, at_s)
        from_step, from_s = self._begun
        if at_s - from_s < self._window_s or step <= from_step:
            return []
        self._begun = (step, at_s)
        return self._judge((step - from_step) / (at_s - from_s))

    def begin_anew(self):
        """The steps do not go on where they were."""
        self._begun = None

    def _judge(self, rate):
        if rate >= self._best * self._factor:
            was_told = self._told
            self._best = max(self._best, rate)
            self._slow, self._told = 0, False
            back = Remark("recovered", f"The training is fast again: {rate:.3g} steps/s.", "slow")
            return [back] if was_told else []
        self._slow += 1
        if self._slow < self._windows or self._told:
            return []
        self._told = True
        return [
            Remark(
                "slow",
                f"The training runs at {rate:.3g} steps/s and was at {self._best:.3g}; somebody "
                "may share the machine, or restart it (train again resumes).",
            )
        ]
