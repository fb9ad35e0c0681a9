"""Command ddsp_generate_synthetic_dataset: made-up notes whose controls are known.

    ddsp_generate_synthetic_dataset --output_tfrecord_path=notes/data.tfrecord \\
        --num_examples=1000 --num_shards=2 \\
        --gin_param="generate_examples.generate_fn=@synthetic_data.generate_notes_v2"
"""

import signal
import sys
from pathlib import Path

from absl import app, flags

from dlwa.ddsp.failures import flags_of
from dlwa.ddsp.training import gin_flags
from dlwa.ddsp.training.data_preparation._errors import UsageError
from dlwa.ddsp.training.data_preparation._script import carry_out

FLAGS = flags.FLAGS

_ONE_MACHINE = ("", "--runner=DirectRunner")
_COMMAND = "ddsp_generate_synthetic_dataset"
_HOW_TO_CHOOSE = (
    'say how notes are made: --gin_param="generate_examples.generate_fn='
    '@synthetic_data.generate_notes_v2"'
)


def define_flags():
    """Define the command's flags, once; those of gin are shared with ddsp_run."""
    if "output_tfrecord_path" in FLAGS:
        return
    flags.DEFINE_string("output_tfrecord_path", None, "Prefix of the shards.")
    flags.DEFINE_integer("num_shards", None, "How many shards; default: one for 1000 examples.")
    flags.DEFINE_integer("num_examples", 1000000, "How many examples.")
    flags.DEFINE_integer("random_seed", 42, "Seed of the seeds of the examples.")
    flags.DEFINE_integer("num_processes", None, "How many work at once; default: what pays.")
    flags.DEFINE_list("pipeline_options", ["--runner=DirectRunner"], "Beam options.")
    gin_flags.define()


def run():
    """Make the data set that the flags describe."""
    _check_flags()
    from dlwa.ddsp import quiet

    quiet.import_tensorflow()
    from dlwa.ddsp.training.data_preparation import _generation

    _read_config()
    seeds = _generation.example_seeds(FLAGS.num_examples, FLAGS.random_seed)
    prefix = FLAGS.output_tfrecord_path
    foreign = [option for option in FLAGS.pipeline_options if option not in _ONE_MACHINE]
    if foreign:
        _beam().generate(prefix, seeds, FLAGS.num_shards, FLAGS.pipeline_options)
    else:
        _generation.generate(
            Path(prefix).expanduser(), seeds, FLAGS.num_shards, FLAGS.num_processes
        )


def _check_flags():
    if not FLAGS.output_tfrecord_path:
        raise UsageError("--output_tfrecord_path is missing: the prefix of the shards to write")
    for name in ("num_examples", "num_shards", "num_processes"):
        value = FLAGS[name].value
        if value is not None and value < 1:
            raise UsageError(f"{name}={value} must be a positive integer")
    if not 0 <= FLAGS.random_seed < 2**32:
        raise UsageError(f"random_seed={FLAGS.random_seed} must be at least 0 and below 2**32")


def _read_config():
    import gin

    from dlwa.ddsp.training import gin_util

    try:
        config = gin_util.Config(FLAGS.gin_search_path)
        for name in FLAGS.gin_file:
            config.add_file(name)
        config.add_params(FLAGS.gin_param)
        config.check()
    except gin_util.GinError as error:
        reason = f"{error.place}: {error.problem}" if error.place else error.problem
        raise UsageError(reason, error.hint) from None
    try:
        gin.query_parameter("generate_examples.generate_fn")
    except ValueError:
        raise UsageError("generate_examples.generate_fn is not bound", _HOW_TO_CHOOSE) from None


def _beam():
    try:
        from dlwa.ddsp.training.data_preparation import _beam_road
    except ImportError as error:
        if "apache_beam" not in str(error):
            raise
        reason = f"pipeline_options={','.join(FLAGS.pipeline_options)} need Apache Beam"
        raise UsageError(reason, "pip install 'dlwa[beam]', or leave the option out") from None
    return _beam_road


def main(unused_argv):
    """Carry the command out; returns the exit code."""
    return carry_out(_COMMAND, run, foreseen=(TypeError, ValueError))


def console_entry_point():
    """Start the command as an installed script."""
    define_flags()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    app.run(main, flags_parser=flags_of(_COMMAND))


if __name__ == "__main__":
    console_entry_point()
