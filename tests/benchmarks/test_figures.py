"""The figures of the synthesizer's page show what the controls asked for."""

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp


@pytest.fixture(scope="module")
def numbers():
    from benchmarks import figure_numbers

    return figure_numbers


def test_harmonics_are_as_loud_as_asked_and_none_is_above_nyquist(numbers):
    data = numbers.harmonic_distribution()
    assert set(data["notes"]) == {220.0, 880.0}
    for f0_hz, note in data["notes"].items():
        audible = len(note["measured"])
        assert audible == min(30, int((8000 - 1e-3) // f0_hz))
        np.testing.assert_allclose(note["measured"], note["asked"][:audible], rtol=0.02, atol=1e-4)
        assert note["asked"][audible:].sum() == 0
        assert note["asked"].sum() == pytest.approx(0.5, rel=1e-4)


def test_noise_has_the_magnitudes_of_the_filter(numbers):
    data = numbers.noise_filter()
    asked = np.interp(data["hz"], data["bands_hz"], data["asked"])
    inner = slice(4, -4)
    assert np.corrcoef(data["measured"][inner], asked[inner])[0, 1] > 0.98
    loud = asked > 0.3
    np.testing.assert_allclose(np.median(data["measured"][loud] / asked[loud]), 1.0, atol=0.05)


def test_the_room_dies_away_as_fast_as_asked(numbers):
    data = numbers.reverb()
    assert data["seconds_to_60_db"] == pytest.approx(data["asked_seconds_to_60_db"], rel=0.05)
    assert np.abs(data["wet"][3200:8000]).max() > 10 * np.abs(data["wet"][20000:]).max() > 0
    assert not data["dry"][1600:].any()


def test_losses_add_up_and_a_sound_costs_nothing_against_itself(numbers):
    data = numbers.loss_spectrograms()
    parts = [view["loss"] for view in data["views"].values()]
    assert sum(parts) == pytest.approx(data["loss"], rel=1e-4)
    assert min(parts) > 0.01
    assert all(view["loss_of_itself"] == 0 for view in data["views"].values())
    assert all(view["target"].shape == view["imitation"].shape for view in data["views"].values())


def test_a_wavetable_has_its_harmonics_at_every_pitch(numbers):
    data = numbers.wavetable()
    for sound in data["sounds"].values():
        np.testing.assert_allclose(sound["measured"], data["asked"], rtol=0.02)
    assert np.abs(np.fft.rfft(data["table"]))[1:13] / 256 == pytest.approx(
        2 * data["asked"], rel=1e-3
    )


def test_a_figure_is_drawn_small_and_the_folder_made(tmp_path, capsys):
    from benchmarks import figures

    folder = tmp_path / "new"
    assert figures.main(["--folder", str(folder), "wavetable"]) == 0
    picture = (folder / "wavetable.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and 5_000 < len(picture) < 60_000
    assert "wavetable.png" in capsys.readouterr().out


def test_every_figure_of_the_page_exists_and_is_made_by_the_command():
    from benchmarks import figures

    page = figures.FOLDER.parent / "synthesizer.md"
    text = page.read_text(encoding="utf-8")
    for name in figures.NAMES:
        assert f"figures/{name}.png" in text
        assert (figures.FOLDER / f"{name}.png").stat().st_size < 100_000


def test_an_unknown_figure_is_refused(capsys):
    from benchmarks import figures

    with pytest.raises(SystemExit):
        figures.main(["nothing"])
    assert "NAME='nothing' must be one of harmonic_distribution" in capsys.readouterr().err
