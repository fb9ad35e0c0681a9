"""Pitch: which note a recording plays, frame by frame.

``compute_f0`` is the pitch tracker CREPE as DDSP uses it, or the faster SwiftF0; ``open_tracker``
takes a recording piece by piece; ``PretrainedCREPE`` is CREPE inside TensorFlow on batches.
The parts are imported when first used: SwiftF0 works without TensorFlow.
"""

import importlib

from dlwa.ddsp.pitch.choice import MODELS, pitch_model_title, resolve_pitch_model
from dlwa.ddsp.pitch.crepe import CrepeTracker, PitchTracker
from dlwa.ddsp.pitch.estimate import compute_f0
from dlwa.ddsp.pitch.frames import CREPE_SAMPLE_RATE
from dlwa.ddsp.pitch.frames import FRAME_SIZE as CREPE_FRAME_SIZE
from dlwa.ddsp.pitch.tracking import Tracker, open_tracker
from dlwa.ddsp.pitch.weights import SIZES, available_sizes, load_weights

_WITH_TENSORFLOW = {
    "CrepeNetwork": "network",
    "LAYER_NAMES": "network",
    "PRECISIONS": "precision",
    "PretrainedCREPE": "pretrained",
    "get_network": "network",
    "reset_crepe": "network",
    "resolve_precision": "precision",
}

__all__ = [
    "CREPE_FRAME_SIZE",
    "CREPE_SAMPLE_RATE",
    "LAYER_NAMES",
    "MODELS",
    "PRECISIONS",
    "SIZES",
    "CrepeNetwork",
    "CrepeTracker",
    "PitchTracker",
    "PretrainedCREPE",
    "Tracker",
    "available_sizes",
    "compute_f0",
    "get_network",
    "load_weights",
    "open_tracker",
    "pitch_model_title",
    "reset_crepe",
    "resolve_pitch_model",
    "resolve_precision",
]


def __getattr__(name):
    if name in _WITH_TENSORFLOW:
        return getattr(importlib.import_module(f"{__name__}.{_WITH_TENSORFLOW[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
