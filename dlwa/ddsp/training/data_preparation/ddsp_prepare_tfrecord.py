"""Command ddsp_prepare_tfrecord: recordings in, TFRecords and their statistics out.

    ddsp_prepare_tfrecord --input_audio_dir=inputs/ann/violin \
        --output_tfrecord_path=datasets/ddsp/ann/violin/data.tfrecord --num_shards=10
"""

import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import app, flags, logging

from dlwa.ddsp.failures import flags_of
from dlwa.ddsp.pitch import pitch_model_title
from dlwa.ddsp.training.data_preparation._errors import UsageError
from dlwa.ddsp.training.data_preparation._pipeline_options import check_pipeline_options
from dlwa.ddsp.training.data_preparation._script import carry_out
from dlwa.ddsp.training.data_preparation._settings import PITCH_MODELS, PRECISIONS, Settings
from dlwa.ddsp.training.data_preparation._sources import files_in_folder, files_matching
from dlwa.words import counted

# TensorFlow is imported below, once flags and input are known to be good: it takes seconds.

FLAGS = flags.FLAGS

_COMMAND = "ddsp_prepare_tfrecord"

flags.DEFINE_list("input_audio_filepatterns", [], "Glob patterns of recordings.")
flags.DEFINE_string("input_audio_dir", None, "Folder of recordings, sub-folders included.")
flags.DEFINE_string("output_tfrecord_path", None, "Prefix of the output shards.")
flags.DEFINE_integer("num_shards", None, "Number of shards (fewer if there are fewer windows).")
flags.DEFINE_integer("sample_rate", 16000, "Rate of the stored audio in Hz.")
flags.DEFINE_integer("frame_rate", 250, "Frames of f0 and loudness per second; 0: audio only.")
flags.DEFINE_float("example_secs", 4, "Length of a window in seconds; 0 keeps whole chunks.")
flags.DEFINE_float("hop_secs", 1, "Distance of window starts in seconds.")
flags.DEFINE_float("eval_split_fraction", 0.0, "Share written to <prefix>-eval.")
flags.DEFINE_float(
    "heldout_fraction", 0.1, "With --input_audio_dir: share written to heldout.tfrecord."
)
flags.DEFINE_float("chunk_secs", 20.0, "With --compat: length of the chunks cut first.")
flags.DEFINE_boolean("center", False, "One frame more for each window.")
flags.DEFINE_boolean("viterbi", True, "Smooth the pitch with the Viterbi algorithm.")
flags.DEFINE_enum(
    "pitch_model",
    "auto",
    PITCH_MODELS,
    "Pitch tracker: a size of CREPE, or swift (fastest); auto: tiny on a processor, full on a GPU.",
)
flags.DEFINE_enum("precision", "auto", PRECISIONS, "Numbers the pitch tracker computes with.")
flags.DEFINE_integer("seed", 0, "Seed of the record order and of the held-out choice.")
flags.DEFINE_boolean("compat", False, "Repeat the reference's numbers, its silence included.")
flags.DEFINE_string("report_dir", None, "Where dataset.json and statistics go (default: beside).")
flags.DEFINE_boolean("page", True, "Write report.html, to see and hear the data set.")
flags.DEFINE_string("cache_dir", None, "Where measured recordings are kept (default: the user's).")
flags.DEFINE_float("cache_gb", 5.0, "Size of the cache; what was not used longest goes.", 0.0)
flags.DEFINE_boolean("no_cache", False, "Measure everything again and keep nothing.")
flags.DEFINE_list(
    "pipeline_options", "--runner=DirectRunner", "Beam options, e.g. --runner=FlinkRunner."
)


def run() -> None:
    """Prepare the dataset the flags describe."""
    _check_flags()
    prefix = Path(FLAGS.output_tfrecord_path).expanduser()
    files = _input_files()
    if FLAGS.compat or not FLAGS.frame_rate or not FLAGS.example_secs:
        _run_compat(files, prefix)
    else:
        _run_clean(files, prefix, _settings())


def _run_clean(files: list[Path], prefix: Path, settings: Settings) -> None:
    from dlwa.ddsp.training.data_preparation._clean_road import prepare
    from dlwa.ddsp.training.data_preparation._dataset_files import write_papers
    from dlwa.ddsp.training.data_preparation._machine import resolve

    report_dir = Path(FLAGS.report_dir or prefix.parent).expanduser()
    if FLAGS.report_dir:
        report_dir.mkdir(parents=True, exist_ok=True)
    split = FLAGS.eval_split_fraction > 0
    cache = _cache()
    prepared = prepare(
        files,
        Path(f"{prefix}-train") if split else prefix,
        resolve(settings, cache),
        FLAGS.num_shards,
        folder=FLAGS.input_audio_dir,
        heldout_prefix=f"{prefix}-eval" if split else None,
        finish=lambda prepared: write_papers(prepared, report_dir, cache, FLAGS.page),
        cache=cache,
        pipeline_options=check_pipeline_options(FLAGS.pipeline_options),
    )
    _tell(prepared, report_dir)


