"""Command report: everything about a training as one HTML page."""

import argparse
import os
import sys
from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp.failures import fail

_OK, _FAILED, _NOT_FOUND = 0, 1, 3


def main(argv=None):
    """Run the command and leave the process with its exit code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Seconds of sound need no GPU, and the GPUs may be training.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv):
    """Run the command; returns its exit code."""
    given = _parser().parse_args(argv)
    if not given.model_dir.is_dir():
        return fail(f"model_dir={given.model_dir} does not exist", code=_NOT_FOUND)
    try:
        print(make_report(given))
    except OSError as error:
        return fail(f"out={given.out} could not be written: {error}", code=_FAILED)
    return _OK


def make_report(given):
    """Write the page; returns its path.

    Args:
        given: the command's arguments.

    Raises:
        OSError: if the page cannot be written.
    """
    from dlwa.ddsp.history import read_training
    from dlwa.ddsp.report import _compose

    parts = 2 if given.sounds else 1
    training = read_training(given.model_dir, given.state, given.reason)
    heard, why_not = None, "left out on request"
    if given.sounds:
        runfiles.tell_progress(0, parts, "parts", "letting the model play")
        heard, why_not = _listen(given)
    runfiles.tell_progress(parts - 1, parts, "parts", "drawing")
    page = _compose.compose(training, given.name or given.model_dir.name, given.dataset_dir)
    page.sections.insert(1, _compose.listening(heard, why_not))
    return page.write(given.out)


def _listen(given):
    """(what was heard or None, why there is nothing to hear)."""
    from dlwa.ddsp import quiet

    quiet.import_tensorflow()
    from dlwa.ddsp.report import _listening

    try:
        return _listening.listen(given.model_dir, given.dataset_dir, given.pairs), ""
    except _listening.NothingToHearError as error:
        return None, str(error)
    except Exception as error:  # a report without sounds is better than none
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        print(f"warning: the model could not be played: {first}", file=sys.stderr)
        return None, f"the model could not be played: {first}"


def _parser():
    parser = argparse.ArgumentParser(
        prog="report", description="A training as one HTML page.", allow_abbrev=False
    )
    parser.add_argument("--model_dir", type=Path, required=True, help="Folder of the model.")
    parser.add_argument("--out", type=Path, required=True, help="HTML file to write.")
    parser.add_argument("--name", default="", help="Name of the model; default: its folder's.")
    parser.add_argument(
        "--dataset_dir", type=Path, help="Folder of the data set; default: as configured."
    )
    parser.add_argument("--pairs", type=int, default=3, help="Stretches to hear.")
    parser.add_argument("--state", default="", help="How it stands; default: as recorded.")
    parser.add_argument("--reason", default="", help="Why it stands so.")
    parser.add_argument(
        "--sounds", action=argparse.BooleanOptionalAction, default=True, help="Let it play."
    )
    return parser
