"""The console scripts of the DDSP half: say what is missing, or start the real one."""

import importlib
import importlib.util
import sys

_NEEDED = ("absl", "gin", "tensorflow", "soundfile")


def ddsp_run() -> None:
    """Train, evaluate or sample a model."""
    _start("dlwa.ddsp.training.ddsp_run")


def ddsp_prepare_tfrecord() -> None:
    """Make training data of recordings."""
    _start("dlwa.ddsp.training.data_preparation.ddsp_prepare_tfrecord")


def ddsp_generate_synthetic_dataset() -> None:
    """Make training data of synthesised notes."""
    _start("dlwa.ddsp.training.data_preparation.ddsp_generate_synthetic_dataset")


def ddsp_export() -> None:
    """Turn a trained model into something other programs play."""
    _start("dlwa.ddsp.training.ddsp_export")


def _start(module: str) -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print("error: the DDSP half is not installed, no " + ", ".join(missing), file=sys.stderr)
        print("hint: dlwa setup", file=sys.stderr)
        sys.exit(1)
    importlib.import_module(module).console_entry_point()
