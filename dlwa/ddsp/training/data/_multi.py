"""Several sources at once."""

import gin
import tensorflow as tf

from ._base import DataProvider, first_example

_register = gin.register(module="dlwa.ddsp.training.data")


class BaseMultiProvider(DataProvider):
    """Base of the providers made of others.

    Args:
        data_providers: the others; their rates must agree.
        batch_size_ratios: shares of a batch, brought to a sum of 1; without any, each provider
            counts 1.0 (a whole batch of each when zipped).
    """

    def __init__(self, data_providers, batch_size_ratios=()):
        providers = list(data_providers)
        if not providers:
            raise ValueError(f"data_providers={data_providers!r} must name at least one provider")
        for what in ("sample_rate", "frame_rate"):
            rates = {getattr(p, what) for p in providers}
            if len(rates) > 1:
                raise ValueError(
                    f"data_providers must have the same {what}, they have {sorted(rates)}"
                )
        if batch_size_ratios and len(batch_size_ratios) != len(providers):
            raise ValueError(
                f"batch_size_ratios={batch_size_ratios} must have one share for each of "
                f"{len(providers)} data_providers"
            )
        total = sum(batch_size_ratios)
        super().__init__(providers[0].sample_rate, providers[0].frame_rate)
        self.data_providers = providers
        self.batch_size_ratios = [r / total for r in batch_size_ratios] or [1.0] * len(providers)


@_register
class ZippedProvider(BaseMultiProvider):
    """Batches side by side: a tuple with a batch of every provider."""

    def get_batch(
        self,
        batch_size,
        shuffle=True,
        repeats=-1,
        drop_remainder=False,
        *,
        start_step=0,
        start_example=None,
        seed=0,
    ):
        """Tuples of batches, `int(batch_size * share)` examples of each; see DataProvider."""
        start = first_example(batch_size, start_step, start_example) // batch_size
        batches = [
            provider.get_batch(
                max(1, int(batch_size * share)),
                shuffle,
                repeats,
                drop_remainder,
                start_step=start,
                seed=seed + number,
            )
            for number, (provider, share) in enumerate(
                zip(self.data_providers, self.batch_size_ratios, strict=True)
            )
        ]
        return tf.data.Dataset.zip(tuple(batches))


@_register
class MixedProvider(BaseMultiProvider):
    """Batches whose examples come from any provider, as often as its share says."""

    def get_dataset(self, shuffle=True):
        """One pass, until the first provider has no more examples."""
        return self._mix([p.get_dataset(shuffle) for p in self.data_providers], seed=0)

    def _examples(self, shuffle, repeats, start, seed):
        parts = [
            provider._examples(shuffle, repeats, 0, seed + number)
            for number, provider in enumerate(self.data_providers)
        ]
        return self._mix(parts, seed).skip(start)

    def _mix(self, datasets, seed):
        total = sum(self.batch_size_ratios)
        return tf.data.Dataset.sample_from_datasets(
            datasets,
            [ratio / total for ratio in self.batch_size_ratios],
            seed=seed,
            stop_on_empty_dataset=True,
        )
