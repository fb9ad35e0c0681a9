"""The configuration a run really used: written, read back, compared."""

import pprint

import gin

from ._config import Config
from ._errors import GinError
from ._reader import Macro, Reference, read_statements, replace

__all__ = ["bindings_of", "operative_config_str", "parse_operative_config"]


# Parameters the field's package does not know. They are written where they differ from their
# defaults only, so that it can read what an ordinary training leaves; those with None never,
# because they hold for one session.
_OURS = {
    "Trainer.seed": "0",
    "Trainer.micro_batches": "1",
    "train.hours": None,
    "train.evaluate_heldout": "True",
    "train.allow_other_config": None,
}


def operative_config_str():
    """Every parameter used so far, defaults included, as gin statements."""
    return "\n".join(line for line in gin.operative_config_str().split("\n") if not _is_ours(line))


def _is_ours(line):
    name, _, value = line.partition(" = ")
    return name in _OURS and _OURS[name] in (None, value)


def parse_operative_config(path):
    """Read what a run left behind, of this or an older version, leniently.

    Args:
        path: an operative_config-*.gin.

    Returns:
        Sentences about what was translated or skipped.
    """
    config = Config()
    config.add_old_config(path)
    return config.notes


def bindings_of(text):
    """The bindings of a configuration as text: `{'Harmonic.n_samples': '64000'}`, macros resolved.

    Nothing is looked up, so a configuration can be compared without its modules.

    Raises:
        GinError: if the text is no configuration.
    """
    macros, values = {}, {}
    for statement in read_statements(text, "configuration"):
        if not hasattr(statement, "arg_name"):
            continue
        scope, selector, parameter, value, _ = statement
        name = f"{scope}/{selector}" if scope else selector
        if parameter:
            values[f"{name}.{parameter}"] = value
        else:
            macros[name] = value
    return {key: _text(value, macros) for key, value in values.items()}


class _Bare:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


def _text(value, macros, depth=0):
    if depth > 20:
        raise GinError("macros refer to each other in a circle")

    def plain(item):
        if isinstance(item, Reference):
            return _Bare(f"@{item.scoped_selector}{'()' if item.evaluate else ''}")
        if isinstance(item, Macro) and item.name in macros:
            return _Bare(_text(macros[item.name], macros, depth + 1))
        return _Bare(f"%{item.name}")

    return pprint.pformat(replace(value, plain), width=10**6, compact=True)
