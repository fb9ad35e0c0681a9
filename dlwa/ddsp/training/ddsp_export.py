"""Turn a trained model into something other programs play: the command `ddsp_export`.

ddsp_export --model_path=MODEL --save_dir=EXPORT --format=savedmodel,tflite,bundle
"""

import os
import signal
import sys
from pathlib import Path

from absl import app, flags, logging

from dlwa import runfiles
from dlwa.ddsp import quiet
from dlwa.ddsp.failures import fail, flags_of

FLAGS = flags.FLAGS

_ANY_LENGTH = "an export plays any length"
FORMATS = ("savedmodel", "tflite", "bundle", "zip")
_WHOLE, _STREAMING = "autoencoder", "streaming_f0_pw"
_OF_PLUG_INS = (
    "vst_extract_features",
    "vst_predict_controls",
    "vst_stateless_predict_controls",
    "vst_synthesize",
    "vst_synthesize_harmonic",
    "vst_synthesize_noise",
)
_told = []
_EXIT_OK, _EXIT_FAILED, _EXIT_USAGE, _EXIT_NOT_FOUND, _EXIT_INTERRUPTED = 0, 1, 2, 3, 130
_EXIT_TERMINATED = 143


def define_flags():
    """Define the command's flags, once."""
    if "model_path" in FLAGS:
        return
    flags.DEFINE_string("name", "", "Name of folder and files; default: export and model.")
    flags.DEFINE_string("model_path", "", "Folder of checkpoints, a checkpoint, or a bundle.")
    flags.DEFINE_string("save_dir", "", "Folder to write; default: export/ in the model's.")
    flags.DEFINE_list("format", [], f"Some of {', '.join(FORMATS)}; default: the first three.")
    flags.DEFINE_string("checkpoint", "best", "best, latest or a step.")
    flags.DEFINE_enum(
        "inference_model",
        _STREAMING,
        (_WHOLE, _STREAMING, *_OF_PLUG_INS),
        "What the SavedModel plays: whole pieces only, or frame by frame too.",
    )
    flags.DEFINE_multi_string("gin_param", [], f"Not needed: {_ANY_LENGTH}.")
    flags.DEFINE_boolean("debug", False, "Write and compare, but keep nothing.")
    flags.DEFINE_boolean("tfjs", False, "TensorFlow.js; not made here.")
    flags.DEFINE_boolean("tflite", True, "--notflite leaves TFLite out.")
    flags.DEFINE_string("metadata_file", None, "File to pack into the TFLite model.")
    flags.DEFINE_boolean("metadata", True, "Write metadata.json.")
    flags.DEFINE_string("dataset_path", None, "TFRecords to compare on; default: as configured.")
    flags.DEFINE_boolean("reverb", True, "Write the learned room as a sound file.")
    flags.DEFINE_integer("reverb_sample_rate", 44100, "Second copy of the room at this rate.")
    flags.DEFINE_boolean("overwrite", False, "Replace an earlier export.")
    flags.DEFINE_string("report", None, "JSON file for the results.")


def main(_):
    """Export as the flags say; returns the exit code."""
    wrong = _wrong_usage()
    if wrong:
        return fail(*wrong, _EXIT_USAGE)
    model, checkpoint = _model()
    if not model.exists():
        return fail(f"model_path={FLAGS.model_path} does not exist", "", _EXIT_NOT_FOUND)
    if FLAGS.gin_param:
        print(
            f"warning: --gin_param={FLAGS.gin_param[0]} changes nothing: {_ANY_LENGTH}",
            file=sys.stderr,
        )
    _quiet_tensorflow()
    from dlwa.ddsp import timbre_transfer
    from dlwa.ddsp.training import export

    try:
        played = timbre_transfer.load_model(model, checkpoint)
        verdicts = export.export(played, _target(model), _wishes(export), _tell)
    except timbre_transfer.TransferError as error:
        return fail(str(error), error.hint, _EXIT_FAILED)
    except export.ExportError as error:
        return fail(str(error), error.hint, error.exit_code)
    except (ValueError, OSError) as error:
        return fail(str(error), "", _EXIT_FAILED)
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    if FLAGS.report:
        found = [verdict.as_dict() for verdict in verdicts]
        runfiles.write_json(Path(FLAGS.report), {"folder": str(_target(model)), "exports": found})
    return _EXIT_OK


def _quiet_tensorflow():
    """The converter's remarks about its inner life tell nobody anything."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    quiet.import_tensorflow()
    logging.set_verbosity(logging.ERROR)


def _wrong_usage():
    """(what is wrong, hint) with the flags, or None."""
    unknown = [kind for kind in FLAGS.format if kind not in FORMATS]
    if not FLAGS.model_path:
        return "--model_path is missing", "ddsp_export --model_path=MODEL --save_dir=EXPORT"
    if unknown:
        return f"format={unknown[0]} must be one of {', '.join(FORMATS)}", "--format=bundle"
    if FLAGS.tfjs:
        return (
            "tfjs=True: TensorFlow.js is not made here",
            "export a SavedModel and give it to tensorflowjs_converter",
        )
    if FLAGS.inference_model in _OF_PLUG_INS:
        return (
            f"inference_model={FLAGS.inference_model} is not made: one step goes from pitch and "
            "loudness to controls and sound",
            "leave it out: --format=tflite is that step, --format=bundle plays in dlwa",
        )
    if FLAGS.metadata_file and not Path(FLAGS.metadata_file).is_file():
        return f"metadata_file={FLAGS.metadata_file} does not exist", ""
    return None


def _model():
    """(folder or bundle, which checkpoint)."""
    path = Path(FLAGS.model_path).expanduser()
    step = path.name.removeprefix("ckpt-")
    if path.with_name(f"{path.name}.index").is_file() and step.isdigit():
        return path.parent, step
    return path, FLAGS.checkpoint


def _target(model):
    if FLAGS.save_dir:
        return Path(FLAGS.save_dir).expanduser()
    return (model if model.is_dir() else model.parent) / (FLAGS.name or "export")


def _wishes(export):
    formats = tuple(dict.fromkeys(FLAGS.format)) or FORMATS[:3]
    if not FLAGS.tflite:
        formats = tuple(kind for kind in formats if kind != "tflite")
    return export.Wishes(
        formats=formats,
        required=tuple(FLAGS.format),
        name=FLAGS.name or "model",
        dataset_path=FLAGS.dataset_path,
        metadata=FLAGS.metadata,
        metadata_file=FLAGS.metadata_file,
        reverb=FLAGS.reverb,
        reverb_sample_rate=FLAGS.reverb_sample_rate,
        streams=FLAGS.inference_model == _STREAMING,
        overwrite=FLAGS.overwrite,
        dry=FLAGS.debug,
    )


def _tell(line):
    print(line, flush=True)
    _told.append(line)
    runfiles.tell_progress(len(_told), None, "lines", line)


def console_entry_point():
    """Start the command."""
    define_flags()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_EXIT_TERMINATED))  # what is half done goes
    app.run(main, flags_parser=flags_of("ddsp_export"))


if __name__ == "__main__":
    console_entry_point()
