"""Pictures of a data set's page: a recording as sound, pitch and loudness; the map of notes."""

import numpy as np
from matplotlib.figure import Figure

from dlwa.ddsp import pages
from dlwa.ddsp.audit import Coverage
from dlwa.ddsp.notes import note_name
from dlwa.ddsp.training.data_preparation._recording import Recording
from dlwa.ddsp.training.data_preparation._settings import CREPE_RATE
from dlwa.ddsp.training.data_preparation._strips import Strip

_CLEAR = 0.6
_COLUMNS = 400
_TOGETHER = 40  # columns whose samples are in memory at once
_FFT = 1024
_RANGE_DB = 60.0
_SHADE_DB = 4.0
# So many times the highest note the spectrogram reaches: harmonics are seen, and octave errors.
_REACH, _LEAST_REACH_HZ, _HIGHEST_HZ = 3.5, 1500.0, 5000.0
_SIZE = (4.6, 4.6)


def recording_picture(recording: Recording, strip: Strip, frame_rate: int, excerpt) -> str:
    """The whole waveform, and of an excerpt (start and stop in seconds) pitch and loudness."""
    figure = Figure(figsize=_SIZE, layout="constrained")
    figure.patch.set_alpha(0.0)
    wave, sound, loud = figure.subplots(3, 1, gridspec_kw={"height_ratios": [1, 2.4, 1.2]})
    for axes in (wave, sound, loud):
        _plain(axes)
    _draw_wave(wave, recording, strip, frame_rate, excerpt)
    start, stop = excerpt
    frames = slice(int(start * frame_rate), int(stop * frame_rate))
    times = start + np.arange(frames.stop - frames.start) / frame_rate
    thin = slice(None, None, max(1, len(times) // _COLUMNS))
    f0_hz = np.where(recording.f0_confidence > _CLEAR, recording.f0_hz, np.nan)[frames][thin]
    heard = recording.audio_16k[int(start * CREPE_RATE) : int(stop * CREPE_RATE)]
    _draw_sound(sound, heard, start, _highest_hz(f0_hz))
    sound.plot(times[thin][: len(f0_hz)], f0_hz / 1000.0, color="#5fe0ff", lw=1.1)
    sound.set_xlim(start, stop)
    sound.set_ylim(0.0, _highest_hz(f0_hz) / 1000.0)
    loudness = recording.loudness_db[frames][thin]
    loud.plot(times[thin][: len(loudness)], loudness, color=pages.SECOND, lw=0.9)
    loud.set_xlim(start, stop)
    loud.set_ylabel("loudness\ndB", fontsize=8, color=pages.INK)
    loud.set_xlabel("seconds", fontsize=9, color=pages.INK)
    return pages.figure_uri(figure)


def coverage_picture(coverage: Coverage) -> str:
    """How long which notes sound how loud: dark is long, empty is missing."""
    figure, axes = pages.new_figure("", "", (5.6, 2.3))
    axes.grid(False)
    names = coverage.as_dict()["loudness"]
    shown = np.log1p(coverage.seconds)
    axes.imshow(
        np.ma.masked_less(shown, np.log1p(0.5)), aspect="auto", cmap="YlGnBu", vmin=0, alpha=0.9
    )
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks(range(len(coverage.edges) - 1), [note_name(m) for m in coverage.edges[:-1]])
    middle = float(shown.max()) * 0.6
    for (row, column), seconds in np.ndenumerate(coverage.seconds):
        dark = shown[row, column] > middle
        axes.text(
            column,
            row,
            f"{seconds:.0f}",
            ha="center",
            va="center",
            fontsize=7,
            color="#ffffff" if dark else (pages.INK if seconds < 0.5 else "#111111"),
        )
    axes.set_xlabel("lowest note of the column; seconds in the cells", fontsize=9, color=pages.INK)
    return pages.figure_uri(figure)


def _plain(axes) -> None:
    axes.patch.set_alpha(0.0)
    axes.tick_params(labelsize=8, colors=pages.INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(pages.INK)


def _draw_wave(axes, recording: Recording, strip: Strip, frame_rate: int, excerpt) -> None:
    """The whole recording; what is not used is pale, the excerpt is underlined."""
    n_samples = len(recording.audio_16k)
    edges = np.linspace(0, n_samples, _COLUMNS + 1).astype(int)
    peaks = np.zeros(_COLUMNS)
    for first in range(0, _COLUMNS, _TOGETHER):
        block = np.abs(recording.audio_16k[edges[first] : edges[min(first + _TOGETHER, _COLUMNS)]])
        for i in range(first, min(first + _TOGETHER, _COLUMNS)):
            part = block[edges[i] - edges[first] : edges[i + 1] - edges[first]]
            peaks[i] = part.max(initial=0.0)
    times = (edges[:-1] + edges[1:]) / 2.0 / CREPE_RATE
    used = np.zeros(_COLUMNS, bool)
    for piece in strip:
        used |= (times >= piece.start / frame_rate) & (times <= piece.stop / frame_rate)
    for chosen, colour in ((~used, pages.SOFT), (used, pages.SECOND)):
        axes.vlines(times[chosen], -peaks[chosen], peaks[chosen], color=colour, lw=0.6)
    axes.plot(excerpt, [-1.15 * peaks.max()] * 2, color=pages.ACCENT, lw=2)
    axes.set_xlim(0, n_samples / CREPE_RATE)
    axes.set_yticks([])


def _highest_hz(f0_hz: np.ndarray) -> float:
    clear = f0_hz[np.isfinite(f0_hz)]
    top = float(np.percentile(clear, 98)) if len(clear) else _HIGHEST_HZ
    return min(max(_REACH * top, _LEAST_REACH_HZ), _HIGHEST_HZ)


def _draw_sound(axes, audio: np.ndarray, start_s: float, highest_hz: float) -> None:
    hop = max(_FFT // 4, -(-len(audio) // _COLUMNS))
    padded = np.pad(audio, (_FFT // 2, _FFT))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::hop]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(_FFT).astype(np.float32), axis=1)).T
    n_bins = int(highest_hz / CREPE_RATE * _FFT)
    level_db = 20.0 * np.log10(np.maximum(spectrum[:n_bins], 1e-7))
    top = float(level_db.max())
    level_db = (
        np.round(level_db / _SHADE_DB) * _SHADE_DB
    )  # fewer colours make a far smaller picture
    axes.imshow(
        level_db,
        origin="lower",
        aspect="auto",
        extent=(start_s, start_s + max(len(audio), 1) / CREPE_RATE, 0, highest_hz / 1000.0),
        cmap="magma",
        vmin=top - _RANGE_DB,
        vmax=top,
        interpolation="nearest",
    )
    axes.set_ylabel("kHz", fontsize=8, color=pages.INK)
