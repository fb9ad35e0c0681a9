"""What the trained model itself makes of a piece: what every export is held against."""

from dataclasses import dataclass

import numpy as np

from dlwa.ddsp import core
from dlwa.ddsp.training import inference
from dlwa.ddsp.training.export._parts import parts_of
from dlwa.ddsp.training.export._whole import decode

__all__ = ["SEED", "Truth", "play_truth", "worst", "worst_part"]

SEED = 7
_QUIETEST_PEAK = 1e-3


@dataclass(frozen=True)
class Truth:
    """The model's own answer to a clip.

    `audio` is the whole sound, `dry` the sum of tone and noise without the room, `noise` the white
    noise that was filtered.
    """

    controls: dict
    audio: np.ndarray
    dry: np.ndarray
    noise: np.ndarray


def play_truth(played, clip):
    """Let the trained model play a clip.

    Args:
        played: a PlayableModel.
        clip: a Clip.

    Returns:
        Truth.
    """
    parts = parts_of(played)
    inference.set_length(played.model, len(clip), played.hop_size)
    features = decode(played, *clip.inputs)
    with core.noise_seed(SEED):
        result = parts.group(features, return_outputs_dict=True)
    with core.noise_seed(SEED):
        noise = core.uniform_noise([1, len(clip) * played.hop_size])
    outputs = result["controls"]
    tone, filtered = outputs[parts.harmonic.name], outputs[parts.noise.name]
    return Truth(
        controls={
            "amplitudes": np.asarray(tone["controls"]["amplitudes"])[0, :, 0],
            "harmonic_distribution": np.asarray(tone["controls"]["harmonic_distribution"])[0],
            "magnitudes": np.asarray(filtered["controls"]["magnitudes"])[0],
        },
        audio=np.asarray(result["signal"])[0],
        dry=np.asarray(tone["signal"] + filtered["signal"])[0],
        noise=np.asarray(noise)[0],
    )


def worst_part(have, want):
    """The largest difference of two sounds as a fraction of the loudest sample of the second."""
    return worst(have, want) / max(float(np.max(np.abs(want))), _QUIETEST_PEAK)


def worst(have, want):
    """The largest difference over the length both have; infinite if there is no number."""
    have, want = np.asarray(have), np.asarray(want)
    length = min(len(have), len(want))
    if not length:
        return float("inf")
    difference = np.abs(have[:length].astype(np.float64) - want[:length])
    return float(np.max(difference)) if np.all(np.isfinite(difference)) else float("inf")
