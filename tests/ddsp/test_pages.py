"""The pieces of every page: nothing given can break it, pictures show what is there."""

import base64
import io
import re
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp

NASTY = "</script><img src=x onerror=alert(1)> & \"quoted\" 'too' $title ${x} \x85"


@pytest.fixture
def pages():
    """The package, whose import needs matplotlib."""
    from dlwa.ddsp import pages

    return pages


def tone(f0_hz, seconds=1.0, rate=16000):
    time = np.arange(int(seconds * rate)) / rate
    return 0.5 * np.sin(2 * np.pi * f0_hz * time)


def svg_of(uri):
    head = "data:image/svg+xml,"
    assert uri.startswith(head) and not re.search(r"[\"<>#\s&]", uri.replace(" ", ""))
    return unquote(uri.removeprefix(head))


class Tags(HTMLParser):
    """Counts tags and remembers text; every tag that opens must close."""

    EMPTY = ("meta", "link", "img", "br")

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.words = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def test_no_text_can_break_a_page(pages):
    card = pages.Card(NASTY, "data:,", NASTY, NASTY, "data:,")
    section = pages.Section(
        NASTY,
        pages.paragraph(NASTY),
        pages.verdict(NASTY, bad=True),
        None,
        pages.cards([card]),
        pages.table([NASTY], [[NASTY], [3.5], [None]]),
        pages.bullets([NASTY]),
        pages.steps([(NASTY, NASTY)]),
        pages.details(NASTY, pages.code(NASTY)),
    )
    page = pages.Page(NASTY, NASTY, [(NASTY, NASTY)], [section, None])
    tags = Tags()
    tags.feed(page.render())
    assert not tags.open
    assert "script" not in tags.seen and tags.seen.count("img") == 1
    assert tags.words.count(NASTY) == 17  # the title twice; attributes not counted


def test_a_page_asks_for_nothing_from_elsewhere(pages):
    html = pages.Page("a", "b", [], [pages.Section("c", pages.cards([]))]).render()
    assert not re.search(r"(?:src|href)=\"(?!data:)|url\(|@import|https?:", html)


def test_a_page_is_written_whole_or_not_at_all(pages, tmp_path):
    path = tmp_path / "new" / "page.html"
    page = pages.Page("a", "b")
    assert page.write(path) == path and path.read_text(encoding="utf-8") == page.render()
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match=r"page\.html"):
        page.write(path)
    assert [p.name for p in path.parent.iterdir()] == ["page.html"]


def test_pictures_are_drawings_that_follow_light_and_dark(pages):
    uri = pages.lines("steps", "loss", [("one", [0, 1], [2, 3], {"color": pages.ACCENT})])
    svg = svg_of(uri)
    ElementTree.fromstring(svg)
    assert "prefers-color-scheme:dark" in svg and "stroke: var(--c1)" in svg
    assert pages.ACCENT not in svg.split("</style>", 1)[1], "no colour is left as it is"


def levels_in(uri):
    """The raster in a spectrogram as brightness, low frequencies first: it is drawn upwards."""
    from matplotlib import image

    data = re.search(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)", svg_of(uri))[1]
    pixels = image.imread(io.BytesIO(base64.b64decode(data)))
    assert "scale(1 -1)" in svg_of(uri)
    return pixels[..., :3].sum(axis=-1)


@pytest.mark.parametrize(("f0_hz", "rate"), [(1000.0, 16000), (4000.0, 16000), (4000.0, 48000)])
def test_a_tone_is_bright_at_its_frequency(pages, f0_hz, rate):
    bright = levels_in(pages.spectrogram(tone(f0_hz, 2.0, rate), rate)).mean(axis=1)
    assert np.argmax(bright) / len(bright) == pytest.approx(f0_hz / 8000, abs=0.01)


@pytest.mark.parametrize("n", [0, 1, 100, 16000 * 100])
def test_sounds_of_any_length_and_silence_have_pictures(pages, n):
    ElementTree.fromstring(svg_of(pages.spectrogram(np.zeros(n), 16000)))


def test_sounds_are_packed_at_their_length_and_never_too_loud(pages):
    import soundfile

    uri = pages.sound_uri(10.0 * tone(440.0, 1.5), 16000)
    data = base64.b64decode(uri.removeprefix("data:audio/mpeg;base64,"))
    audio, rate = soundfile.read(io.BytesIO(data))
    assert len(audio) / rate == pytest.approx(1.5, abs=0.06)
    assert 0.9 < np.abs(audio).max() <= 1.0
    spectrum = np.abs(np.fft.rfft(audio))
    assert np.argmax(spectrum) * rate / len(audio) == pytest.approx(440, abs=2)


def test_smoothing_keeps_length_and_mean_and_notes_have_names(pages):
    values = np.random.default_rng(0).normal(size=50)
    smooth = pages.smoothed(np.full(7, 3.0))
    assert smooth.shape == (7,) and np.allclose(smooth, 3.0)
    assert pages.smoothed(values).std() < 0.6 * values.std()
    assert [pages.note_name(midi) for midi in (69, 60, 21, 61.4)] == ["A4", "C4", "A0", "C#4"]


def test_a_histogram_of_nothing_is_a_picture_too(pages):
    for values in ([], [np.nan, np.inf], [1.0], [1.0, 2.0]):
        ElementTree.fromstring(svg_of(pages.histogram(values, "dB")))
