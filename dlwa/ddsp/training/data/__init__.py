"""Where batches come from: TFRecords, several sources together, tensorflow_datasets.

Every provider's get_batch() deals its examples in an order that is a function of the seed alone,
and can start anywhere in that order: a training that is resumed goes on with exactly the examples
it would have seen.
"""

from ._base import DataProvider, ExperimentalDataProvider
from ._multi import BaseMultiProvider, MixedProvider, ZippedProvider
from ._records import RecordProvider
from ._synthetic import SyntheticNotes
from ._tfds import NSynthTfds, TfdsProvider
from ._tfrecord import LegacyTFRecordProvider, TFRecordProvider
from ._urmp import Urmp, UrmpMidi, UrmpMidiUnsegmented

__all__ = [
    "BaseMultiProvider",
    "DataProvider",
    "ExperimentalDataProvider",
    "LegacyTFRecordProvider",
    "MixedProvider",
    "NSynthTfds",
    "RecordProvider",
    "SyntheticNotes",
    "TFRecordProvider",
    "TfdsProvider",
    "Urmp",
    "UrmpMidi",
    "UrmpMidiUnsegmented",
    "ZippedProvider",
]
