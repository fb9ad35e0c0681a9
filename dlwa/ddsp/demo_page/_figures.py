"""The page's pictures, each small enough for a phone."""

import base64
import io

import numpy as np
from matplotlib.figure import Figure

INK, ACCENT, SECOND, SOFT = "#1d2b3a", "#b3331f", "#22668f", "#9fb0bf"
_SIZE_INCHES = (4.6, 2.5)
_FFT = 1024
_FLOOR_DB = -80.0


def spectrogram(audio, sample_rate):
    """Picture (PNG) of a sound: time to the right, frequency upwards, loud is bright."""
    hop = _FFT // 4
    padded = np.pad(audio, (_FFT // 2, _FFT))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::hop]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(_FFT), axis=1)).T
    level_db = 20.0 * np.log10(np.maximum(spectrum, 1e-8) / max(float(spectrum.max()), 1e-8))
    figure, axes = _new("seconds", "kHz")
    seconds = len(audio) / sample_rate
    axes.imshow(
        level_db,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, sample_rate / 2000),
        cmap="magma",
        vmin=_FLOOR_DB,
        vmax=0,
    )
    axes.set_ylim(0, min(8.0, sample_rate / 2000))
    return _png(figure)


def pitch(frame_rate, curves, sounding):
    """Picture (SVG) of pitch curves in note names; `curves` is a list of (label, f0_hz)."""
    figure, axes = _new("seconds", "note")
    every = []
    # The first curve is broad, so that it shows under a second one that covers it.
    for (label, f0_hz), colour, width in zip(curves, (SOFT, ACCENT), (4, 1.3), strict=False):
        midi = 69 + 12 * np.log2(np.maximum(np.asarray(f0_hz), 1e-3) / 440)
        midi = np.where(sounding, midi, np.nan)
        axes.plot(np.arange(len(midi)) / frame_rate, midi, color=colour, label=label, lw=width)
        every.append(midi)
    found = np.concatenate(every)
    found = found[np.isfinite(found)]
    if len(found):
        low, high = np.percentile(found, [1, 99])
        axes.set_ylim(low - 4, high + 6)
        ticks = np.arange(12 * np.floor((low - 4) / 12), high + 6, 12)
        ticks = ticks if len(ticks) > 1 else np.arange(np.floor(low) - 2, high + 4, 4)
        axes.set_yticks(ticks, [_note(tick) for tick in ticks])
    _legend(axes)
    return _svg(figure)


def loudness(frame_rate, curves):
    """Picture (SVG) of loudness curves; `curves` is a list of (label, loudness_db)."""
    figure, axes = _new("seconds", "dB")
    for (label, level_db), colour in zip(curves, (SECOND, ACCENT), strict=False):
        level_db = np.asarray(level_db)
        axes.plot(np.arange(len(level_db)) / frame_rate, level_db, color=colour, label=label, lw=1)
    axes.set_ylim(_FLOOR_DB - 12, 34)
    _legend(axes)
    return _svg(figure)


def loss(steps, losses, heldout):
    """Picture (SVG) of a training; `heldout` is a list of (step, loss)."""
    figure, axes = _new("steps", "spectral loss")
    axes.plot(steps, losses, color=SOFT, lw=0.8, label="each step")
    axes.plot(steps, _smoothed(losses), color=SECOND, lw=1.8, label="smoothed")
    if heldout:
        axes.plot(
            *zip(*heldout, strict=True), "o-", color=ACCENT, ms=3, lw=1, label="unheard music"
        )
    axes.set_ylim(bottom=0)
    _legend(axes)
    return _svg(figure)


def _smoothed(values, width=9):
    padded = np.pad(np.asarray(values, float), width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")[: len(values)]


def _note(midi):
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    return f"{names[int(midi) % 12]}{int(midi) // 12 - 1}"


def _new(across, up):
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(across, fontsize=9, color=INK)
    axes.set_ylabel(up, fontsize=9, color=INK)
    axes.tick_params(labelsize=9, colors=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(True, color="#e3e8ec", lw=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _legend(axes):
    axes.legend(fontsize=8, frameon=False, loc="upper center", ncols=3)


def _png(figure):
    stream = io.BytesIO()
    figure.axes[0].grid(False)
    figure.savefig(stream, format="png", dpi=150)
    return _uri("image/png", stream.getvalue())


def _svg(figure):
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return _uri("image/svg+xml", stream.getvalue())


def _uri(kind, data):
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
