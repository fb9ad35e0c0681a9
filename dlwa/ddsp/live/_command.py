"""Command live: a model plays along with the microphone, or with a file at the sound's pace."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp import quiet
from dlwa.ddsp.failures import fail
from dlwa.ddsp.timbre_transfer import TransferError, add_knobs, given_knobs

KNOBS = (
    "adjust",
    "octave_shift",
    "loudness_shift_db",
    "confidence",
    "quiet_db",
    "harmonics_db",
    "noise_db",
    "reverb",
    "seed",
)


def main(argv=None):
    """Run the command and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv):
    """Play until the file ends or a signal comes; returns the exit code."""
    given = _parser().parse_args(argv)
    if bool(given.source) != bool(given.target):
        return fail("--source and --target must be given together", "", 2)
    try:
        knobs = given_knobs(given)
    except ValueError as error:
        return fail(str(error), "", 2)
    for name, path in (("source", given.source), ("model_dir", given.model_dir)):
        if path is not None and not path.exists():
            return fail(f"{name}={path} does not exist", "", 3)
    try:
        figures = _play(given, knobs)
    except TransferError as error:
        return fail(str(error), error.hint, 1)
    except (ValueError, OSError) as error:
        return fail(str(error), "", 1)
    from dlwa.ddsp.live._report import told

    print(told(figures), file=sys.stderr)
    if given.report:
        runfiles.write_json(given.report, figures)
    return 0


def _play(given, knobs):
    quiet.import_tensorflow()
    from dlwa.ddsp.audio_io import probe
    from dlwa.ddsp.live import _files, _report, _sound_card
    from dlwa.ddsp.live._engine import Engine
    from dlwa.ddsp.pitch import resolve_precision
    from dlwa.ddsp.timbre_transfer import load_model

    if given.source:
        probe(given.source)
    model = load_model(given.model_dir, given.checkpoint)
    precision = resolve_precision("auto")
    engine = Engine(model, knobs, given.block_ms / 1000.0, given.pitch_model, precision)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if given.source:
        late = _files.play_file(engine, given.source, given.target, not given.fast, stop.is_set)
    else:
        print(f"playing, {1000 * engine.behind_s:.0f} ms behind; Ctrl-C ends it", file=sys.stderr)
        late = _sound_card.play_along(engine, given.device, stop.is_set)
    return _report.measured(engine, late)


def _parser():
    parser = argparse.ArgumentParser(
        prog="live", description="A model plays along while you play.", allow_abbrev=False
    )
    parser.add_argument("--model_dir", type=Path, required=True, help="Folder of the model.")
    parser.add_argument("--checkpoint", default="best", help="best, latest or a step.")
    parser.add_argument("--source", type=Path, help="A recording instead of the microphone.")
    parser.add_argument("--target", type=Path, help="A file instead of the speakers.")
    parser.add_argument("--fast", action="store_true", help="Do not keep a file's pace.")
    parser.add_argument("--block_ms", type=float, default=64.0, help="Length of a block.")
    parser.add_argument("--pitch_model", default="tiny", help="tiny ... full, or swift.")
    parser.add_argument("--device", help="Sound device: number or part of its name.")
    parser.add_argument("--report", type=Path, help="JSON file for the figures.")
    add_knobs(parser, KNOBS)
    return parser
