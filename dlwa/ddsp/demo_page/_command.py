"""Command demo_page: what a model learned, as sounds, pictures and one HTML page."""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

from dlwa import runfiles
from dlwa.ddsp.failures import fail


def main(argv=None):
    """Run the command and leave the process with its exit code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv):
    """Run the command; returns its exit code."""
    given = _parser().parse_args(argv)
    given.commands = [tuple(pair) for pair in json.loads(given.commands)]
    try:
        path = make_page(given)
    except (ValueError, OSError) as error:
        return fail(str(error))
    print(path)
    return 0


def make_page(given):
    """Write index.html and the sounds it was made from into a folder; returns the page's path.

    Args:
        given: the command's arguments.

    Raises:
        ValueError: for a model or a sound that cannot be used.
    """
    from dlwa.ddsp.audio_io import read_audio
    from dlwa.ddsp.demo_page import _compose, _sounds
    from dlwa.ddsp.pitch import resolve_pitch_model
    from dlwa.ddsp.timbre_transfer import load_model, measure
    from dlwa.ddsp.training import checkpoints

    given.out.mkdir(parents=True, exist_ok=True)
    tracker = resolve_pitch_model(given.pitch_model)
    model = load_model(given.model_dir, "best")
    steps = checkpoints.saved_steps(given.model_dir)
    first = load_model(given.model_dir, str(steps[0]))
    recording, rate = read_audio(given.recording, model.sample_rate)
    _tell(1, "playing what it has never heard")
    target_file = given.out / "unheard_recording.wav"
    target = _sounds.cut_unheard(recording, rate, given.heldout_seconds, target_file)
    features = measure(target_file, model.frame_rate, tracker, loudness_rate=model.loudness_rate)
    played = {}
    for done, name, player, step in (
        (2, "before", first, steps[0]),
        (3, "after", model, steps[-1]),
    ):
        _tell(done, f"playing {name} the training")
        path = given.out / f"unheard_{name}_training.wav"
        played[name] = _compose.Played(step, *_resynthesis(player, features, target, path, tracker))
    _tell(4, "drawing")
    page = _compose.compose(given, model, (recording, rate), target, played)
    path = page.write(given.out / "index.html")
    numbers = {
        name: {"spectral_loss": p.distance, "pitch_within_50_cents": p.in_tune}
        for name, p in played.items()
    }
    runfiles.write_json(given.out / "numbers.json", numbers)
    return path


def _resynthesis(player, features, target, path, tracker):
    """(samples, distance from the target, share of frames in tune or None); writes the sound."""
    from dlwa.ddsp.audio_io import write_audio
    from dlwa.ddsp.demo_page import _sounds
    from dlwa.ddsp.timbre_transfer import detected_notes, measure

    audio = _sounds.resynthesize(player, features)
    write_audio(path, audio, player.sample_rate)
    in_tune = None
    if np.abs(audio).max() > 1e-3:
        again = measure(path, player.frame_rate, tracker)
        in_tune = _sounds.pitch_agreement(features, again, detected_notes(features))
    return audio, _sounds.spectral_distance(target, audio), in_tune


def _tell(done, what):
    runfiles.tell_progress(done, 4, "pictures and sounds", what)


def _parser():
    parser = argparse.ArgumentParser(prog="demo_page", description=__doc__, allow_abbrev=False)
    parser.add_argument("--model_dir", type=Path, required=True, help="Trained model.")
    parser.add_argument("--recording", type=Path, required=True, help="What it learned from.")
    parser.add_argument("--transfer_in", type=Path, required=True, help="Other instrument.")
    parser.add_argument("--transfer_out", type=Path, required=True, help="The model playing it.")
    parser.add_argument(
        "--transfer_report", type=Path, required=True, help="JSON of that transfer."
    )
    parser.add_argument("--out", type=Path, required=True, help="Folder of the page.")
    parser.add_argument("--heldout_seconds", type=float, default=8.0, help="Kept from training.")
    parser.add_argument("--instrument", default="instrument", help="What was learned.")
    parser.add_argument("--other", default="instrument", help="What was transferred.")
    parser.add_argument("--pitch_model", default="auto", help="auto, tiny ... full, swift.")
    parser.add_argument("--commands", default="[]", help="JSON list of [what, command].")
    return parser
