"""What a transfer did, as pictures: the recording beside what was made of it."""

import numpy as np

from dlwa.ddsp import pages
from dlwa.ddsp.audio_io import read_audio

_COLUMNS = 800
_LONGEST_S = 120.0


def before_and_after(source, result):
    """Pictures of a transfer as HTML.

    Args:
        source: the recording.
        result: a timbre_transfer.Result.
    """
    rate = 16000
    heard, played = (_start_of(path, rate) for path in (source, result.path))
    features, conditioned = result.features, result.conditioned
    seconds = np.arange(len(features.f0_hz)) / features.frame_rate
    sounding = conditioned.mask_on if conditioned.mask_on.any() else np.full(len(seconds), True)
    curves = [
        ("Pitch", "Hz", features.f0_hz, conditioned.f0_hz, True),
        ("Loudness", "dB", features.loudness_db, conditioned.loudness_db, False),
    ]
    cards = [
        pages.Card("The recording", pages.spectrogram(heard, rate), "Spectrogram."),
        pages.Card("The model", pages.spectrogram(played, rate), "Spectrogram."),
        pages.Card("The recording", _waveform(heard, rate), "Waveform."),
        pages.Card("The model", _waveform(played, rate), "Waveform."),
    ]
    for title, unit, before, after, only_notes in curves:
        shown = [np.where(sounding, x, np.nan) if only_notes else x for x in (before, after)]
        picture = pages.lines(
            "seconds",
            unit,
            [
                ("recorded", *_thinned(seconds, shown[0]), {"color": pages.SECOND}),
                ("played", *_thinned(seconds, shown[1]), {"color": pages.ACCENT}),
            ],
        )
        cards.append(pages.Card(title, picture, f"{title} as recorded and as the model plays it."))
    return pages.cards(cards)


def _start_of(path, rate):
    audio, _ = read_audio(path, rate)
    return audio[: int(_LONGEST_S * rate)]


def _waveform(audio, rate):
    """Highest and lowest sample of every column."""
    size = max(1, -(-len(audio) // _COLUMNS))
    columns = np.pad(audio, (0, -len(audio) % size)).reshape(-1, size)
    figure, axes = pages.new_figure("seconds", "amplitude")
    seconds = np.arange(len(columns)) * size / rate
    axes.fill_between(seconds, columns.min(1), columns.max(1), color=pages.SECOND, linewidth=0.5)
    axes.set_ylim(-1, 1)
    return pages.figure_uri(figure)


def _thinned(x, y):
    step = max(1, len(x) // (2 * _COLUMNS))
    return x[::step], y[::step]
