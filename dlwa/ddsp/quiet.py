"""TensorFlow at once and without its start-up remarks, which frighten people."""

import contextlib
import gc
import logging
import os
import re
import sys
import tempfile
import threading

# What may be left out; everything else TensorFlow says still shows.
_REMARKS = re.compile(
    r"InitializeLog\(\)|port\.cc|cpu_feature_guard|To enable the following instructions"
    r"|Unable to register cu|computation_placer|Could not find cuda drivers|cudart_stub"
    r"|TF-TRT Warning|NUMA node|cuda_executor|Could not find TensorRT|cuda_platform"
)

# Keras imports these in case somebody wants pictures or brings tables, and does without them.
_IN_CASE = ("matplotlib", "pandas")


def import_tensorflow(allow_memory_growth=True, wake=True):
    """Import TensorFlow and wake its devices, with the remarks it makes doing so left out.

    Args:
        allow_memory_growth: GPUs take memory as it is needed instead of all at once.
        wake: compute something at once.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _without_remarks():
        with _as_if_absent(_IN_CASE), _nothing_thrown_away():
            import tensorflow as tf

        if allow_memory_growth:
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
        if wake:
            tf.constant(0)
    logging.getLogger("absl").addFilter(lambda record: record.module != "functional_saver")


@contextlib.contextmanager
def _as_if_absent(packages):
    """Importing these fails meanwhile as if they were not installed, in this thread only."""
    finder = _Absent(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Absent:
    """Asked by Python's import where a module is."""

    def __init__(self, packages):
        self._packages, self._thread = packages, threading.get_ident()

    def find_spec(self, name, path=None, target=None):
        """Nothing to say about other modules, nor to other threads."""
        if name.partition(".")[0] in self._packages and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextlib.contextmanager
def _nothing_thrown_away():
    """No looking for garbage among the half million objects of TensorFlow, now and later."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


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
