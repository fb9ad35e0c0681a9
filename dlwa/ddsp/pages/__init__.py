"""Pages to hear and see: one HTML file without network, for phone and desk, light and dark.

    from dlwa.ddsp import pages
    sound = pages.Card(
        "The recording",
        pages.spectrogram(audio, 16000),
        "Spectrogram: harmonics as parallel lines.",
        sound=pages.sound_uri(audio, 16000),
    )
    page = pages.Page(
        "A violin",
        "What was recorded.",
        facts=[("length", "12 min")],
        sections=[pages.Section("Sounds", pages.cards([sound]))],
    )
    page.write(folder / "report.html")

A fragment is a `str` of HTML made by the functions here, which escape every text they are given.
A picture is a data URI made by `figure_uri` from a figure of `new_figure`; colours named here
(`INK`, `ACCENT` ...) turn with the page between light and dark. Nothing here needs TensorFlow.
"""

from dlwa.ddsp.notes import note_name
from dlwa.ddsp.pages._figures import (
    ACCENT,
    GRID,
    INK,
    SECOND,
    SOFT,
    figure_uri,
    histogram,
    legend,
    lines,
    new_figure,
    smoothed,
    spectrogram,
)
from dlwa.ddsp.pages._fragments import (
    Card,
    bullets,
    cards,
    code,
    definitions,
    details,
    paragraph,
    player,
    steps,
    table,
    text,
    verdict,
)
from dlwa.ddsp.pages._page import Page, Section
from dlwa.ddsp.pages._sounds import sound_uri

__all__ = [
    "ACCENT",
    "GRID",
    "INK",
    "SECOND",
    "SOFT",
    "Card",
    "Page",
    "Section",
    "bullets",
    "cards",
    "code",
    "definitions",
    "details",
    "figure_uri",
    "histogram",
    "legend",
    "lines",
    "new_figure",
    "note_name",
    "paragraph",
    "player",
    "smoothed",
    "sound_uri",
    "spectrogram",
    "steps",
    "table",
    "text",
    "verdict",
]
