"""Bundles: a model reduced to what a player needs, in one folder or one .zip.

A bundle holds `bundle.json` (what it is, and the sha256 of the other files), `config.json` (the
gin bindings the model is built from), `weights.npz` (arrays by the names checkpoints use) and
`dataset_statistics.json` where the data set left any. Nothing in it is code and nothing is
unpickled, so a bundle of a stranger can be opened; nothing outside it is needed.
"""

from ._config import bindings_to_keep, config_text
from ._files import MANIFEST, BundleError, is_bundle
from ._read import Bundle, assign, read
from ._write import write

__all__ = [
    "MANIFEST",
    "Bundle",
    "BundleError",
    "assign",
    "bindings_to_keep",
    "config_text",
    "is_bundle",
    "read",
    "write",
]
