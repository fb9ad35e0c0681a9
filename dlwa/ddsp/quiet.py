"""TensorFlow without its start-up remarks, which frighten people and tell them nothing."""

import contextlib
import logging
import os
import re
import sys
import tempfile

# What may be left out; everything else TensorFlow says still shows.
_REMARKS = re.compile(
    r"InitializeLog\(\)|port\.cc|cpu_feature_guard|To enable the following instructions"
    r"|Unable to register cu|computation_placer|Could not find cuda drivers|cudart_stub"
    r"|TF-TRT Warning|NUMA node|cuda_executor|Could not find TensorRT|cuda_platform"
)


def import_tensorflow(allow_memory_growth=True, wake=True):
    """Import TensorFlow and wake its devices, with the remarks it makes doing so left out.

    Args:
        allow_memory_growth: GPUs take memory as it is needed instead of all at once.
        wake: compute something at once.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _without_remarks():
        import tensorflow as tf

        if allow_memory_growth:
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
        if wake:
            tf.constant(0)
    logging.getLogger("absl").addFilter(lambda record: record.module != "functional_saver")


@contextlib.contextmanager
def _without_remarks():
    """Hold back what goes to stderr, by C++ too, and pass on what is no remark."""
    try:
        stderr = os.dup(2)
    except OSError:  # there is none
        yield
        return
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            _pass_on(held.read().decode(errors="replace"))


def _pass_on(text):
    for line in text.splitlines():
        if line.strip() and not _REMARKS.search(line):
            print(line, file=sys.stderr, flush=True)
