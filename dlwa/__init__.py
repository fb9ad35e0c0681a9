"""dlwa: train and play DDSP instrument models on shared lab machines."""

from dlwa.version import __version__

__all__ = ["__version__"]
