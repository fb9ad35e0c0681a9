"""What makes a model the model it is, so that a resumed training continues the same one."""

import re
from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp.training import gin_util

FILE = "model_config.json"

# Settings that may change from one training to the next without changing the model.
_FREE = re.compile(
    r"(.*/)?(train_util\.)?(train|evaluate|sample|get_trainer_class|run_dag|BasicEvaluator"
    r"|F0LdEvaluator|get_model)\.|(.*/)?(trainers\.)?Trainer\."
)
_DATA = re.compile(r"(.*/)?(data\.)?[A-Za-z]*(Provider|Tfds|Urmp|UrmpMidi|SyntheticNotes)\.")


class OtherModelError(ValueError):
    """The folder holds a training of another model or data set."""


def current_model_config():
    """The bindings in force that define model and data, {name: value as text}."""
    bindings = gin_util.bindings_of(gin_util.operative_config_str())
    return {name: value for name, value in bindings.items() if not _FREE.match(name)}


def write_model_config(save_dir):
    """Keep the bindings beside the checkpoints."""
    runfiles.write_json(Path(save_dir) / FILE, {"bindings": current_model_config()})


def check_same_model(save_dir):
    """Refuse to go on with another model or data set than the folder's.

    Raises:
        OtherModelError: with the differing bindings.
    """
    stored = (runfiles.read_json(Path(save_dir) / FILE) or {}).get("bindings")
    if not isinstance(stored, dict):
        return
    current = current_model_config()
    different = [
        f"{name}: was {stored.get(name, 'not set')}, now {current.get(name, 'not set')}"
        for name in sorted({*stored, *current})
        if _comparable(name, stored.get(name)) != _comparable(name, current.get(name))
    ]
    if different:
        what = "data set" if all(_DATA.match(line) for line in different) else "configuration"
        raise OtherModelError(
            f"save_dir={str(save_dir)!r} holds a training with another {what}; "
            + "; ".join(different)
            + ". Resume with the same one, or train into a new folder (--fresh); to go on all the "
            "same: --gin_param=train.allow_other_config=True"
        )


def _comparable(name, value):
    """The same files named in another way are the same data set."""
    if value is None or not name.endswith("file_pattern"):
        return value
    return str(Path(value.strip("'\"")).absolute())
