"""Checkpoints: which one is meant, what its variables are called, and reading them."""

from ._files import get_latest_checkpoint, get_latest_file, get_latest_operative_config
from ._paths import variable_paths
from ._read import load_reference_checkpoint, saved_variables

__all__ = [
    "get_latest_checkpoint",
    "get_latest_file",
    "get_latest_operative_config",
    "load_reference_checkpoint",
    "saved_variables",
    "variable_paths",
]
