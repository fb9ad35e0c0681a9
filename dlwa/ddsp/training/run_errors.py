"""What a failure of ddsp_run means: the exit code, one sentence, and what to do."""

import re
from pathlib import Path

from absl import logging

FAILED, USAGE, NOT_FOUND = 1, 2, 3

# gin and Keras append where a function was called; what went wrong stands first.
_NOT_BOUND = re.compile(r"Required bindings for `(\w+)` not provided in config: \['(\w+)'")
_NOT_GIVEN = re.compile(r"(\w+)\(\) missing \d+ required positional arguments?: '(\w+)'")
_HINTS = {
    "get_model.model": "name a model, e.g. --gin_file=models/solo_instrument.gin, or let "
    "--save_dir or --restore_dir be the folder of a trained one",
    "data_provider": "name the data, e.g. --gin_file=datasets/tfrecord.gin "
    "--gin_param=\"TFRecordProvider.file_pattern='.../data.tfrecord*'\"",
    "evaluator_classes": "name evaluators, e.g. --gin_file=eval/basic_f0_ld.gin",
}


def explain(error):
    """(exit code, reason, hint) of an exception; those nobody foresaw are logged whole."""
    import tensorflow as tf

    from dlwa.ddsp.training import gin_util, guards, model_config

    if isinstance(error, gin_util.GinError):
        reason = f"{error.place}: {error.problem}" if error.place else error.problem
        return USAGE, reason, error.hint
    if isinstance(error, guards.TrainingFailedError):
        return FAILED, error.reason, error.hint
    if missing := _missing_binding(error):
        hint = _HINTS.get(missing) or _HINTS.get(missing.rsplit(".", 1)[-1], "")
        return USAGE, f"{missing} is not bound", hint
    reason = first_line(error)
    if isinstance(error, FileNotFoundError):
        return NOT_FOUND, reason, ""
    if isinstance(error, NotImplementedError):
        return USAGE, reason, ""
    if isinstance(error, tf.errors.ResourceExhaustedError):
        logging.debug("details", exc_info=True)
        hint = "use a smaller batch, e.g. --gin_param=batch_size=8"
        return FAILED, f"out of memory: {reason}", hint
    told = (model_config.OtherModelError, ImportError, OSError)
    if not isinstance(error, told) and not _is_told_by_us(error):
        # May be a wrong setting, may be our mistake: the log keeps what is needed to tell.
        logging.error("details of the failure", exc_info=True)
    return FAILED, reason, ""


def first_line(error):
    """What an exception says, without what gin and TensorFlow append."""
    text = str(getattr(error, "message", None) or error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _missing_binding(error):
    """The parameter that gin or Python misses, e.g. 'get_model.model'; empty if it is not that."""
    if isinstance(error, RuntimeError | TypeError):
        found = _NOT_BOUND.search(str(error)) or _NOT_GIVEN.search(str(error))
        if found:
            return f"{found[1]}.{found[2]}"
    return ""


def _is_told_by_us(error):
    """Whether this package raised the error, and so has said what is wrong."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    ours = Path(__file__).resolve().parents[1]
    return Path(trace.tb_frame.f_code.co_filename).resolve().is_relative_to(ours)
