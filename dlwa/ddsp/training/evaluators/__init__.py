"""What is measured and shown of a model in evaluation and sampling."""

from ._base import BaseEvaluator
from ._losses import BasicEvaluator
from ._notes import MidiAutoencoderEvaluator, MidiHeuristicEvaluator
from ._sound import F0CrepeEvaluator, F0LdEvaluator, SpectralEvaluator, TWMEvaluator

__all__ = [
    "BaseEvaluator",
    "BasicEvaluator",
    "F0CrepeEvaluator",
    "F0LdEvaluator",
    "MidiAutoencoderEvaluator",
    "MidiHeuristicEvaluator",
    "SpectralEvaluator",
    "TWMEvaluator",
]
