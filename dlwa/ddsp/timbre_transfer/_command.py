"""Command timbre_transfer: a recording in, the model's sound out.

python -m dlwa.ddsp.timbre_transfer flute.wav out.wav --model_dir=models/ddsp/ann/violin
"""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp import quiet
from dlwa.ddsp.audio_io import AudioFileError
from dlwa.ddsp.failures import fail
from dlwa.ddsp.timbre_transfer._arguments import add_knobs, given_knobs
from dlwa.ddsp.timbre_transfer._errors import TransferError
from dlwa.ddsp.timbre_transfer._knobs import EFFECTS

SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}
_REPORT_EVERY_S = 0.2
_LOG_EVERY_S = 5.0
_OK, _FAILED, _USAGE, _NOT_FOUND = 0, 1, 2, 3


def main(argv=None):
    """Run the command and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv):
    """Run the command; returns its exit code."""
    given = _parser().parse_args(argv)
    try:
        knobs = given_knobs(given)
    except ValueError as error:
        return fail(str(error), EFFECTS[str(error).partition("=")[0]], _USAGE)
    for name, path in (("recording", given.source), ("model_dir", given.model_dir)):
        if not path.exists():
            return fail(f"{name}={path} does not exist", "", _NOT_FOUND)
    try:
        _check_wishes(given)
    except ValueError as error:
        return fail(str(error), "", _USAGE)
    try:
        _transfer(given, knobs)
    except KeyboardInterrupt:
        return 130
    except TransferError as error:
        return fail(str(error), error.hint, _FAILED)
    except AudioFileError as error:
        return fail(str(error), "open it in an audio editor and save it as wav", _FAILED)
    except (ValueError, OSError) as error:
        return fail(str(error), "", _FAILED)
    return _OK


def _check_wishes(given):
    """Refuse what needs no model to be refused, before the seconds that TensorFlow takes.

    Raises:
        ValueError: for a file that cannot be written so, or a pitch tracker nobody knows.
    """
    from dlwa.ddsp.pitch import MODELS
    from dlwa.ddsp.timbre_transfer._writer import check_output

    check_output(given.target, given.sample_rate, given.source)
    if given.pitch_model not in ("auto", *MODELS):
        raise ValueError(
            f"pitch_model={given.pitch_model!r} must be auto or one of {', '.join(MODELS)}"
        )


def _transfer(given, knobs):
    from dlwa.ddsp.audio_io import probe

    probe(given.source)  # before the seconds that loading TensorFlow takes
    quiet.import_tensorflow()
    from dlwa.ddsp import timbre_transfer
    from dlwa.ddsp.pitch import resolve_pitch_model

    progress = _Progress()
    progress(0, None, "loading the model")
    model = timbre_transfer.load_model(given.model_dir, given.checkpoint)
    result = timbre_transfer.transfer(
        given.source,
        model,
        given.target,
        knobs,
        pitch_model=resolve_pitch_model(given.pitch_model),
        sample_rate=given.sample_rate,
        subtype=SUBTYPES[given.bits],
        progress=progress,
    )
    for warning in result.explanation.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if given.explain:
        print("\n".join(explained(result, model)))
    if given.report:
        runfiles.write_json(given.report, report(result, model, knobs, progress.seconds()))


def explained(result, model):
    """What was chosen and why, line by line."""
    return [
        f"model: {model.folder}, {Path(model.checkpoint).name}",
        *result.explanation.lines(),
    ]


def report(result, model, knobs, took_s):
    """Everything about a transfer as plain values, its curves included."""

    def curve(x):
        return [round(float(value), 2) for value in x]

    return {
        "output": str(result.path),
        "sample_rate": result.sample_rate,
        "seconds": result.seconds,
        "took_s": round(took_s, 3),
        "checkpoint": model.checkpoint,
        "knobs": dataclasses.asdict(knobs),
        "explained": explained(result, model),
        "explanation": result.explanation.as_dict(),
        "frame_rate": result.features.frame_rate,
        "curves": {
            "f0_hz": curve(result.features.f0_hz),
            "f0_confidence": curve(result.features.f0_confidence),
            "loudness_db": curve(result.features.loudness_db),
            "played_f0_hz": curve(result.conditioned.f0_hz),
            "played_loudness_db": curve(result.conditioned.loudness_db),
        },
    }


class _Progress:
    """Tells how far it is: into the run's folder, and now and then on stderr."""

    def __init__(self):
        self._begun = time.monotonic()
        self._reported = self._logged = self._begun
        self._what = None

    def __call__(self, done, total, what):
        now = time.monotonic()
        fresh, self._what = what != self._what, what
        if fresh or now - self._reported > _REPORT_EVERY_S or done == total:
            self._reported = now
            runfiles.tell_progress(done, total, "s of audio", what)
        if now - self._logged > _LOG_EVERY_S:
            self._logged = now
            print(f"{what}: {done:.1f}{f' of {total:.1f}' if total else ''} s", file=sys.stderr)

    def seconds(self):
        """Seconds since the beginning."""
        return time.monotonic() - self._begun


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        """Say it like everything else that is wrong."""
        self.exit(fail(message, f"{self.prog} --help", _USAGE))


def _parser():
    parser = _Parser(
        prog="python -m dlwa.ddsp.timbre_transfer",
        description="A trained model plays what a recording plays.",
        allow_abbrev=False,
    )
    parser.add_argument("source", type=Path, metavar="IN", help="Recording of any format.")
    parser.add_argument("target", type=Path, metavar="OUT", help="File to write: wav, flac, ogg.")
    parser.add_argument("--model_dir", type=Path, required=True, help="Folder of the model.")
    parser.add_argument("--checkpoint", default="best", help="best, latest or a step.")
    parser.add_argument("--sample_rate", type=int, help="Of OUT, in Hz; default: the model's.")
    parser.add_argument("--bits", choices=sorted(SUBTYPES), default="16", help="Of OUT.")
    parser.add_argument("--pitch_model", default="auto", help="auto, tiny ... full, swift.")
    parser.add_argument("--explain", action="store_true", help="Say what was chosen and why.")
    parser.add_argument("--report", type=Path, help="JSON file for choices and curves.")
    add_knobs(parser)
    return parser
