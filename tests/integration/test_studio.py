"""The studio in a real browser, with a real model; and what it does not answer."""

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.ddsp import golden

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.ddsp, pytest.mark.integration]
ROOT = Path(__file__).resolve().parents[2]
PLAY_MS = 90_000


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a studio with one model."""
    models = tmp_path_factory.mktemp("models")
    shutil.copytree(golden.FOLDER / "checkpoint_small", models / "ann" / "violin")
    argv = [sys.executable, "-m", "dlwa.ddsp.studio", f"--models={models}", "--port=0"]
    scratch = tmp_path_factory.mktemp("scratch")
    own = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=own) as process:
        assert process.stderr is not None
        said = ""
        while not (found := re.search(r"open (http://127\.0\.0\.1:\d+/)", said)):
            line = process.stderr.readline()
            assert line, f"the studio ended: {said}"
            said += line
        yield found[1]
        process.send_signal(signal.SIGHUP)  # the terminal is closed
        process.wait(timeout=20)
    assert [path for path in scratch.iterdir() if path.name.startswith("dlwa-")] == []


def answer(address: str, data: bytes | None = None, **headers: str) -> int:
    request = urllib.request.Request(address, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def form(name: str, size: int = 100) -> tuple[bytes, str]:
    head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    return head.encode() + b"a" * size + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def test_it_answers_nobody_but_itself(studio: str) -> None:
    own = studio.rstrip("/")
    assert answer(studio) == 200
    assert answer(studio, Origin=own) == 200
    assert answer(studio, Host="evil.example") == 403
    assert answer(studio, Origin="http://evil.example") == 403
    assert answer(studio, Origin="null") == 403
    body, kind = form("a.wav")
    upload = f"{own}/gradio_api/upload"
    headers = {"Content-Type": kind, "Origin": "http://evil.example"}
    assert answer(upload, body, **headers) == 403
    assert answer(f"{own}/gradio_api/file=/etc/passwd") in (403, 404)


@pytest.mark.parametrize(
    "name", ["../../evil.wav", "/etc/evil.wav", "a\\..\\b.wav", ".bashrc", "$(id).wav"]
)
def test_names_of_files_lead_nowhere(studio: str, name: str) -> None:
    body, kind = form(name)
    request = urllib.request.Request(f"{studio}gradio_api/upload", body, {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=30) as reply:
        (place,) = re.findall(r'\["(.+)"\]', reply.read().decode())
    assert re.fullmatch(r"/.+/dlwa-studio-\w+/uploads/[0-9a-f]{64}/[^/]+", place)
    assert ".." not in Path(place).parts


def empty_model(models: Path) -> Path:
    """What is taken for a model called ann/violin."""
    model = models / "ann" / "violin"
    model.mkdir(parents=True)
    for name in ("ckpt-20.index", "ckpt-20.data-00000-of-00001", "operative_config-0.gin"):
        (model / name).touch()
    return models


def test_a_model_removed_while_the_page_is_open_is_told_in_words(tmp_path: Path) -> None:
    from dlwa.ddsp.studio import _page
    from dlwa.ddsp.timbre_transfer import Knobs

    gr = pytest.importorskip("gradio")
    models = empty_model(tmp_path / "models")
    values = [field.default for field in dataclasses.fields(Knobs)]
    pressed = _page._player(models, None, tmp_path)
    for name, told in (("ann/violn", "did you mean ann/violin?"), (None, "is not in")):
        with pytest.raises(gr.Error) as caught:
            pressed(name, str(tmp_path / "flute.wav"), "the model's", *values)
        assert told in caught.value.message


def test_sounds_nobody_uses_go_and_nobody_guesses_where_they_lie(tmp_path: Path) -> None:
    from dlwa.ddsp.studio import _play
    from dlwa.ddsp.timbre_transfer import Knobs

    made: list[Path] = []

    class Stage:
        def model(self, folder: Path) -> Path:
            return folder

        def play(self, source: Path, model: Path, target: Path, *_: object, **__: object) -> None:
            made.append(target)
            target.write_text("sound")
            raise ValueError("heard enough")

    source, upload = tmp_path / "flute.wav", tmp_path / "uploads" / "old.wav"
    upload.parent.mkdir()
    values = [field.default for field in dataclasses.fields(Knobs)]
    models = empty_model(tmp_path / "models")
    for path in (source, upload):
        path.touch()
        os.utime(path, (0, 0))
    for _ in range(2):
        with pytest.raises(_play.Told, match="heard enough"):
            _play.play(Stage(), models, "ann/violin", tmp_path, source, values)
    assert source.exists() and not upload.exists()
    assert all(path.exists() and path.name == "violin.wav" for path in made)
    assert made[0].parent != made[1].parent and min(len(path.parent.name) for path in made) > 8
    os.utime(made[0], (0, 0))
    with pytest.raises(_play.Told):
        _play.play(Stage(), models, "ann/violin", tmp_path, source, values)
    assert not made[0].exists() and made[1].exists()


@pytest.mark.skipif(BROWSER is None, reason="chromium is missing")
@pytest.mark.parametrize("width", [390, 1280])
def test_drop_play_hear_and_see(studio: str, tmp_path: Path, width: int) -> None:
    from playwright.sync_api import sync_playwright

    t = np.arange(24000) / 16000
    source = tmp_path / "a <b> tone.wav"
    soundfile.write(source, 0.3 * np.sin(2 * np.pi * 440 * t), 16000)
    outside: list[str] = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("request", lambda asked: outside.append(asked.url))
        page.goto(studio)
        page.set_input_files("input[type=file]", source)
        page.locator("#source").get_by_label("Download").wait_for(timeout=PLAY_MS)
        page.get_by_role("button", name="Play", exact=True).last.click()
        page.wait_for_selector("#made img", timeout=PLAY_MS)
        told = page.locator("#told").inner_text()
        pictures = page.evaluate(
            "Promise.all([...document.querySelectorAll('#made img')]"
            ".map(i => i.decode().then(() => i.naturalWidth)))"
        )
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        with page.expect_download() as download:
            page.locator("#sound").get_by_label("Download").click()
        made = tmp_path / "made.wav"
        download.value.save_as(made)
        browser.close()
    assert "1.5 s of sound" in told and "register" in told
    assert len(pictures) == 6 and min(pictures) > 100
    assert overflow <= 0
    sound, rate = soundfile.read(made)
    assert len(sound) == pytest.approx(1.5 * rate, abs=2) and np.abs(sound).max() > 1e-4
    local = [url for url in outside if not url.startswith((studio, "data:", "blob:"))]
    assert local == []


@pytest.mark.skipif(BROWSER is None, reason="chromium is missing")
def test_what_is_wrong_is_said_on_the_page(studio: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    text = tmp_path / "notes.wav"
    text.write_text("this is no sound")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(studio)
        play = page.get_by_role("button", name="Play", exact=True).last
        play.click()
        page.get_by_text("Drop a recording first").wait_for(timeout=PLAY_MS)
        page.set_input_files("input[type=file]", text)
        page.locator("#source").get_by_label("Download").wait_for(timeout=PLAY_MS)
        play.click()
        page.get_by_text("is not readable audio").first.wait_for(timeout=PLAY_MS)
        browser.close()
