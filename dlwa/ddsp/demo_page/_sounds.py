"""Sounds around the page: cutting, playing back, comparing."""

import numpy as np

from dlwa.ddsp import losses, timbre_transfer
from dlwa.ddsp.audio_io import write_audio

_LONGEST_S = 12.0


def cut_unheard(audio, rate, heldout_s, path):
    """Write the end of a recording, which the training never heard, and return it."""
    seconds = float(np.clip(heldout_s or 8.0, 4.0, _LONGEST_S))
    excerpt = audio[-int(seconds * rate) :]
    write_audio(path, excerpt, rate)
    return excerpt


def resynthesize(model, features):
    """Let a model play exactly what was measured, with no knob turned: `[n_samples]`."""
    knobs = timbre_transfer.Knobs(adjust=False)
    conditioned = timbre_transfer.condition(features, knobs)
    controls = timbre_transfer.controls_for(model, features, conditioned)
    audio = np.concatenate(list(timbre_transfer.Player(model).play(controls)))
    return audio[: round(features.seconds * model.sample_rate)]


def spectral_distance(target, audio):
    """Multi-scale spectral loss between two sounds of one rate: 0 is the same."""
    n = min(len(target), len(audio))
    measure = losses.SpectralLoss(logmag_weight=1.0)
    return float(measure(target[np.newaxis, :n], audio[np.newaxis, :n]))


def pitch_agreement(reference, features, mask_on):
    """Share of the notes' frames in which two performances are within 50 cents."""
    n = min(len(reference.f0_hz), len(features.f0_hz))
    mask = np.asarray(mask_on)[:n]
    if not mask.any():
        return None
    ratio = np.maximum(features.f0_hz[:n], 1.0) / np.maximum(reference.f0_hz[:n], 1.0)
    return float(np.mean(np.abs(1200 * np.log2(ratio[mask])) <= 50))
