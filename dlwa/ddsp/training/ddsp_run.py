"""Train, evaluate or sample a model: the command `ddsp_run`.

    ddsp_run --mode=train --save_dir=MODEL --gin_file=models/solo_instrument.gin \\
        --gin_file=datasets/tfrecord.gin --gin_param="TFRecordProvider.file_pattern='DATA*'"
"""

import contextlib
import os
import sys
import time
from pathlib import Path

from absl import app, flags, logging

from dlwa import runfiles
from dlwa.ddsp import quiet
from dlwa.ddsp.training import gin_flags

FLAGS = flags.FLAGS

_MODES = ("train", "eval", "sample")
_EXIT_OK, _EXIT_FAILED, _EXIT_USAGE, _EXIT_NOT_FOUND, _EXIT_INTERRUPTED = 0, 1, 2, 3, 130


def define_flags():
    """Define the command's flags, once."""
    if "save_dir" in FLAGS:
        return
    flags.DEFINE_enum("mode", "train", _MODES, "What to do.")
    flags.DEFINE_string("save_dir", "/tmp/ddsp", "Folder for checkpoints, configs and summaries.")
    flags.DEFINE_string("restore_dir", "", "Where to resume from; default: save_dir.")
    flags.DEFINE_string("tpu", "", "Address of a TPU.")
    flags.DEFINE_string("cluster_config", "", "Several machines: JSON in TF_CONFIG layout.")
    flags.DEFINE_boolean("allow_memory_growth", True, "Take GPU memory only as it is needed.")
    flags.DEFINE_boolean("hypertune", False, "Report the loss to cloudml-hypertune.")
    flags.DEFINE_float("early_stop_loss_value", None, "Stop at this total loss.")
    gin_flags.define()
    flags.DEFINE_boolean("run_once", False, "Evaluate or sample one checkpoint and stop.")
    flags.DEFINE_integer("initial_delay_secs", None, "Wait before evaluating or sampling.")
    flags.DEFINE_enum(
        "precision",
        "float32",
        ("float32", "mixed_bfloat16", "mixed_float16"),
        "Numbers the networks compute with; variables and signals are always float32.",
    )
    flags.DEFINE_boolean("deterministic", False, "Only operations that repeat bit for bit.")


def delay_start():
    """Wait as long as --initial_delay_secs says."""
    if FLAGS.initial_delay_secs:
        logging.info("Waiting for %d seconds before starting.", FLAGS.initial_delay_secs)
        time.sleep(FLAGS.initial_delay_secs)


def allow_memory_growth():
    """Let GPUs allocate memory as it is needed instead of all at once."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def _prepare_tensorflow():
    quiet.import_tensorflow(FLAGS.allow_memory_growth)
    import keras
    import tensorflow as tf

    if FLAGS.precision != "float32":
        keras.config.set_dtype_policy(FLAGS.precision)
    if FLAGS.deterministic:
        tf.config.experimental.enable_op_determinism()


def parse_gin(restore_dir):
    """Put the configuration together; later parts win.

    Order: optimization/base.gin (base_tpu.gin on a TPU), eval/basic.gin, the operative config of
    restore_dir (leniently), --gin_file, --gin_param.

    Raises:
        gin_util.GinError: for anything unknown.
    """
    from dlwa.ddsp.training import checkpoint_util, gin_util

    config = gin_util.Config(FLAGS.gin_search_path)
    config.add_file("optimization/base_tpu.gin" if FLAGS.tpu else "optimization/base.gin")
    config.add_file("eval/basic.gin")
    try:
        config.add_old_config(checkpoint_util.get_latest_operative_config(restore_dir))
    except FileNotFoundError:
        logging.info("No operative config in %s; using the given files alone.", restore_dir)
    for name in FLAGS.gin_file:
        config.add_file(name)
    config.add_params(FLAGS.gin_param)
    config.check()


def _train(save_dir, restore_dir):
    import keras

    from dlwa.ddsp.training import models, train_util, trainers

    # First weights, like the noise and the order of the data, are a function of the seed.
    keras.utils.set_random_seed(trainers.configured_seed())
    strategy = train_util.get_strategy(tpu=FLAGS.tpu, cluster_config=FLAGS.cluster_config)
    with strategy.scope():
        model = models.get_model()
        trainer = trainers.get_trainer_class()(model, strategy)
    train_util.train(
        trainer=trainer,
        save_dir=save_dir,
        restore_dir=restore_dir,
        early_stop_loss_value=FLAGS.early_stop_loss_value,
        report_loss_to_hypertune=FLAGS.hypertune,
    )


def _look(save_dir, restore_dir):
    from dlwa.ddsp.training import eval_util, models

    delay_start()
    run = eval_util.evaluate if FLAGS.mode == "eval" else eval_util.sample
    run(
        model=models.get_model(),
        save_dir=save_dir,
        restore_dir=restore_dir,
        run_once=FLAGS.run_once,
    )


def _fail(save_dir, code, reason, hint=""):
    """Say what is wrong, also in the run's events, and return the exit code."""
    print(f"error: {reason}" + (f"\nhint: {hint}" if hint else ""), file=sys.stderr, flush=True)
    folder = Path(os.environ.get("DLWA_RUN_DIR") or save_dir)
    if folder.is_dir():
        with contextlib.suppress(OSError):  # a full disk may be the reason itself
            runfiles.report_event(folder, "failed", reason=reason, hint=hint)
    return code


