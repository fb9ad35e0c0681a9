"""Pitch: which note a recording plays, frame by frame.

``compute_f0`` is the pitch tracker CREPE as DDSP uses it; ``PretrainedCREPE`` the same network
inside TensorFlow on batches.
"""

from dlwa.ddsp.pitch.choice import resolve_pitch_model
from dlwa.ddsp.pitch.estimate import PitchTracker, compute_f0
from dlwa.ddsp.pitch.frames import CREPE_SAMPLE_RATE
from dlwa.ddsp.pitch.network import FRAME_SIZE as CREPE_FRAME_SIZE
from dlwa.ddsp.pitch.network import LAYER_NAMES, CrepeNetwork, get_network, reset_crepe
from dlwa.ddsp.pitch.precision import PRECISIONS, resolve_precision
from dlwa.ddsp.pitch.pretrained import PretrainedCREPE
from dlwa.ddsp.pitch.weights import SIZES, available_sizes, load_weights

__all__ = [
    "CREPE_FRAME_SIZE",
    "CREPE_SAMPLE_RATE",
    "LAYER_NAMES",
    "PRECISIONS",
    "SIZES",
    "CrepeNetwork",
    "PitchTracker",
    "PretrainedCREPE",
    "available_sizes",
    "compute_f0",
    "get_network",
    "load_weights",
    "reset_crepe",
    "resolve_pitch_model",
    "resolve_precision",
]
