"""The configuration of a bundle: what builds the model, and nothing of the training's machine."""

import re

from dlwa.ddsp.training import gin_util

__all__ = ["bindings_to_keep", "config_text"]

_NAME = re.compile(r"[\w./]+\Z")
# What a training needs and a player does not; folders of the machine it ran on stand here too.
_OF_TRAINING = re.compile(
    r"(.*/)?(\w+\.)*(train|evaluate|eval_discrete|sample|Trainer|get_trainer_class|run_dag"
    r"|\w*Evaluator|\w*Provider|\w*Tfds|Urmp|UrmpMidi|SyntheticNotes)\.\w+\Z"
)
_LOSSES = re.compile(r"(.*/)?(\w+\.)*(\w*Loss|LossGroup)\.\w+\Z|.*\.losses\Z")


def bindings_to_keep(text):
    """The bindings of a configuration that say what the model is, macros resolved.

    Args:
        text: of an operative_config-*.gin, of this or an older version.

    Returns:
        Dictionary 'Harmonic.n_samples' -> '64000', present names only.
    """
    converted, _ = gin_util.convert_text(text)
    return {
        name: value
        for name, value in gin_util.bindings_of(converted).items()
        if not _OF_TRAINING.match(name) and not _LOSSES.match(name)
    }


def config_text(bindings):
    """Gin statements from the bindings of a bundle.

    Raises:
        ValueError: for what is no single binding, e.g. a line that hides an import.
    """
    for name, value in bindings.items():
        if not _NAME.match(name) or "\n" in value or "\r" in value:
            raise ValueError(f"{name!r} = {value!r} is not one binding")
    return "\n".join(f"{name} = {value}" for name, value in bindings.items()) + "\n"
