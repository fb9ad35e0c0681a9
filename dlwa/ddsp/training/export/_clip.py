"""Real sound to compare an export on: a piece of the model's data set, else the shipped flute."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from dlwa.ddsp import timbre_transfer
from dlwa.ddsp.audio_io import read_audio
from dlwa.ddsp.training import gin_util
from dlwa.ddsp.training.heldout import HELDOUT_PREFIX

__all__ = ["Clip", "choose_clip"]

_SECONDS = 4.0
_LOOKED_THROUGH = 50
_DEMO = Path(__file__).parents[3] / "demo_data" / "flute_to_transfer.flac"
_FEATURES = ("f0_hz", "loudness_db")


@dataclass(frozen=True)
class Clip:
    """Pitch and loudness of a piece of real sound at the model's frames, and where it is from.

    `z` is what the model's encoder hears in it, `[n_frames, z_dims]`, or None.
    """

    f0_hz: np.ndarray
    loudness_db: np.ndarray
    z: np.ndarray | None
    source: str
    seconds: float

    def __len__(self):
        return len(self.f0_hz)

    @property
    def inputs(self):
        """What a decoder gets: tensors `[1, n_frames, 1]` and z."""
        series = (self.f0_hz, self.loudness_db)
        z = None if self.z is None else tf.constant(self.z[np.newaxis])
        return *(tf.constant(x[np.newaxis, :, np.newaxis]) for x in series), z


def choose_clip(played, dataset_path=None):
    """The loudest of the first windows of the model's data set, or else of the shipped flute.

    Args:
        played: a PlayableModel.
        dataset_path: pattern of TFRecords; default: the data set the configuration names.

    Returns:
        Clip.
    """
    pattern = str(dataset_path) if dataset_path else _pattern_in(played.config)
    if pattern:
        found = _from_records(played, pattern)
        if found is not None:
            return found
    return _from_demo(played)


def _pattern_in(config):
    bindings = gin_util.bindings_of(gin_util.convert_text(config)[0])
    for name, value in bindings.items():
        if name.endswith("TFRecordProvider.file_pattern"):
            return value.strip("'\"")
    return None


def _from_records(played, pattern):
    """The loudest window in the held-out records, else in the learned ones; None without any."""
    path = Path(pattern).expanduser()
    for records in (path.parent / f"{HELDOUT_PREFIX}*", path):
        names = sorted(records.parent.glob(records.name)) if records.parent.is_dir() else []
        names = [str(name) for name in names if name.stat().st_size]
        window = _loudest(names) if names else None
        if window is not None:
            return _at_frames(played, window, f"{records.parent}")
    return None


def _loudest(names):
    """Features of the loudest of some windows, as arrays; None if none can be read."""
    best, level = None, -np.inf
    try:
        for record in tf.data.TFRecordDataset(names).take(_LOOKED_THROUGH).as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            if not all(key in features for key in (*_FEATURES, "audio")):
                continue
            loudness = np.mean(features["loudness_db"].float_list.value)
            if loudness > level:
                level = loudness
                best = {k: np.array(v.float_list.value, "f4") for k, v in features.items()}
    except tf.errors.OpError:  # a record cut short; what came before it serves
        pass
    return best


def _at_frames(played, window, source):
    features = {key: window[key] for key in _FEATURES}
    seconds = _seconds(played, window)
    n_frames = int(seconds * played.sample_rate) // played.hop_size
    audio = window["audio"] if played.model.encoder is not None else None
    return _clip(played, features, n_frames, source, audio)


def _seconds(played, window):
    """How long a window is; features are at the model's frame rate, audio at its sample rate."""
    return len(window["audio"]) / played.sample_rate


def _from_demo(played):
    features = timbre_transfer.measure(
        _DEMO,
        played.frame_rate,
        "tiny",
        loudness_rate=played.loudness_rate,
        power_frame=played.power_frame,
    )
    n_frames = int(_SECONDS * played.sample_rate) // played.hop_size
    start = _loudest_stretch(features.loudness_db, int(_SECONDS * features.frame_rate))
    stop = start + int(_SECONDS * features.frame_rate)
    series = {
        "f0_hz": features.f0_hz[start:stop],
        "loudness_db": features.model_loudness_db[start:stop],
    }
    audio = None
    if played.model.encoder is not None:
        first = int(start / features.frame_rate * played.sample_rate)
        sound, _ = read_audio(_DEMO, played.sample_rate)
        audio = sound[first : first + int(_SECONDS * played.sample_rate)]
    return _clip(played, series, n_frames, _DEMO.name, audio)


def _loudest_stretch(loudness_db, n_frames):
    """Where the n_frames begin whose mean level is highest."""
    if len(loudness_db) <= n_frames:
        return 0
    sums = np.convolve(loudness_db, np.ones(n_frames), mode="valid")
    return int(np.argmax(sums))


def _clip(played, features, n_frames, source, audio):
    at = np.linspace(0.0, 1.0, n_frames, endpoint=False)
    series = {
        key: np.interp(at, np.arange(len(x)) / len(x), x).astype(np.float32)
        for key, x in features.items()
    }
    z = None
    if audio is not None:
        given = [tf.constant(x[np.newaxis, :, np.newaxis]) for x in series.values()]
        heard = timbre_transfer.scaled_features(*given, None)
        heard["audio"] = tf.constant(audio[np.newaxis])
        z = np.asarray(played.model.encoder(heard)["z"][0], np.float32)
    seconds = n_frames * played.hop_size / played.sample_rate
    return Clip(series["f0_hz"], series["loudness_db"], z, source, seconds)
