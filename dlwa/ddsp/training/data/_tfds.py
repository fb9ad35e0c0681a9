"""Data sets of tensorflow_datasets."""

import gin
import tensorflow as tf

from ._base import DataProvider


class TfdsProvider(DataProvider):
    """Base of the providers of tensorflow_datasets.

    Args:
        name: of the data set, e.g. 'nsynth/gansynth_subset.f0_and_loudness:2.3.0'.
        split: 'train', 'valid' or 'test'.
        data_dir: folder of prepared data sets; nothing is ever downloaded.
        sample_rate, frame_rate: see DataProvider.
    """

    def __init__(self, name, split, data_dir, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate)
        self.name, self.split, self.data_dir = name, split, data_dir

    def get_dataset(self, shuffle=True):
        """One pass over the split.

        Raises:
            ImportError: if tensorflow_datasets is not installed.
            FileNotFoundError: if the data set is not in data_dir.
            ValueError: if it has no such split.
        """
        tfds = _tfds()
        try:
            builder = tfds.builder(self.name, data_dir=self.data_dir)
        except Exception as error:  # of many kinds, from several packages
            raise self._not_there(str(error).splitlines()[0]) from error
        if not builder.info.splits:
            raise self._not_there(f"nothing is prepared in {builder.data_path}")
        if self.split.split("[")[0] not in builder.info.splits:
            known = ", ".join(sorted(builder.info.splits))
            raise ValueError(f"split={self.split!r} is none of {known}")
        return builder.as_dataset(
            split=self.split,
            shuffle_files=shuffle,
            read_config=tfds.ReadConfig(try_autocache=False),
        ).map(self._format, num_parallel_calls=tf.data.AUTOTUNE)

    def _not_there(self, why):
        return FileNotFoundError(
            f"name={self.name!r} cannot be opened in data_dir={self.data_dir!r}: {why}. Bind "
            f"{type(self).__name__}.data_dir to a folder that holds it"
        )

    def _format(self, example):
        """Change a raw example; here nothing."""
        return example


@gin.register(module="dlwa.ddsp.training.data")
class NSynthTfds(TfdsProvider):
    """NSynth (Engel et al. 2017): single notes of 4 s with pitch, loudness and labels.

    Args:
        name, split, data_dir, sample_rate, frame_rate: see TfdsProvider.
        include_note_labels: also give pitch, instrument, instrument_family, instrument_source.
    """

    def __init__(
        self,
        name="nsynth/gansynth_subset.f0_and_loudness:2.3.0",
        split="train",
        data_dir="gs://tfds-data/datasets",
        sample_rate=16000,
        frame_rate=250,
        include_note_labels=True,
    ):
        super().__init__(name, split, data_dir, sample_rate, frame_rate)
        self.include_note_labels = include_note_labels

    def _format(self, example):
        features = {
            "audio": example["audio"],
            "f0_hz": example["f0"]["hz"],
            "f0_confidence": example["f0"]["confidence"],
            "loudness_db": example["loudness"]["db"],
        }
        if self.include_note_labels:
            instrument = example["instrument"]
            features |= {
                "pitch": example["pitch"],
                "instrument_source": instrument["source"],
                "instrument_family": instrument["family"],
                "instrument": instrument["label"],
            }
        return features


def _tfds():
    try:
        import tensorflow_datasets
    except ImportError:
        raise ImportError(
            "NSynth needs the package tensorflow_datasets: pip install 'dlwa[nsynth]'"
        ) from None
    return tensorflow_datasets
