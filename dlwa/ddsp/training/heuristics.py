"""Finding notes in pitch and amplitude curves by rules, without learning."""

from dataclasses import dataclass, field

import gin
import numpy as np
import tensorflow as tf

from dlwa.ddsp import core

__all__ = [
    "DDSP_DEFAULT_FRAME_RATE",
    "Note",
    "NoteSequence",
    "amp_pooled_outliers",
    "get_active_frame_indices",
    "mean_f0",
    "median_amps",
    "median_f0",
    "midi_heuristic",
    "midi_heuristic_power",
    "pad_for_frame",
    "power_pooled_outliers",
    "remove_short",
    "segment_notes",
    "segment_notes_batch",
    "strided_freq_change",
    "window_array",
]

DDSP_DEFAULT_FRAME_RATE = 250
# A window whose ends differ by more than this (in semitones) holds a change of note.
_NOTE_CHANGE_MIDI = 0.75

_register = gin.register(module="dlwa.ddsp.training.heuristics")


@dataclass
class Note:
    """One note: MIDI pitch and velocity, start and end in seconds."""

    pitch: int
    velocity: int
    start_time: float
    end_time: float


@dataclass
class NoteSequence:
    """Notes in order, and the length of the recording in seconds."""

    notes: list[Note] = field(default_factory=list)
    total_time: float = 0.0


def get_active_frame_indices(piano_roll):
    """For each key, how many frames it has been down: `[frames, keys]` of 0 and 1 -> counts.

    The first frame counts 0; a key that goes down later starts at 1.
    """
    counts = np.zeros_like(piano_roll, dtype=np.float32)
    for t in range(1, len(piano_roll)):
        counts[t] = np.where(piano_roll[t] > 0, counts[t - 1] + 1, 0)
    return counts


def window_array(array, sr, win_len, frame_step_ratio=0.75, ax=0):
    """Cut an array into overlapping windows.

    Args:
        array: samples along axis `ax`.
        sr: samples a second.
        win_len: length of a window in seconds.
        frame_step_ratio: step from window to window, in windows.
        ax: the axis of time.

    Returns:
        Windows of int(sr * win_len) samples; zeros stand before the first one and after the last.
    """
    width = int(sr * win_len)
    step = int(sr * win_len * frame_step_ratio)
    front = int(sr * win_len * (1 - frame_step_ratio))
    if width < 1 or step < 1:
        raise ValueError(
            f"win_len={win_len} and frame_step_ratio={frame_step_ratio} must give windows and "
            f"steps of at least one sample at sr={sr}"
        )
    padded = core.pad_axis(tf.convert_to_tensor(array), (front, 0), axis=ax)
    return tf.signal.frame(padded, width, step, pad_end=True, axis=ax).numpy()


def segment_notes(binarize_f, pick_f0_f, pick_amps_f, controls, frame_rate=DDSP_DEFAULT_FRAME_RATE):
    """Notes where `binarize_f` says that something sounds.

    Args:
        binarize_f: controls -> `[frames]` of bool.
        pick_f0_f: (controls, start, stop) -> one frequency in Hz for these frames.
        pick_amps_f: (controls, start, stop) -> one amplitude for these frames.
        controls: f0_hz `[frames, 1]` and harmonic/controls/amplitudes `[frames, 1]`.
        frame_rate: frames a second.

    Returns:
        NoteSequence with velocity 127 throughout.
    """
    is_on = np.asarray(binarize_f(controls)).astype(bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_on, [False]]).astype(int)))
    sequence = NoteSequence(total_time=len(is_on) / frame_rate)
    for start, stop in edges.reshape(-1, 2):
        pick_amps_f(controls, start, stop)
        pitch = core.hz_to_midi(pick_f0_f(controls, start, stop))
        sequence.notes.append(
            Note(round(float(pitch)), 127, float(start / frame_rate), float(stop / frame_rate))
        )
    return sequence


@gin.configurable(module="dlwa.ddsp.training.heuristics")
def segment_notes_batch(
    binarize_f, pick_f0_f, pick_amps_f, controls_batch, frame_rate=DDSP_DEFAULT_FRAME_RATE
):
    """segment_notes() for every example of a batch: a list of NoteSequence."""
    size = len(controls_batch["f0_hz"])
    return [
        segment_notes(binarize_f, pick_f0_f, pick_amps_f, _example(controls_batch, i), frame_rate)
        for i in range(size)
    ]


@_register
def mean_f0(controls, start, stop):
    """Mean frequency of frames start to stop."""
    return np.mean(_f0(controls)[start:stop])


@_register
def median_f0(controls, start, stop):
    """Median frequency of frames start to stop."""
    return np.median(_f0(controls)[start:stop])


