"""Pictures of sounds: spectrograms, impulse responses, piano rolls."""

import numpy as np

from dlwa.ddsp import core, spectral_ops

__all__ = [
    "pianoroll_plot_setup",
    "plot_impulse_responses",
    "specplot",
    "transfer_function",
]

_OCTAVES = 11
_BLACK_KEYS = (1, 3, 6, 8, 10)


def specplot(audio, vmin=-5, vmax=1, rotate=True, size=768, **matshow_kwargs):
    """Draw the log-magnitude spectrogram of a sound into a new figure.

    Args:
        audio: `[n]`, or `[batch, n]` of which the first is drawn.
        vmin, vmax: range of the colours (natural logarithm of the magnitude).
        rotate: time to the right, frequency upwards.
        size: samples of a frame.
        **matshow_kwargs: for matplotlib's matshow.
    """
    import matplotlib.pyplot as plt

    audio = np.asarray(audio, np.float32)
    audio = audio[0] if audio.ndim == 2 else audio
    logmag = np.asarray(spectral_ops.compute_logmag(core.tf_float32(audio), size=size))
    if rotate:
        logmag = np.rot90(logmag)
    plt.matshow(logmag, vmin=vmin, vmax=vmax, cmap=plt.cm.magma, aspect="auto", **matshow_kwargs)
    plt.xticks([])
    plt.yticks([])
    plt.xlabel("Time")
    plt.ylabel("Frequency")


def transfer_function(ir, sample_rate=16000):
    """What a filter does to each frequency.

    Args:
        ir: impulse response, time on the last axis.
        sample_rate: in Hz.

    Returns:
        (frequencies in Hz `[bins]`, magnitudes `[..., bins]`).
    """
    ir = np.asarray(ir)
    n_fft = core.get_fft_size(0, int(ir.shape[-1]))
    frequencies = np.abs(np.fft.fftfreq(n_fft, 1.0 / sample_rate)[: n_fft // 2 + 1])
    return frequencies, np.abs(np.fft.rfft(ir, n_fft)).astype(np.float32)


def plot_impulse_responses(impulse_response, desired_magnitudes, sample_rate=16000):
    """Draw an impulse response, and its effect on each frequency against the desired one."""
    import matplotlib.pyplot as plt

    impulse_response = np.asarray(impulse_response)
    desired = np.ravel(np.asarray(desired_magnitudes))
    frequencies, magnitudes = transfer_function(np.ravel(impulse_response), sample_rate)
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 6))
    left.plot(np.ravel(impulse_response))
    left.set(title="Impulse response", xlabel="Samples", ylabel="Amplitude")
    right.plot(np.linspace(0, sample_rate / 2.0, len(desired)), desired, label="Desired")
    right.plot(frequencies, magnitudes, label="Filter")
    right.set(title="Transfer function", xlabel="Frequency (Hz)", ylabel="Magnitude")
    right.legend()
    return figure


def pianoroll_plot_setup(figsize=None, side_piano_ratio=0.025, faint_pr=True, xlim=None):
    """An empty piano roll with a keyboard on its left, ready to draw notes into.

    Args:
        figsize: of the figure, in inches.
        side_piano_ratio: width of the keyboard, of the whole.
        faint_pr: shade the rows of the black keys.
        xlim: time range.

    Returns:
        (figure, main axis, keyboard axis); vertical position = MIDI pitch, 11 octaves.
    """
    import matplotlib.pyplot as plt

    figure, (keyboard, main) = plt.subplots(
        1,
        2,
        sharey=True,
        figsize=figsize,
        gridspec_kw={"width_ratios": [side_piano_ratio, 1 - side_piano_ratio], "wspace": 0},
    )
    black = [12 * octave + key for octave in range(_OCTAVES) for key in _BLACK_KEYS]
    for pitch in black:
        keyboard.axhspan(pitch - 0.5, pitch + 0.5, color="black")
        if faint_pr:
            main.axhspan(pitch - 0.5, pitch + 0.5, color="black", alpha=0.06, linewidth=0)
    keyboard.set(xticks=[], yticks=[12 * octave for octave in range(_OCTAVES)])
    keyboard.set_yticklabels([f"C{octave - 1}" for octave in range(_OCTAVES)])
    keyboard.set_ylim(-0.5, 12 * _OCTAVES - 0.5)
    main.tick_params(axis="y", left=False, labelleft=False)
    for octave in range(_OCTAVES):
        main.axhline(12 * octave - 0.5, color="black", alpha=0.15, linewidth=0.5)
    if xlim is not None:
        main.set_xlim(xlim)
    return figure, main, keyboard