def main(unused_argv):
    """Run the command; returns the exit code."""
    if FLAGS["verbosity"].using_default_value:
        logging.set_verbosity(logging.INFO)
    _prepare_tensorflow()
    from dlwa.ddsp.training.train_util import expand_path

    save_dir = expand_path(FLAGS.save_dir)
    restore_dir = expand_path(FLAGS.restore_dir) or save_dir
    try:
        return _run(save_dir, restore_dir)
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED


def _run(save_dir, restore_dir):
    import tensorflow as tf

    from dlwa.ddsp.training import gin_util, guards, model_config

    try:
        if restore_dir:
            Path(restore_dir).mkdir(parents=True, exist_ok=True)
        parse_gin(restore_dir)
        (_train if FLAGS.mode == "train" else _look)(save_dir, restore_dir)
    except gin_util.GinError as error:
        reason = f"{error.place}: {error.problem}" if error.place else error.problem
        return _fail(save_dir, _EXIT_USAGE, reason, error.hint)
    except guards.TrainingFailedError as error:
        return _fail(save_dir, _EXIT_FAILED, error.reason, error.hint)
    except FileNotFoundError as error:
        return _fail(save_dir, _EXIT_NOT_FOUND, str(error))
    except NotImplementedError as error:
        return _fail(save_dir, _EXIT_USAGE, str(error))
    except (model_config.OtherModelError, ImportError, OSError) as error:
        return _fail(save_dir, _EXIT_FAILED, str(error))
    except tf.errors.ResourceExhaustedError as error:
        logging.debug("details", exc_info=True)
        hint = "use a smaller batch, e.g. --gin_param=batch_size=8"
        return _fail(save_dir, _EXIT_FAILED, f"out of memory: {_first_line(error)}", hint)
    except (ValueError, TypeError, KeyError, tf.errors.OpError) as error:
        if not _is_told_by_us(error):
            # May be a wrong setting, may be our mistake: the log keeps what is needed to tell.
            logging.error("details of the failure", exc_info=True)
        return _fail(save_dir, _EXIT_FAILED, _first_line(error))
    return _EXIT_OK


def _is_told_by_us(error):
    """Whether this package raised the error, and so has said what is wrong."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    ours = Path(__file__).resolve().parents[1]
    return Path(trace.tb_frame.f_code.co_filename).resolve().is_relative_to(ours)


def _first_line(error):
    text = getattr(error, "message", None) or str(error)
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    # gin appends the scope in which a function was called; what went wrong stands first.
    return lines[0] if lines else type(error).__name__


def _parse_flags(argv):
    """Flags that do not exist or cannot be read end with exit code 2, as every usage error."""
    try:
        return FLAGS(argv)
    except flags.Error as error:
        print(f"error: {error}\nhint: ddsp_run --help lists the flags", file=sys.stderr)
        sys.exit(_EXIT_USAGE)


def console_entry_point():
    """The command `ddsp_run`."""
    define_flags()
    app.run(main, flags_parser=_parse_flags)


if __name__ == "__main__":
    console_entry_point()
