"""Measuring a model on sounds it does not learn from."""

import glob
from pathlib import Path

from dlwa.ddsp.training import alarms

HELDOUT_PREFIX = "heldout.tfrecord"
_MAX_BATCHES = 4


class HeldOut:
    """The first few batches of the held-out records that lie beside a data set.

    Args:
        provider: a data provider of the held-out records.
        batch_size: examples a batch; fewer where there are fewer.
    """

    def __init__(self, provider, batch_size):
        dataset = provider.get_batch(batch_size, shuffle=False, repeats=1, drop_remainder=False)
        self._batches = list(dataset.take(_MAX_BATCHES))
        self._collapse = alarms.Collapse()

    def measure(self, trainer):
        """Mean of each loss over all held-out examples, and remarks about how it sounds.

        Returns:
            (losses by name, list of alarms.Remark).
        """
        losses, heard, count = {}, {}, 0
        for batch in self._batches:
            n = int(next(iter(batch.values())).shape[0])
            for sums, values in zip((losses, heard), trainer.listen_step(batch), strict=True):
                for name, value in values.items():
                    sums[name] = sums.get(name, 0.0) + float(value) * n
            count += n
        heard = {name: value / count for name, value in heard.items()}
        remarks = self._collapse.update(int(trainer.step.numpy()), heard)
        return {name: value / count for name, value in losses.items()}, remarks


def find(provider, batch_size):
    """The held-out part of the provider's data set, or None if it has none."""
    pattern = getattr(provider, "file_pattern", None)
    if not isinstance(pattern, str) or not hasattr(provider, "with_file_pattern"):
        return None
    folder = Path(pattern).parent
    if not any(path.stat().st_size for path in folder.glob(f"{HELDOUT_PREFIX}*")):
        return None
    pattern = f"{glob.escape(str(folder))}/{HELDOUT_PREFIX}*"
    return HeldOut(provider.with_file_pattern(pattern), batch_size)
