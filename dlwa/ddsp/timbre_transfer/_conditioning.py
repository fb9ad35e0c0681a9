"""From what a recording plays to what the model shall play."""

from dataclasses import dataclass

import numpy as np

from dlwa.ddsp.colab.colab_utils import auto_tune, get_tuning_factor
from dlwa.ddsp.notes import to_midi
from dlwa.ddsp.timbre_transfer._explain import Explanation, pitch_span
from dlwa.ddsp.training import postprocessing

_HIGHEST_MIDI = 110.0
_FEW_NOTES = 0.02  # share of frames
_CLEAR = 0.8  # confidence of nearly every frame of a single note
_LOUD_DB = 30.0  # below the loudest frame


@dataclass(frozen=True)
class Conditioned:
    """What the model shall play, `[n_frames]` each, and why.

    `loudness_shift_db` is what was done to each frame's loudness, for models that measure it at
    another rate than the statistics do.
    """

    f0_hz: np.ndarray
    loudness_db: np.ndarray
    loudness_shift_db: np.ndarray
    tone: np.ndarray
    mask_on: np.ndarray
    explanation: Explanation


def condition(features, knobs, statistics=None, octave_rule=None):
    """Move a performance to where the model has learned to play, then turn the knobs.

    Args:
        features: a Features, or anything with its arrays.
        knobs: a Knobs.
        statistics: the data set's statistics; None: register and loudness stay.
        octave_rule: function (midi of the notes, statistics) -> octaves; default
            `best_octaves`.

    Returns:
        Conditioned.
    """
    f0_hz = np.array(features.f0_hz, np.float32)
    loudness_db = np.array(features.loudness_db, np.float32)
    mask_on, evidence = postprocessing.detect_notes(
        loudness_db, features.f0_confidence, note_threshold=knobs.note_threshold
    )
    told = _describe(features, f0_hz, loudness_db, mask_on, statistics)
    if knobs.adjust and mask_on.any():
        if statistics is not None:
            octaves = (octave_rule or best_octaves)(to_midi(f0_hz[mask_on]), statistics)
            f0_hz = shift_octaves(f0_hz, octaves)
            told.octaves_added = int(octaves)
            loudness_db = _trained_loudness(loudness_db, mask_on, statistics)
        loudness_db = np.where(
            mask_on, loudness_db, loudness_db - knobs.quiet_db * np.maximum(0, 1.0 - evidence)
        )
    if knobs.autotune and mask_on.any():
        f0_hz = _tuned(f0_hz, features.f0_confidence, mask_on, knobs.autotune, told)
    loudness_db = (loudness_db + knobs.loudness_shift_db).astype(np.float32)
    f0_hz = shift_octaves(f0_hz, knobs.octave_shift)
    _describe_played(told, f0_hz, loudness_db, mask_on, statistics)
    return Conditioned(
        f0_hz=f0_hz,
        loudness_db=loudness_db,
        loudness_shift_db=loudness_db - np.asarray(features.loudness_db, np.float32),
        tone=np.asarray(features.f0_confidence >= knobs.confidence, np.float32),
        mask_on=mask_on,
        explanation=told,
    )


def detected_notes(features, note_threshold=1.0):
    """Where notes sound in a performance, `[n_frames]` of True and False."""
    mask_on, _ = postprocessing.detect_notes(
        features.loudness_db, features.f0_confidence, note_threshold=note_threshold
    )
    return mask_on


def shift_octaves(f0_hz, octaves):
    """Frequencies moved by octaves, none above MIDI 110."""
    highest = 440.0 * 2.0 ** ((_HIGHEST_MIDI - 69.0) / 12.0)
    return np.clip(f0_hz * 2.0**octaves, 0.0, highest).astype(np.float32)


def best_octaves(midi, statistics):
    """The octave in which most notes lie where the model has learned; the nearest one of equals."""
    shares = {octave: inside(midi + 12 * octave, statistics) for octave in range(-6, 7)}
    best = max(shares.values())
    return min((o for o, share in shares.items() if share >= best - 0.05), key=abs)


