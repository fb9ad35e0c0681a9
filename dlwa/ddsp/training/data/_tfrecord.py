"""Data sets made by ddsp_prepare_tfrecord."""

import gin
import tensorflow as tf

from dlwa.ddsp import spectral_ops

from ._records import RecordProvider

_register = gin.register(module="dlwa.ddsp.training.data")


@_register
class TFRecordProvider(RecordProvider):
    """Audio with its pitch and loudness from TFRecords.

    An example holds audio `[n_samples]`, audio_16k, f0_hz `[n_frames]`, f0_confidence, loudness_db.

    Args:
        file_pattern: pattern of the files, e.g. 'datasets/violin/data.tfrecord*'.
        example_secs: length of an example in seconds.
        sample_rate: of the audio, in Hz.
        frame_rate: frames a second of the features.
        centered: whether frames lie around their time (one frame more).
    """

    def __init__(
        self,
        file_pattern=None,
        example_secs=4,
        sample_rate=16000,
        frame_rate=250,
        centered=False,
    ):
        super().__init__(file_pattern, sample_rate, frame_rate)
        self.example_secs = example_secs
        self.centered = centered

    @property
    def n_samples(self):
        """Samples of audio in an example."""
        return round(self.example_secs * self.sample_rate)

    @property
    def n_frames(self):
        """Frames of features in an example; they are made from the audio at 16 kHz."""
        rate = spectral_ops.CREPE_SAMPLE_RATE
        return spectral_ops.get_framed_lengths(
            round(self.example_secs * rate),
            spectral_ops.CREPE_FRAME_SIZE,
            rate // self.frame_rate,
            "center" if self.centered else "same",
        )[0]

    @property
    def features_dict(self):
        """What an example holds."""
        audio_16k = round(self.example_secs * spectral_ops.CREPE_SAMPLE_RATE)
        lengths = {"audio": self.n_samples, "audio_16k": audio_16k} | dict.fromkeys(
            ("f0_hz", "f0_confidence", "loudness_db"), self.n_frames
        )
        return {
            name: tf.io.FixedLenFeature([length], tf.float32) for name, length in lengths.items()
        }


@_register
class LegacyTFRecordProvider(TFRecordProvider):
    """The same from data sets made before ddsp 3, which have no audio_16k."""

    @property
    def features_dict(self):
        """What an example holds."""
        features = dict(super().features_dict)
        del features["audio_16k"]
        return features
