"""Models: the autoencoder of instruments and its relatives."""

from .autoencoder import Autoencoder
from .get_model import get_model
from .inverse_synthesis import InverseSynthesis
from .midi_autoencoder import MidiAutoencoder
from .model import Model
from .z_midi_autoencoder import ZMidiAutoencoder

__all__ = [
    "Autoencoder",
    "InverseSynthesis",
    "MidiAutoencoder",
    "Model",
    "ZMidiAutoencoder",
    "get_model",
]
