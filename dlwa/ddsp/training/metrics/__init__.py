"""Metrics: loudness, pitch and notes of generated audio against the original."""

from ._features import (
    MIN_F0_CONFIDENCE,
    OUTLIER_MIDI_THRESH,
    compute_audio_features,
    f0_dist_conf_thresh,
    is_outlier,
    l1_distance,
    squeeze,
)
from ._notes import (
    EvalCounts,
    MidiMetrics,
    compute_frame_metrics,
    compute_note_metrics,
    sequence2intervals,
)
from ._running import BaseMetrics, F0CrepeMetrics, F0Metrics, LoudnessMetrics, SpectralMetrics

__all__ = [
    "MIN_F0_CONFIDENCE",
    "OUTLIER_MIDI_THRESH",
    "BaseMetrics",
    "EvalCounts",
    "F0CrepeMetrics",
    "F0Metrics",
    "LoudnessMetrics",
    "MidiMetrics",
    "SpectralMetrics",
    "compute_audio_features",
    "compute_frame_metrics",
    "compute_note_metrics",
    "f0_dist_conf_thresh",
    "is_outlier",
    "l1_distance",
    "sequence2intervals",
    "squeeze",
]
