"""Examples from TFRecord files, in any order and from anywhere."""

import copy

import tensorflow as tf

from . import _checks, _record_files
from ._base import DataProvider, first_example
from ._order import example_numbers


class RecordProvider(DataProvider):
    """Base of the providers that read TFRecord files.

    Subclasses define `features_dict`, and change single examples in `_finish`.

    Args:
        file_pattern: pattern of the files, or a list of patterns.
        sample_rate, frame_rate: see DataProvider.
    """

    def __init__(self, file_pattern, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate)
        self._file_pattern = file_pattern

    @property
    def file_pattern(self):
        """Pattern of the files."""
        return self._file_pattern

    def with_file_pattern(self, file_pattern):
        """The same provider for other files."""
        other = copy.copy(self)
        other._file_pattern = file_pattern
        return other

    @property
    def features_dict(self):
        """What an example holds, as tf.io features by name."""
        raise NotImplementedError(f"{type(self).__name__} must define features_dict")

    def settings_said_by(self, lengths):
        """What must be bound to read examples with features of these lengths; empty if unknown."""
        return _checks.settings_of_recordings(lengths)

    def records(self):
        """Every record of the files.

        Raises:
            NotImplementedError: if there is no file_pattern.
            FileNotFoundError: if it matches nothing.
            ValueError: if the records lack features or have others lengths than expected.
        """
        if not self._file_pattern:
            raise NotImplementedError(
                f"{type(self).__name__} needs file_pattern: bind "
                f"{type(self).__name__}.file_pattern = '.../data.tfrecord*'"
            )
        records = _record_files.index_files(self._file_pattern)
        # One of each file: a folder may mix files of several preparations.
        first_of_file = {}
        for record in records:
            first_of_file.setdefault(record.path, record)
        for record in first_of_file.values():
            _checks.check_record(self, record)
        return records

    def get_dataset(self, shuffle=True):
        """One pass over all examples."""
        return self._examples(shuffle, 1, 0, seed=0)

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
        """Batches of examples; see DataProvider.get_batch().

        Raises:
            ValueError: if an epoch is smaller than a batch that has to be full and is not repeated.
        """
        start = first_example(batch_size, start_step, start_example)
        dataset = self._serialized(shuffle, repeats, start, seed)
        dataset = dataset.batch(batch_size, drop_remainder=drop_remainder)
        return dataset.map(self._parse, num_parallel_calls=2).prefetch(2)

    def _examples(self, shuffle, repeats, start, seed):
        dataset = self._serialized(shuffle, repeats, start, seed)
        return dataset.batch(8).map(self._parse, num_parallel_calls=2).unbatch()

    def _serialized(self, shuffle, repeats, start, seed):
        """Examples as they stand in the files, from number `start` on."""
        records = self.records()
        numbers = example_numbers(len(records), seed, shuffle, start, repeats)
        read = _record_files.reader(records)
        # Every part gives one record, so that the order stays.
        dataset = numbers.interleave(read, cycle_length=4, num_parallel_calls=4, deterministic=True)
        options = tf.data.Options()
        # Several machines share the examples; to share the files is not possible.
        options.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.DATA
        )
        return dataset.with_options(options)

    def _parse(self, serialized):
        return self._finish(tf.io.parse_example(serialized, self.features_dict))

    def _finish(self, batch):
        """Change a batch of parsed examples; here nothing."""
        return batch
