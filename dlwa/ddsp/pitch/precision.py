"""In which number format the pitch network computes on this machine.

bfloat16 halves the memory traffic and, on processors with the right instructions, more than
doubles the arithmetic; the pitch it gives differs by about a tenth of a cent. Processors without
these instructions emulate bfloat16 slowly, so there float32 is used.
"""

import functools
from pathlib import Path

import tensorflow as tf

PRECISIONS = ("auto", "float32", "bfloat16")
_CPU_FLAGS = {"avx512_bf16", "amx_bf16"}


def resolve_precision(precision: str = "auto") -> tf.DType:
    """Turn "auto", "float32" or "bfloat16" into the TensorFlow type to compute with.

    Raises ValueError for anything else.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r} must be one of {', '.join(PRECISIONS)}")
    if precision == "auto":
        precision = "bfloat16" if _has_fast_bfloat16() else "float32"
    return tf.as_dtype(precision)


@functools.cache
def _has_fast_bfloat16() -> bool:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return all(_compute_capability(gpu) >= (8, 0) for gpu in gpus)
    return bool(_CPU_FLAGS & set(_cpu_flags().split()))


def _compute_capability(gpu) -> tuple[int, int]:
    return tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))


def _cpu_flags() -> str:
    """The "flags" line of /proc/cpuinfo, empty where there is none (macOS, Windows)."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    return next((line for line in text.splitlines() if line.startswith("flags")), "")
