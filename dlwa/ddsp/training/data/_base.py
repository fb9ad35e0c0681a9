"""What every source of data can do."""

import numbers

import tensorflow as tf

# Sources without random access are shuffled within a window of this many examples.
_SHUFFLE_WINDOW = 512


class DataProvider:
    """Base of all data providers.

    Args:
        sample_rate: of the audio, in Hz.
        frame_rate: frames a second of the features.
    """

    def __init__(self, sample_rate, frame_rate):
        self._sample_rate = sample_rate
        self._frame_rate = frame_rate

    @property
    def sample_rate(self):
        """Samples a second of the audio."""
        return self._sample_rate

    @property
    def frame_rate(self):
        """Frames a second of the features."""
        return self._frame_rate

    def get_dataset(self, shuffle=True):
        """One pass over all examples, as a tf.data.Dataset of dictionaries."""
        raise NotImplementedError(f"{type(self).__name__} must define get_dataset()")

    def get_batch(
        self,
        batch_size,
        shuffle=True,
        repeats=-1,
        drop_remainder=True,
        *,
        start_step=0,
        start_example=None,
        seed=0,
    ):
        """Batches of examples, `{name: [batch_size, ...]}`.

        Args:
            batch_size: examples a batch.
            shuffle: deal the examples in random order, another one each epoch.
            repeats: epochs; -1 is endless.
            drop_remainder: leave out a last batch that is not full.
            start_step: how many batches to skip, i.e. where an interrupted training goes on.
            start_example: how many examples to skip instead.
            seed: of the order; the same seed deals the same examples.
        """
        start = first_example(batch_size, start_step, start_example)
        dataset = self._examples(shuffle, repeats, start, seed)
        dataset = dataset.batch(batch_size, drop_remainder=drop_remainder)
        return dataset.prefetch(tf.data.AUTOTUNE)

    def _examples(self, shuffle, repeats, start, seed):
        """Single examples from number `start` on. Here by reading up to there again."""
        dataset = self.get_dataset(shuffle=False)
        if shuffle:
            dataset = dataset.shuffle(_SHUFFLE_WINDOW, seed=seed)
        return dataset.repeat(repeats).skip(start)


def first_example(batch_size, start_step, start_example):
    if not isinstance(batch_size, numbers.Integral) or batch_size < 1:
        raise ValueError(f"batch_size={batch_size!r} must be a positive integer")
    start = start_step * batch_size if start_example is None else start_example
    if start < 0:
        raise ValueError(f"start_step={start_step} must not be negative")
    return int(start)


class ExperimentalDataProvider(DataProvider):
    """A data set written by tf.data.Dataset.save().

    Args:
        data_dir: its folder.
        sample_rate, frame_rate: see DataProvider.
    """

    def __init__(self, data_dir, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate)
        self.data_dir = data_dir

    def get_dataset(self, shuffle=True):
        """One pass over all examples."""
        if not tf.io.gfile.isdir(self.data_dir):
            raise FileNotFoundError(f"data_dir={self.data_dir!r} is not a folder")
        dataset = tf.data.Dataset.load(self.data_dir)
        return dataset.shuffle(_SHUFFLE_WINDOW) if shuffle else dataset
