"""What evaluation shows in TensorBoard: audio, waveforms, spectrograms, pitch curves.

Every function writes to the default summary writer.
"""

import io

import numpy as np
import tensorflow as tf

from dlwa.ddsp import core, spectral_ops

_DETAIL_SAMPLES = 2000
_SPECTROGRAM_SIZE = 768
_SPECTROGRAM_RANGE = (-5.0, 1.0)  # natural logarithm of the magnitude

__all__ = [
    "audio_summary",
    "f0_summary",
    "fig_summary",
    "get_spectrogram",
    "pianoroll_summary",
    "spectrogram_summary",
    "waveform_summary",
]


def fig_summary(tag, fig, step):
    """Write a matplotlib figure as a picture under `tag`, and close it."""
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", bbox_inches="tight")
    plt.close(fig)
    picture = tf.image.decode_png(buffer.getvalue(), channels=4)
    tf.summary.image(tag, picture[tf.newaxis], step=step)


def audio_summary(audio, step, sample_rate=16000, name="audio"):
    """Write every sound of `[batch, n]` (or `[batch, n, 1]`) as a player."""
    audio = core.tf_float32(audio)
    audio = audio[..., tf.newaxis] if audio.shape.rank == 2 else audio
    # A player cuts what is louder than full scale; that sounds broken rather than loud.
    audio = tf.clip_by_value(audio, -1.0, 1.0)
    tf.summary.audio(name, audio, sample_rate, step, max_outputs=int(audio.shape[0]))


def waveform_summary(audio, audio_gen, step, name=""):
    """Draw original and generated waveforms, whole and their first 125 ms (at 16 kHz)."""
    prefix = f"{name}_" if name else ""
    for i, (original, generated) in enumerate(_pairs(audio, audio_gen), 1):
        _waveforms(f"waveform/{prefix}full_{i}", original, generated, step)
        parts = original[:_DETAIL_SAMPLES], generated[:_DETAIL_SAMPLES]
        _waveforms(f"waveform/{prefix}125ms_{i}", *parts, step)


def _waveforms(tag, original, generated, step):
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(2, 1, figsize=(4.0, 3.0), sharex=True, sharey=True)
    sounds = {"original": original, "generated": generated}
    for axis, (title, sound) in zip(axes, sounds.items(), strict=True):
        axis.plot(sound, linewidth=0.5)
        axis.set_title(title, fontsize=8)
    fig_summary(tag, fig, step)


def get_spectrogram(audio, rotate=False, size=1024):
    """Log-magnitude spectrogram `[frames, bins]`; rotated, time runs to the right."""
    logmag = np.asarray(spectral_ops.compute_logmag(core.tf_float32(audio), size=size))
    logmag = logmag[0] if logmag.ndim == 3 else logmag
    return np.rot90(logmag) if rotate else logmag


def spectrogram_summary(audio, audio_gen, step, name="", tag="spectrogram"):
    """Draw the spectrograms of original and generated sounds side by side."""
    import matplotlib.pyplot as plt

    low, high = _SPECTROGRAM_RANGE
    for i, sounds in enumerate(_pairs(audio, audio_gen), 1):
        fig, axes = plt.subplots(1, 2, figsize=(8.0, 4.0))
        for axis, sound, title in zip(axes, sounds, ("original", "generated"), strict=True):
            picture = get_spectrogram(sound, rotate=True, size=_SPECTROGRAM_SIZE)
            axis.matshow(picture, vmin=low, vmax=high, aspect="auto", cmap="magma")
            axis.set(title=title, xticks=[], yticks=[])
        fig_summary(f"{tag}/{name}_{i}" if name else f"{tag}/{i}", fig, step)


def f0_summary(f0_hz, f0_hz_predict, step, name="f0_midi", tag="f0_midi"):
    """Draw true and predicted pitch curves, `[batch, frames]`, in semitones."""
    import matplotlib.pyplot as plt

    for i, curves in enumerate(_pairs(f0_hz, f0_hz_predict), 1):
        fig, axis = plt.subplots(figsize=(6.0, 2.0))
        for curve, label in zip(curves, ("original", "predicted"), strict=True):
            axis.plot(np.asarray(core.hz_to_midi(core.tf_float32(curve))), label=label)
        axis.set_ylabel("MIDI")
        axis.legend(fontsize=7)
        fig_summary(f"{tag}/{name}_{i}", fig, step)


def pianoroll_summary(
    batch,
    outputs,
    step,
    gt_key="note_active_velocities",
    pred_key="pianoroll",
    threshold=0.0,
    tag="pianoroll",
):
    """Draw the notes: true ones green, predicted ones blue, both cyan."""
    predicted = np.asarray(outputs[pred_key]) > threshold
    true = np.asarray(batch[gt_key]) > threshold if gt_key in batch else np.zeros_like(predicted)
    none = np.zeros_like(predicted)
    picture = np.stack([none, true, predicted], axis=-1).astype(np.float32)
    # Time to the right, high notes at the top.
    picture = np.flip(np.transpose(picture, [0, 2, 1, 3]), axis=1)
    tf.summary.image(tag, picture, step=step, max_outputs=len(picture))


def _pairs(one, other):
    """Corresponding flat arrays of two batches."""
    flat = [np.asarray(x, np.float32).reshape(len(x), -1) for x in (one, other)]
    return zip(*flat, strict=True)