@_register
def median_amps(controls, start, stop):
    """Median amplitude of frames start to stop."""
    return np.median(_amplitudes(controls)[start:stop])


def remove_short(is_on_vec, min_samples=20, glue_back=False):
    """Clear runs of True shorter than `min_samples`, in place.

    A run that reaches the end stays. With `glue_back` a short run is joined to what comes before
    instead: everything from the frame of silence before it becomes True.
    """
    previous = 0
    start = 0
    for i in np.flatnonzero(~is_on_vec):
        if i - start < min_samples:
            is_on_vec[previous if glue_back else start : i] = glue_back
        previous, start = i, i + 1
    return is_on_vec


def pad_for_frame(vec, mode, frame_width, axis=0):
    """Lengthen an array so that it has one window of `frame_width` for each sample.

    The first and last values are repeated, cut to whole numbers (as the reference does; its notes
    depend on it).

    Args:
        vec: array.
        mode: where the window lies: 'front' ends at its sample, 'center', 'end' starts there.
        frame_width: samples of a window.
        axis: the axis of time.

    Raises:
        ValueError: for another mode.
    """
    sides = {
        "front": (frame_width - 1, 0),
        "center": (frame_width // 2, frame_width - frame_width // 2 - 1),
        "end": (0, frame_width - 1),
    }
    if mode not in sides:
        raise ValueError(f"mode={mode!r} must be 'front', 'center' or 'end'")
    padding = [(0, 0)] * np.ndim(vec)
    padding[axis] = sides[mode]
    ends = (int(np.take(vec, 0, axis).flat[0]), int(np.take(vec, -1, axis).flat[0]))
    return np.pad(vec, padding, mode="constant", constant_values=[ends] * np.ndim(vec))


@_register
def amp_pooled_outliers(controls, frame_width=80, num_devs=2, pad_mode="center"):
    """True where the log amplitude is not far below its surroundings.

    Args:
        controls: see segment_notes().
        frame_width: frames of the surroundings.
        num_devs: how many standard deviations below the mean count as far.
        pad_mode: see pad_for_frame().
    """
    log_amps = core.safe_log(tf.convert_to_tensor(_amplitudes(controls))).numpy()
    return _not_far_below(log_amps, frame_width, num_devs, pad_mode)


@_register
def power_pooled_outliers(controls, frame_width=80, num_devs=2.5, pad_mode="center"):
    """amp_pooled_outliers() on the power in dB, `power_db`; silence (-80 dB) is never on."""
    power_db = _curve(controls["power_db"])
    sounding = power_db > -core.DB_RANGE
    return sounding & _not_far_below(power_db, frame_width, num_devs, pad_mode)


@_register
def strided_freq_change(controls, frame_widths=(2, 4, 8, 16, 32), pad_mode="front"):
    """True where a pitch is held: False at changes of pitch over windows of several widths."""
    f0_hz = _f0(controls)
    f0_midi = core.hz_to_midi(tf.convert_to_tensor(f0_hz)).numpy()
    is_on = np.ones(len(f0_midi), bool)
    for width in frame_widths:
        pitch = _windows(f0_midi, pad_mode, width)
        still_on = _windows(is_on, pad_mode, width).all(axis=1)
        changed = np.abs(pitch[:, 0] - pitch[:, -1]) > _NOTE_CHANGE_MIDI
        is_on = is_on & ~(changed & still_on)
    return is_on & (f0_hz > 0)


@_register
def midi_heuristic(controls):
    """Where a note sounds: loud enough, pitch held, at least 10 frames."""
    is_on = amp_pooled_outliers(controls) & strided_freq_change(controls)
    return remove_short(is_on, min_samples=10)


@_register
def midi_heuristic_power(controls):
    """midi_heuristic() with the power instead of the harmonic synthesizer's amplitude."""
    is_on = power_pooled_outliers(controls) & strided_freq_change(controls)
    return remove_short(is_on, min_samples=10)


def _not_far_below(level, frame_width, num_devs, pad_mode):
    around = _windows(level, pad_mode, frame_width)
    return level > around.mean(axis=1) - num_devs * around.std(axis=1)


def _windows(vec, pad_mode, width):
    return np.lib.stride_tricks.sliding_window_view(pad_for_frame(vec, pad_mode, width), width)


def _curve(values):
    values = np.asarray(values)
    return values[..., 0] if values.ndim > 1 else values


def _f0(controls):
    return _curve(controls["f0_hz"])


def _amplitudes(controls):
    return _curve(core.nested_lookup("harmonic/controls/amplitudes", controls))


def _example(batch, i):
    if isinstance(batch, dict):
        return {key: _example(value, i) for key, value in batch.items()}
    return np.asarray(batch)[i]
