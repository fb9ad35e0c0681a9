"""Configuration by gin files, read strictly.

    config = gin_util.Config(search_path=["my_gin_files"])
    config.add_file("models/solo_instrument.gin")
    config.add_params(["batch_size=8"])
    config.check()

A name nobody knows - a configurable, a parameter, a macro, a file - is an error that says where it
stands and what was probably meant. Names of older versions of the field's package are translated,
and each translation is told. Only the configuration a finished run left behind is read leniently.
"""

from ._config import Config
from ._errors import GinError
from ._files import PACKAGE_FOLDER, SearchPath
from ._legacy import convert_text
from ._names import register_all
from ._operative import bindings_of, operative_config_str, parse_operative_config

__all__ = [
    "PACKAGE_FOLDER",
    "Config",
    "GinError",
    "SearchPath",
    "bindings_of",
    "convert_text",
    "operative_config_str",
    "parse_operative_config",
    "register_all",
]