def _cache():
    from dlwa.ddsp.training.data_preparation._cache import Cache, default_folder

    if FLAGS.no_cache or not FLAGS.cache_gb:
        return Cache()
    return Cache(FLAGS.cache_dir or default_folder(), int(FLAGS.cache_gb * 1e9))


def _run_compat(files: list[Path], prefix: Path) -> None:
    from dlwa.ddsp.training.data_preparation.prepare_tfrecord_lib import prepare_tfrecord

    logging.info("preparing as the reference does; its silent padding is kept")
    prepare_tfrecord(
        [str(path) for path in files],
        str(prefix),
        FLAGS.num_shards,
        FLAGS.sample_rate,
        FLAGS.frame_rate,
        FLAGS.example_secs,
        FLAGS.hop_secs,
        FLAGS.eval_split_fraction,
        FLAGS.chunk_secs,
        FLAGS.center,
        FLAGS.viterbi,
        FLAGS.pipeline_options,
        compat=True,
        pitch_model="full" if FLAGS.pitch_model == "auto" else FLAGS.pitch_model,
        precision="float32" if FLAGS.precision == "auto" else FLAGS.precision,
    )


def _check_flags() -> None:
    if not FLAGS.output_tfrecord_path:
        raise UsageError("--output_tfrecord_path is missing: the prefix of the shards to write")
    if bool(FLAGS.input_audio_dir) == bool(FLAGS.input_audio_filepatterns):
        raise UsageError("give either --input_audio_dir or --input_audio_filepatterns")
    if FLAGS.num_shards is not None and FLAGS.num_shards < 1:
        raise UsageError(f"num_shards={FLAGS.num_shards} must be a positive integer")
    if not 0 <= FLAGS.eval_split_fraction < 1:
        raise UsageError(
            f"eval_split_fraction={FLAGS.eval_split_fraction} must be at least 0 and below 1"
        )
    try:
        by_beam = check_pipeline_options(FLAGS.pipeline_options)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if by_beam and FLAGS.compat:
        raise UsageError("--compat prepares on this machine; leave --pipeline_options out")


def _input_files() -> list[Path]:
    if FLAGS.input_audio_dir:
        return files_in_folder(FLAGS.input_audio_dir)
    return files_matching(FLAGS.input_audio_filepatterns)


def _settings() -> Settings:
    heldout = FLAGS.eval_split_fraction
    if not heldout and FLAGS.input_audio_dir:
        heldout = FLAGS.heldout_fraction
    try:
        return Settings(
            sample_rate=FLAGS.sample_rate,
            frame_rate=FLAGS.frame_rate,
            example_secs=FLAGS.example_secs,
            hop_secs=FLAGS.hop_secs,
            center=FLAGS.center,
            viterbi=FLAGS.viterbi,
            pitch_model=FLAGS.pitch_model,
            precision=FLAGS.precision,
            heldout_fraction=heldout,
            seed=FLAGS.seed,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _tell(prepared, report_dir: Path) -> None:
    train, heldout = prepared.train, prepared.heldout
    logging.info(
        "%s used, %d not; %.1f s to learn from in %s of %g s "
        "(%.0f %% silence), %.1f s held out in %s (%s)",
        counted(len(prepared.materials), "recording"),
        len(prepared.refused),
        train.seconds,
        counted(len(train.windows), "example"),
        prepared.settings.example_secs,
        100 * train.silent_share,
        heldout.seconds,
        counted(len(heldout.windows), "example"),
        prepared.how_split,
    )
    if prepared.speed:
        model = pitch_model_title(prepared.settings.pitch_model)
        logging.info("pitch by %s at %.1f x real time", model, prepared.speed)
    elif not FLAGS.no_cache:
        logging.info("every recording was known from the cache or measured by Beam")
    told = report_dir / ("report.html" if FLAGS.page else "dataset.json")
    logging.info("%s says what became of each file", told)


def main(unused_argv) -> int:
    """Carry the command out; returns the exit code."""
    return carry_out(_COMMAND, run)


def console_entry_point() -> None:
    """Start the command as an installed script."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    app.run(main, flags_parser=flags_of(_COMMAND))


if __name__ == "__main__":
    console_entry_point()
