"""The demo's own pictures; the others are those of every page."""

import numpy as np

from dlwa.ddsp import pages
from dlwa.ddsp.notes import note_name, to_midi

_LOUDNESS_LIMITS_DB = (-92.0, 34.0)


def pitch(frame_rate, curves, sounding):
    """Picture of pitch curves in note names; `curves` is a list of (label, f0_hz)."""
    figure, axes = pages.new_figure("seconds", "note")
    every = []
    # The first curve is broad, so that it shows under a second one that covers it.
    for (label, f0_hz), colour, width in zip(
        curves, (pages.SOFT, pages.ACCENT), (4, 1.3), strict=False
    ):
        midi = np.where(sounding, to_midi(f0_hz), np.nan)
        axes.plot(np.arange(len(midi)) / frame_rate, midi, color=colour, label=label, lw=width)
        every.append(midi)
    found = np.concatenate(every)
    found = found[np.isfinite(found)]
    if len(found):
        low, high = np.percentile(found, [1, 99])
        axes.set_ylim(low - 4, high + 6)
        ticks = np.arange(12 * np.floor((low - 4) / 12), high + 6, 12)
        ticks = ticks if len(ticks) > 1 else np.arange(np.floor(low) - 2, high + 4, 4)
        axes.set_yticks(ticks, [note_name(tick) for tick in ticks])
    pages.legend(figure)
    return pages.figure_uri(figure)


def loudness(frame_rate, curves):
    """Picture of loudness curves; `curves` is a list of (label, loudness_db)."""
    figure, axes = pages.new_figure("seconds", "dB")
    for (label, level_db), colour in zip(curves, (pages.SECOND, pages.ACCENT), strict=False):
        level_db = np.asarray(level_db)
        axes.plot(np.arange(len(level_db)) / frame_rate, level_db, color=colour, label=label, lw=1)
    axes.set_ylim(*_LOUDNESS_LIMITS_DB)
    pages.legend(figure)
    return pages.figure_uri(figure)


def loss(steps, losses, heldout):
    """Picture of a training; `heldout` is a list of (step, loss)."""
    figure, axes = pages.new_figure("steps", "spectral loss")
    axes.plot(steps, losses, color=pages.SOFT, lw=0.8, label="each step")
    axes.plot(steps, pages.smoothed(losses), color=pages.SECOND, lw=1.8, label="smoothed")
    if heldout:
        axes.plot(
            *zip(*heldout, strict=True), "o-", color=pages.ACCENT, ms=3, lw=1, label="unheard music"
        )
    axes.set_ylim(bottom=0)
    pages.legend(figure)
    return pages.figure_uri(figure)
