"""One step of training, and saving and restoring all of its state."""

from ._adam import Adam
from ._trainer import Trainer, configured_seed, get_trainer_class

__all__ = ["Adam", "Trainer", "configured_seed", "get_trainer_class"]
