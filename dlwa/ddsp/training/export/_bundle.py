"""A bundle: what timbre transfer plays anywhere, with nothing else beside it."""

import time

import numpy as np

from dlwa.ddsp import timbre_transfer
from dlwa.ddsp.training import bundles, checkpoint_util
from dlwa.ddsp.training.export._truth import play_truth, worst, worst_part

__all__ = ["AUDIO_LIMIT", "compare_bundle", "write_bundle"]

AUDIO_LIMIT = 1e-5


def write_bundle(played, path, name=""):
    """Write a PlayableModel as a bundle, a zip if the path ends so."""
    variables = checkpoint_util.variable_paths(played.model)
    return bundles.write(
        path,
        bundles.bindings_to_keep(played.config),
        {name: np.asarray(variable.value) for name, variable in variables.items()},
        played.statistics,
        facts_of(played, name),
    )


def facts_of(played, name=""):
    """What a person wants to know of a bundle before playing it."""
    step = played.checkpoint.rpartition("ckpt-")[2]
    return {
        "name": name,
        "step": int(step) if step.isdigit() else None,
        "sample_rate": played.sample_rate,
        "hop_size": played.hop_size,
        "frame_rate": played.frame_rate,
        "loudness_rate": played.loudness_rate,
    }


def compare_bundle(path, clip, truth):
    """Load it as timbre transfer does and play the clip.

    Returns:
        (largest error of controls, of audio, seconds the playing took).
    """
    loaded = timbre_transfer.load_model(path)
    play_truth(loaded, clip)  # the first call also makes plans
    begun = time.perf_counter()
    have = play_truth(loaded, clip)
    took_s = time.perf_counter() - begun
    controls = max(worst(have.controls[key], truth.controls[key]) for key in truth.controls)
    return controls, worst_part(have.audio, truth.audio), took_s
