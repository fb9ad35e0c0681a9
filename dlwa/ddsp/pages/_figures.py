"""Pictures of a page: small enough for a phone, readable on light and on dark."""

import io
import re
from urllib.parse import quote

import numpy as np
from matplotlib.figure import Figure

# Colours on light; figure_uri gives each a twin on dark.
INK, ACCENT, SECOND, SOFT, GRID = "#1d2b3a", "#b3331f", "#22668f", "#9fb0bf", "#e3e8ec"
_ON_DARK = {
    INK: "#dbe4ee",
    ACCENT: "#ff8a70",
    SECOND: "#6cb8e6",
    SOFT: "#66798c",
    GRID: "#2c3947",
}
SIZE_INCHES = (4.6, 2.5)
_RASTER_DPI = 150
_FFT = 1024
_FLOOR_DB = -80.0
_MAX_COLUMNS = 800  # more than the picture has pixels


def new_figure(across, up, size_inches=SIZE_INCHES):
    """An empty picture in the page's style.

    Args:
        across: label of the horizontal axis.
        up: label of the vertical axis.
        size_inches: width and height.

    Returns:
        (figure, axes) of matplotlib.
    """
    figure = Figure(figsize=size_inches, layout="constrained")
    figure.patch.set_alpha(0.0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0.0)
    axes.set_xlabel(across, fontsize=9, color=INK)
    axes.set_ylabel(up, fontsize=9, color=INK)
    axes.tick_params(labelsize=9, colors=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(INK)
    axes.grid(True, color=GRID, lw=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def figure_uri(figure):
    """A matplotlib figure as an SVG data URI whose named colours follow light and dark."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", dpi=_RASTER_DPI, metadata={"Date": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    light = "".join(f"--c{i}:{colour};" for i, colour in enumerate(_ON_DARK))
    dark = "".join(f"--c{i}:{colour};" for i, colour in enumerate(_ON_DARK.values()))
    for i, colour in enumerate(_ON_DARK):
        svg = re.sub(colour, f"var(--c{i})", svg, flags=re.IGNORECASE)
    style = f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}</style>"
    end = svg.index(">") + 1
    svg = svg[:end] + style + svg[end:]
    # Not base64: a raster inside is base64 already, and twice would be a third larger.
    return "data:image/svg+xml," + quote(svg, safe=" /:;,=+()!*@$.-_~'?{}[]|^")


def lines(across, up, curves, logarithmic=False):
    """Picture of curves over a common axis.

    Args:
        across: label of the horizontal axis.
        up: label of the vertical axis.
        curves: list of (label, x, y, style); style is a dictionary for matplotlib's plot().
        logarithmic: whether the vertical axis is.
    """
    figure, axes = new_figure(across, up)
    for label, x, y, style in curves:
        axes.plot(x, y, label=label, **style)
    if logarithmic:
        axes.set_yscale("log")
    legend(figure)
    return figure_uri(figure)


def legend(figure):
    """Name the curves of a picture above it, if there are several."""
    if len(figure.axes[0].get_legend_handles_labels()[0]) > 1:
        figure.legend(
            fontsize=8, frameon=False, labelcolor=INK, loc="outside upper center", ncols=3
        )


def histogram(values, across, bins=40, up="share"):
    """Picture of how values are spread; they add up to 1."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    figure, axes = new_figure(across, up)
    if len(values):
        axes.hist(values, bins=bins, weights=np.full(len(values), 1 / len(values)), color=SECOND)
    return figure_uri(figure)


def spectrogram(audio, sample_rate, highest_hz=8000.0):
    """Picture of a sound: time to the right, frequency upwards, loud is bright.

    Args:
        audio: `[n_samples]`.
        sample_rate: in Hz.
        highest_hz: where the picture ends.
    """
    level_db = _levels(np.asarray(audio, np.float32), sample_rate, highest_hz)
    highest = min(highest_hz, sample_rate / 2)
    figure, axes = new_figure("seconds", "kHz")
    axes.grid(False)
    axes.imshow(
        level_db,
        origin="lower",
        aspect="auto",
        extent=(0, max(len(audio) / sample_rate, 1e-3), 0, highest / 1000),
        cmap="magma",
        vmin=_FLOOR_DB,
        vmax=0,
    )
    return figure_uri(figure)


def _levels(audio, sample_rate, highest_hz):
    """Levels in dB below the loudest, `[n_bins, n_columns]`."""
    hop = max(_FFT // 4, -(-len(audio) // _MAX_COLUMNS))
    padded = np.pad(audio, (_FFT // 2, _FFT))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::hop]
    window = np.hanning(_FFT).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(frames * window, axis=1)).T
    n_bins = int(np.ceil(min(1.0, 2 * highest_hz / sample_rate) * (_FFT // 2))) + 1
    loudest = max(float(spectrum.max()), 1e-8)
    return 20.0 * np.log10(np.maximum(spectrum[:n_bins] / loudest, 1e-8))


def smoothed(values, width=9):
    """A moving mean as long as the values."""
    padded = np.pad(np.asarray(values, float), width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")[: len(values)]
