"""Models: the autoencoder of instruments and its relatives."""

from .autoencoder import Autoencoder
from .get_model import get_model
from .model import Model

__all__ = ["Autoencoder", "Model", "get_model"]
