"""Synthesizers: from a network's outputs to sound."""

from ._harmonic import Additive, Harmonic
from ._noise import FilteredNoise
from ._samples import TensorToAudio
from ._sinusoidal import Sinusoidal
from ._wavetable import Wavetable

__all__ = ["Additive", "FilteredNoise", "Harmonic", "Sinusoidal", "TensorToAudio", "Wavetable"]