def reference_octaves(midi, statistics):
    """The octave the field's notebook chooses, from the difference of the mean pitches."""
    difference = (float(statistics["mean_pitch"]) - float(np.mean(midi))) / 12.0
    return int(np.floor(difference) if difference > 1.5 else np.ceil(difference))


def inside(midi, statistics):
    """Share of pitches within the range the model has learned from."""
    low, high = trained_range(statistics)
    return float(np.mean((midi >= low) & (midi <= high))) if len(midi) else 0.0


def trained_range(statistics):
    """The pitches a model knows: two standard deviations around their mean, never beyond them."""
    mean, spread = float(statistics["mean_pitch_note"]), float(statistics["std_pitch_note"])
    low = max(float(statistics["min_pitch_note"]), mean - 2.0 * spread)
    high = min(float(statistics["max_pitch_note"]), mean + 2.0 * spread)
    return low - 0.5, high + 0.5


def _trained_loudness(loudness_db, mask_on, statistics):
    """The notes get the loudness distribution of the notes the model has learned from."""
    _, mapped = postprocessing.fit_quantile_transform(
        loudness_db, mask_on, inv_quantile=statistics["quantile_transform"]
    )
    return mapped.reshape(-1).astype(np.float32)


def _tuned(f0_hz, confidence, mask_on, amount, told):
    midi = to_midi(f0_hz)
    factor = get_tuning_factor(midi, confidence, mask_on)
    told.tuning_cents = 100.0 * factor
    tuned = auto_tune(midi, factor, mask_on, amount=amount)
    return np.where(f0_hz > 0, 440.0 * 2.0 ** ((tuned - 69.0) / 12.0), 0.0).astype(np.float32)


def _describe(features, f0_hz, loudness_db, mask_on, statistics):
    told = Explanation(
        seconds=float(getattr(features, "seconds", 0.0)), note_share=float(mask_on.mean())
    )
    midi = to_midi(f0_hz[mask_on])
    told.input_pitch = pitch_span(midi)
    if mask_on.any():
        told.input_loudness_db = float(np.mean(loudness_db[mask_on]))
    if statistics is None:
        told.warnings.append("the model has no statistics: register and loudness stay as recorded")
    else:
        told.trained_pitch = trained_range(statistics)
        told.trained_loudness_db = float(statistics["mean_loudness_note"])
        told.inside_before = inside(midi, statistics) if len(midi) else None
    if told.note_share == 0.0:
        told.warnings.append(
            "no notes were found: this is noise, or several notes at once; it is played as it is. "
            "Record one instrument alone, or lower note_threshold, e.g. to 0.5"
        )
    elif told.note_share < _FEW_NOTES:
        told.warnings.append("hardly any notes were found: lower note_threshold, e.g. to 0.5")
    unclear = _unclear_share(features)
    if unclear > 0.5 and told.note_share > 0.0:
        told.warnings.append(
            f"the pitch is unclear in {unclear:.0%} of the sound: several notes at once? The model "
            "follows one; record a single voice"
        )
    return told


def _unclear_share(features):
    """Share of the loud frames whose pitch is uncertain; chords have nearly all."""
    loudness_db = np.asarray(features.loudness_db)
    loud = loudness_db > loudness_db.max() - _LOUD_DB
    return float(np.mean(np.asarray(features.f0_confidence)[loud] < _CLEAR))


def _describe_played(told, f0_hz, loudness_db, mask_on, statistics):
    midi = to_midi(f0_hz[mask_on])
    told.played_pitch = pitch_span(midi)
    if not mask_on.any():
        return
    told.played_loudness_db = float(np.mean(loudness_db[mask_on]))
    if statistics is None:
        return
    told.inside_after = inside(midi, statistics)
    if told.inside_after < 0.5:
        told.warnings.append(
            f"{1 - told.inside_after:.0%} of the notes lie outside the model's range, where it "
            "has to guess"
        )
