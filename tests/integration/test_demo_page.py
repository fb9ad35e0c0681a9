"""The demo's page in a real browser: it fits, it sounds, it needs no network."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dlwa import runfiles

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.ddsp,
    pytest.mark.integration,
    pytest.mark.skipif(BROWSER is None, reason="chromium is missing"),
]
LOOK = """({
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    sounds: [...document.querySelectorAll('audio')].map(
        a => ({label: a.getAttribute('aria-label'), seconds: a.duration})),
    pictures: [...document.querySelectorAll('img')].map(
        i => ({ok: i.complete && i.naturalWidth > 0, alt: i.alt, width: i.clientWidth})),
    commands: [...document.querySelectorAll('pre')].map(p => p.textContent),
    headings: [...document.querySelectorAll('h1, h2')].map(h => h.textContent),
})"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page made from two synthetic sounds and a recorded checkpoint."""
    from dlwa.ddsp.demo_page import _command
    from tests.ddsp import golden

    folder = tmp_path_factory.mktemp("page")
    model = shutil.copytree(golden.FOLDER / "checkpoint_small", folder / "model")
    for path in model.glob("ckpt-20.*"):
        shutil.copy(path, path.with_name(path.name.replace("20", "0", 1)))
    for step in range(1, 40):
        losses = {"total_loss": 10 / step}
        runfiles.report_step(model, step, 40, losses, 2.0, heldout_loss=11.0 - step // 10)
    for name, f0_hz, seconds in (("violin", 440.0, 6.0), ("flute", 660.0, 1.5)):
        t = np.arange(int(seconds * 16000)) / 16000
        soundfile.write(folder / f"{name} <&>.wav", 0.3 * np.sin(2 * np.pi * f0_hz * t), 16000)
    curves = {
        name: [value] * 375
        for name, value in (
            ("f0_hz", 660.0),
            ("played_f0_hz", 330.0),
            ("f0_confidence", 0.9),
            ("loudness_db", -20.0),
            ("played_loudness_db", -40.0),
        )
    }
    report = {"explained": ["model", "register: -1 octave"], "frame_rate": 250, "curves": curves}
    runfiles.write_json(folder / "report.json", report)
    words = {
        "model_dir": model,
        "recording": folder / "violin <&>.wav",
        "transfer_in": folder / "flute <&>.wav",
        "transfer_out": folder / "flute <&>.wav",
        "transfer_report": folder / "report.json",
        "out": folder / "out",
        "heldout_seconds": 4,
        "instrument": "violin",
        "other": "flute",
        "commands": '[["Train & wait", "./dlwa.py ddsp train --model_name <you>"]]',
    }
    assert _command.run([f"--{name}={value}" for name, value in words.items()]) == 0
    return folder / "out" / "index.html"


@pytest.fixture(scope="module", params=[390, 1280], ids=["phone", "desktop"])
def seen(request: pytest.FixtureRequest, page_file: Path) -> dict[str, Any]:
    """What a browser of this width makes of the page, and what it asked the network for."""
    from playwright import sync_api as playwright

    asked: list[str] = []
    complaints: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": request.param, "height": 844})
        page.on("request", lambda sent: asked.append(sent.url))
        page.on("console", lambda said: complaints.append(said.text))
        page.goto(page_file.as_uri())
        page.wait_for_function(
            "[...document.querySelectorAll('audio')].every(a => a.readyState >= 1)"
        )
        look = page.evaluate(LOOK)
        browser.close()
    own = [url for url in asked if not url.startswith("data:")]
    return {**look, "asked": own, "complaints": complaints, "width": request.param}


def test_fits_the_screen(seen: dict[str, Any]) -> None:
    assert seen["overflow"] <= 0
    assert all(0 < picture["width"] <= seen["width"] for picture in seen["pictures"])


def test_every_sound_plays_and_is_named(seen: dict[str, Any]) -> None:
    seconds = [sound["seconds"] for sound in seen["sounds"]]
    assert seconds == pytest.approx([6.0, 4.0, 4.0, 4.0, 1.5, 1.5], abs=0.1)
    assert all(sound["label"] for sound in seen["sounds"])


def test_every_picture_loads_and_is_described(seen: dict[str, Any]) -> None:
    assert len(seen["pictures"]) == 9
    assert all(picture["ok"] and picture["alt"] for picture in seen["pictures"])


def test_asks_nobody_and_complains_of_nothing(seen: dict[str, Any], page_file: Path) -> None:
    assert seen["asked"] == [page_file.as_uri()]
    assert seen["complaints"] == []


def test_says_what_to_type_letter_for_letter(seen: dict[str, Any]) -> None:
    assert seen["commands"] == ["./dlwa.py ddsp train --model_name <you>"]
    assert "violin" in seen["headings"][0]


def test_numbers_lie_beside_the_page(page_file: Path) -> None:
    numbers = runfiles.read_json(page_file.parent / "numbers.json") or {}
    assert set(numbers) == {"before", "after"}
    assert numbers["after"]["spectral_loss"] > 0
