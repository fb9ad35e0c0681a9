"""Train, evaluate or sample a model: the command `ddsp_run`.

    ddsp_run --mode=train --save_dir=MODEL --gin_file=models/solo_instrument.gin \\
        --gin_file=datasets/tfrecord.gin --gin_param="TFRecordProvider.file_pattern='DATA*'"
"""

import socket
import time
from pathlib import Path

from absl import app, flags, logging

from dlwa.ddsp import quiet
from dlwa.ddsp.failures import fail, flags_of
from dlwa.ddsp.training import gin_flags, run_errors
from dlwa.words import counted

FLAGS = flags.FLAGS

_MODES = ("train", "eval", "sample")
_EXIT_OK, _EXIT_INTERRUPTED = 0, 130
_FORESEEN = (ValueError, TypeError, KeyError, ImportError, OSError, RuntimeError)
_TPU_ANSWERS_WITHIN_S = 10.0


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
        told = counted(FLAGS.initial_delay_secs, "second")
        logging.info("Waiting for %s before starting.", told)
        time.sleep(FLAGS.initial_delay_secs)


def allow_memory_growth():
    """Let GPUs allocate memory as it is needed instead of all at once."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def _prepare_tensorflow():
    # With several machines the devices may not be woken before they know of one another.
    quiet.import_tensorflow(FLAGS.allow_memory_growth, wake=not FLAGS.cluster_config)
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


def _strategy():
    """How the training is spread; asked before anything is computed, as TensorFlow demands."""
    from dlwa.ddsp.training import train_util

    if FLAGS.tpu:
        _require_answer(FLAGS.tpu)
    return train_util.get_strategy(tpu=FLAGS.tpu, cluster_config=FLAGS.cluster_config)


def _require_answer(address):
    """Raise ValueError if nobody answers at a TPU's address; TensorFlow would wait for ever."""
    host, colon, port = address.removeprefix("grpc://").rpartition(":")
    if not (colon and port.isdigit()):
        return  # the name of a TPU, which is looked up
    try:
        socket.create_connection((host, int(port)), _TPU_ANSWERS_WITHIN_S).close()
    except OSError as error:
        raise ValueError(f"tpu={address!r} does not answer: {error.strerror or error}") from None


def _train(strategy, save_dir, restore_dir):
    import keras

    from dlwa.ddsp.training import models, train_util, trainers

    # First weights, like the noise and the order of the data, are a function of the seed.
    keras.utils.set_random_seed(trainers.configured_seed())
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


def _failed(error, save_dir):
    code, reason, hint = run_errors.explain(error)
    return fail(reason, hint, code, save_dir)


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

    try:
        strategy = _strategy() if FLAGS.mode == "train" else None
        if restore_dir:
            Path(restore_dir).mkdir(parents=True, exist_ok=True)
        parse_gin(restore_dir)
        if strategy:
            _train(strategy, save_dir, restore_dir)
        else:
            _look(save_dir, restore_dir)
    except _FORESEEN as error:
        return _failed(error, save_dir)
    except tf.errors.OpError as error:
        return _failed(error, save_dir)
    return _EXIT_OK


def console_entry_point():
    """The command `ddsp_run`."""
    define_flags()
    app.run(main, flags_parser=flags_of("ddsp_run"))


if __name__ == "__main__":
    console_entry_point()
