"""Loudness and pitch of audio, as the models' features are made, and distances between curves."""

import numpy as np
import tensorflow as tf

from dlwa.ddsp import core, spectral_ops

__all__ = [
    "MIN_F0_CONFIDENCE",
    "OUTLIER_MIDI_THRESH",
    "compute_audio_features",
    "f0_dist_conf_thresh",
    "is_outlier",
    "l1_distance",
    "squeeze",
]

MIN_F0_CONFIDENCE = 0.85
OUTLIER_MIDI_THRESH = 12


def squeeze(input_vector):
    """Drop axes of length 1, unless there is only one axis."""
    array = np.asarray(input_vector)
    return np.squeeze(array) if array.ndim > 1 else array


def l1_distance(prediction, ground_truth):
    """|prediction - ground_truth| frame by frame, as long as the shorter of the two."""
    prediction, ground_truth = squeeze(prediction), squeeze(ground_truth)
    n = min(len(prediction), len(ground_truth))
    return np.abs(prediction[:n] - ground_truth[:n])


def is_outlier(ground_truth_f0_conf):
    """Whether CREPE was never sure of the pitch: no confidence reaches 0.85."""
    return np.max(np.asarray(ground_truth_f0_conf)) < MIN_F0_CONFIDENCE


def f0_dist_conf_thresh(f0_hz, f0_hz_gen, f0_confidence, f0_confidence_thresh=MIN_F0_CONFIDENCE):
    """Mean distance of two pitch curves in semitones, where the first one is to be trusted.

    Args:
        f0_hz, f0_hz_gen: `[frames]` (axes of length 1 are dropped), Hz; 0 Hz counts as pitch 0.
        f0_confidence: confidence of f0_hz.
        f0_confidence_thresh: frames below it are left out.

    Returns:
        The mean, or None if no frame is left.
    """
    sure = squeeze(f0_confidence) >= f0_confidence_thresh
    if not np.any(sure):
        return None
    distance = l1_distance(_midi(f0_hz), _midi(f0_hz_gen))
    n = min(len(distance), len(sure))
    kept = distance[:n][sure[:n]]
    return np.mean(kept) if len(kept) else None


def compute_audio_features(audio, frame_rate=250):
    """Everything a model needs to know of a recording.

    Args:
        audio: `[n]` or `[1, n]` at 16 kHz.
        frame_rate: frames a second.

    Returns:
        Dictionary: audio (as given), loudness_db, f0_hz and f0_confidence, each with
        n / (16000 / frame_rate) + 1 frames.
    """
    audio_16k = np.squeeze(np.asarray(audio)).astype(np.float32)
    if audio_16k.ndim != 1:
        raise ValueError(f"audio with shape {np.shape(audio)} must be one recording: [n] or [1, n]")
    f0_hz, f0_confidence = spectral_ops.compute_f0(audio_16k, frame_rate)
    return {
        "audio": audio,
        "loudness_db": spectral_ops.compute_loudness(
            tf.convert_to_tensor(audio_16k), sample_rate=16000, frame_rate=frame_rate
        ),
        "f0_hz": f0_hz,
        "f0_confidence": f0_confidence,
    }


def _midi(f0_hz):
    midi = core.hz_to_midi(core.tf_float32(squeeze(f0_hz))).numpy()
    return np.where(np.isneginf(midi), 0.0, midi).astype(np.float32)
