"""URMP (Li et al. 2018): solo recordings of classical instruments, with their notes."""

import gin
import tensorflow as tf

from dlwa.ddsp import spectral_ops

from ._records import RecordProvider

_INSTRUMENTS = ("vn", "va", "vc", "db", "fl", "ob", "cl", "sax", "bn", "tpt", "hn", "tbn", "tba")
_N_PITCHES = 128
_SECONDS = 4
_register = gin.register(module="dlwa.ddsp.training.data")


@_register
class Urmp(RecordProvider):
    """Audio, pitch and loudness of one instrument of URMP, or of all.

    Args:
        base_dir: folder of the TFRecords.
        instrument_key: one of vn va vc db fl ob cl sax bn tpt hn tbn tba, or 'all'.
        split: 'train' or 'test'.
        suffix: what follows the split in the names of the files.
    """

    def __init__(self, base_dir, instrument_key="tpt", split="train", suffix=None):
        if instrument_key not in (*_INSTRUMENTS, "all"):
            raise ValueError(
                f"instrument_key={instrument_key!r} must be one of {', '.join(_INSTRUMENTS)}, all"
            )
        ending = f"{split}{suffix or ''}.tfrecord*"
        if instrument_key == "all":
            name = f"all_instruments_{ending}"
        else:
            name = f"urmp_{instrument_key}_solo_ddsp_conditioning_{ending}"
        super().__init__(f"{str(base_dir).rstrip('/')}/{name}", sample_rate=16000, frame_rate=250)

    @property
    def _n_frames(self):
        return _SECONDS * self.frame_rate

    @property
    def features_dict(self):
        """What an example holds."""
        lengths = {"audio": _SECONDS * spectral_ops.CREPE_SAMPLE_RATE} | dict.fromkeys(
            ("f0_hz", "f0_confidence", "loudness_db"), self._n_frames
        )
        return {n: tf.io.FixedLenFeature([k], tf.float32) for n, k in lengths.items()}


@_register
class UrmpMidi(Urmp):
    """The same with the notes that are played.

    Adds note_active_velocities, note_active_frame_indices `[frames, 128]`, note_onsets and
    note_offsets `[frames]` (0 or 1), midi `[frames]`, power_db, recording_id and instrument_id
    (place in vn va vc db fl ob cl sax bn tpt hn tbn tba); f0_hz and loudness_db become
    `[frames, 1]`.
    """

    _NOTE_KEYS = (
        "note_active_velocities",
        "note_active_frame_indices",
        "note_onsets",
        "note_offsets",
    )

    @property
    def features_dict(self):
        """What an example holds, note arrays still flat."""
        features = dict(super().features_dict)
        for key in self._NOTE_KEYS:
            features[key] = tf.io.FixedLenFeature([self._n_frames * _N_PITCHES], tf.float32)
        features["power_db"] = tf.io.FixedLenFeature([self._n_frames], tf.float32)
        features["recording_id"] = tf.io.FixedLenFeature([], tf.string)
        features["instrument_id"] = tf.io.FixedLenFeature([], tf.string)
        return features

    def _finish(self, batch):
        batch = dict(batch)
        for key in self._NOTE_KEYS:
            flat = batch[key]
            batch[key] = tf.reshape(flat, [tf.shape(flat)[0], -1, _N_PITCHES])
        for key in ("note_onsets", "note_offsets"):
            batch[key] = tf.cast(tf.reduce_any(batch[key] > 0, axis=-1), tf.float32)
        for key in ("f0_hz", "loudness_db"):
            batch[key] = batch[key][..., tf.newaxis]
        names = tf.constant(_INSTRUMENTS)
        same = tf.equal(batch["instrument_id"][:, tf.newaxis], names)
        batch["instrument_id"] = tf.argmax(tf.cast(same, tf.int32), axis=-1)
        batch["midi"] = tf.argmax(batch["note_active_velocities"], axis=-1)
        return batch


class UrmpMidiUnsegmented(UrmpMidi):
    """Whole recordings of any length instead of windows of 4 s; one recording a batch."""

    @property
    def features_dict(self):
        """What an example holds, of any length."""
        return {
            name: tf.io.FixedLenSequenceFeature([], f.dtype, allow_missing=True) if f.shape else f
            for name, f in super().features_dict.items()
        }
