"""The page of a data set: all in one file, everything named, what is known not drawn again."""

import html
import re

import numpy as np
import pytest
import soundfile

from dlwa import runfiles
from dlwa.ddsp.audio_io import write_audio
from dlwa.ddsp.training.data_preparation import _analysis, _clean_road, _dataset_files, _page
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._settings import Settings
from dlwa.ddsp.training.data_preparation._sources import files_in_folder
from tests.ddsp.tones import RATE, melody
from tests.ddsp.training.data_preparation.test_cache import SETTINGS, Measured


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    monkeypatch.setattr(_analysis, "measure", Measured())
    folder = tmp_path / "in"
    folder.mkdir()
    write_audio(folder / "long <b> & tone.wav", melody(20.0, seed=1)[0], RATE)
    write_audio(folder / "short.wav", melody(4.0, seed=2)[0], RATE)
    soundfile.write(folder / "silent.wav", np.zeros(RATE), RATE)
    return folder


def make(folder, out, cache=None):
    out.mkdir()
    _clean_road.prepare(
        files_in_folder(folder),
        out / "data.tfrecord",
        Settings(**SETTINGS),
        2,
        folder,
        finish=lambda prepared: _dataset_files.write_papers(prepared, out, cache, page=True),
        cache=cache,
    )
    return (out / "report.html").read_text(encoding="utf-8")


def test_everything_is_on_the_page_and_nothing_elsewhere(recordings, tmp_path):
    page = make(recordings, tmp_path / "violin")
    assert "<h1>Data set violin</h1>" in page
    assert html.escape("long <b> & tone.wav") in page
    assert "long <b> & tone.wav" not in page
    assert page.count("<audio ") == 2
    assert page.count('src="data:audio/mpeg;base64,') == 2
    assert page.count('src="data:image/svg+xml,') == 3  # two recordings and the map
    sources = re.findall(r'(?:src|href)="([^"]{0,12})', page)
    assert all(source.startswith("data:") for source in sources)
    assert "is silent (every sample is zero)" in page
    assert "record about 10 minutes more" in page.lower()
    assert "CREPE tiny" in page


def test_what_is_wrong_with_a_recording_stands_on_its_card(recordings, tmp_path):
    clipped = np.clip(3.0 * melody(6.0, seed=4)[0], -0.9, 0.9)
    soundfile.write(recordings / "take <1>.wav", clipped, RATE)
    page = make(recordings, tmp_path / "a")
    card = page.split("<h3>take &lt;1&gt;.wav", 1)[1].split("<h3>", 1)[0]
    assert re.search(r"(to learn from|held out), clips in \d+ places; heard and seen", card)
    # a file's name is told as it is written, also where a sentence begins with it
    assert "take &lt;1&gt;.wav: record softer" in page


def test_pictures_and_sounds_of_known_recordings_come_from_the_cache(
    recordings, tmp_path, monkeypatch
):
    cache = Cache(tmp_path / "cache")
    first = make(recordings, tmp_path / "a", cache)
    monkeypatch.setattr(_page.pages, "sound_uri", None)  # would fail if anything were drawn
    again = make(recordings, tmp_path / "b", cache)
    assert again.replace("Data set b", "Data set a") == first


def test_a_run_names_its_data_set(recordings, tmp_path, monkeypatch):
    run = tmp_path / "run"
    run.mkdir()
    runfiles.write_json(run / "run.json", {"owner": "ann", "name": "ann/violin"})
    monkeypatch.setenv("DLWA_RUN_DIR", str(run))
    assert "<h1>Data set ann/violin</h1>" in make(recordings, tmp_path / ".violin.partial-1")


def test_a_page_that_cannot_be_drawn_costs_only_the_page(recordings, tmp_path, monkeypatch):
    def broken(*words):
        raise ValueError("no font")

    monkeypatch.setattr(_page, "write_page", broken)
    with pytest.raises(FileNotFoundError):
        make(recordings, tmp_path / "a")
    assert (tmp_path / "a" / "dataset.json").is_file()
    assert list((tmp_path / "a").glob("data.tfrecord-*"))
