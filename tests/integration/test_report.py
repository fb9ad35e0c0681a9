"""The report of a training in a real browser, whatever became of the training."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlwa import runfiles
from dlwa.actions import report as action
from dlwa.cli import main
from dlwa.hosts.local import LocalHost
from dlwa.settings import Settings
from tests.made_runs import add_steps, make_run

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.ddsp, pytest.mark.integration]
LOOK = """({
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    sounds: [...document.querySelectorAll('audio')].map(
        a => ({label: a.getAttribute('aria-label'), seconds: a.duration, width: a.clientWidth})),
    pictures: [...document.querySelectorAll('img')].map(
        i => ({ok: i.complete && i.naturalWidth > 0, alt: i.alt, width: i.clientWidth})),
    headings: [...document.querySelectorAll('h1, h2, h3')].map(h => h.textContent),
    text: document.body.innerText,
    ink: getComputedStyle(document.body).color,
    paper: getComputedStyle(document.body).backgroundColor,
})"""
PAPER = {
    "used": [
        {"file": "a <b>.wav", "seconds": 61.5, "clear_pitch_share": 0.9, "pitch_hz": [200, 880]},
        {"file": "very/" + "long_name_" * 12 + ".wav", "seconds": 30.0, "pitch_hz": []},
    ],
    "refused": [{"file": "broken.mp3", "reason": "it is empty"}],
    "train": {"seconds": 80.0, "files": ["a <b>.wav"]},
    "heldout": {"seconds": 8.0, "files": ["a <b>.wav"]},
    "audit": {"verdict": "usable", "summary": "short", "advice": ["record 9 minutes more"]},
    "settings": {"sample_rate": 16000, "frame_rate": 250, "pitch_model": "tiny"},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a data set of which a part is held out and a model of a few steps."""
    from dlwa.ddsp.training import data, postprocessing
    from tests.ddsp.training import small_run

    root = tmp_path_factory.mktemp("workspace")
    (root / ".dlwa").mkdir()
    dataset = small_run.write_dataset(root / "datasets" / "ddsp" / "ann" / "tones", 4)
    small_run.write_dataset(dataset, 2, "heldout.tfrecord-00000-of-00001", seed=1)
    provider = data.TFRecordProvider(f"{dataset}/data.tfrecord*", example_secs=1)
    statistics = postprocessing.compute_dataset_statistics(provider)
    postprocessing.save_statistics(dataset, statistics)
    runfiles.write_json(dataset / "dataset.json", PAPER)
    model = root / "models" / "ddsp" / "ann" / "violin"
    assert small_run.run_here(dataset, model, 6) == 0
    record = {"state": "finished", "training": {"dataset": "ann/tones"}, "total_steps": 6}
    make_run(root, **record)
    found = {"metrics/loudness/loudness_db": 3.25, "losses/total_loss": 12.0}
    runfiles.append_line(model / "eval.jsonl", {"step": 6, "results": found, "time": 1.7e9})
    return root


@pytest.fixture
def copy_of(trained: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the workspace, in which something may be broken."""

    def copy() -> Path:
        return shutil.copytree(trained, tmp_path / "copy", symlinks=True)

    return copy


@pytest.fixture(scope="module")
def page_file(trained: Path) -> Path:
    """The report the command makes."""
    assert main(["--root", str(trained), "ddsp", "report", "ann/violin"]) in (0, None)
    return trained / "outputs" / "ann" / "violin" / "report.html"


def look_at(page_file: Path, width: int = 1280, scheme: str = "light") -> dict[str, Any]:
    """What a browser makes of a page, and what it asked the network for."""
    if BROWSER is None:
        pytest.skip("chromium is missing")
    from playwright import sync_api as playwright

    asked: list[str] = []
    complaints: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
        page.on("request", lambda sent: asked.append(sent.url))
        page.on("console", lambda said: complaints.append(said.text))
        page.goto(page_file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        page.wait_for_function(
            "[...document.querySelectorAll('audio')].every(a => a.readyState >= 1)"
        )
        look = page.evaluate(LOOK)
        browser.close()
    own = [url for url in asked if not url.startswith("data:")]
    return {**look, "asked": own, "complaints": complaints}


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_fits_sounds_and_shows_on_phone_and_desk(page_file: Path, width: int, scheme: str) -> None:
    seen = look_at(page_file, width, scheme)
    assert seen["overflow"] <= 0
    assert [sound["label"] for sound in seen["sounds"]] == [
        f"Play: {number}: {what}"
        for number in (1, 2)
        for what in ("original", "played by the model")
    ]
    assert all(sound["seconds"] == pytest.approx(1.0, abs=0.1) for sound in seen["sounds"])
    assert all(150 < sound["width"] <= width for sound in seen["sounds"])
    assert len(seen["pictures"]) == 7  # loss, speed, four sounds, loudness
    assert all(p["ok"] and p["alt"] and 150 < p["width"] <= width for p in seen["pictures"])
    assert seen["asked"] == [page_file.as_uri()] and not seen["complaints"]
    bright = sum(map(int, re.findall(r"\d+", seen["paper"])[:3])) > 384
    assert bright == (scheme == "light")


def test_says_what_there_is_to_say(page_file: Path) -> None:
    seen = look_at(page_file)
    assert seen["headings"][0] == "ann/violin"
    for words in (
        "The training is finished, after step 6 of 6.",
        "never heard these stretches",
        "a <b>.wav",
        "it is empty",
        "80 s",  # to learn from
        "Found usable: short",
        "record 9 minutes more",
        "how far the loudness is off",
        "pitch of the notes",
        "RnnFcDecoder.ch = 16",
        "1 session of training",
        "16 kHz",
    ):
        assert words in seen["text"], words
    assert "Traceback" not in seen["text"]


def test_the_loss_of_what_is_heard_is_the_held_out_loss_of_the_training(page_file: Path) -> None:
    """The page plays the sounds the training was measured on, with the weights it saved."""
    html = page_file.read_text(encoding="utf-8")
    shown = [float(value) for value in re.findall(r"Loss of this stretch: (\d+\.\d+)", html)]
    model = page_file.parents[3] / "models" / "ddsp" / "ann" / "violin"
    (best,) = {runfiles.read_json(model / "checkpoints.json")["best_loss"]}  # type: ignore[index]
    assert len(shown) == 2 and sum(shown) / 2 == pytest.approx(best, rel=0.02)


def report(root: Path, *, sounds: bool = True) -> str:
    """The text of a report made anew, without tags; its program runs in this process."""
    import gin

    from dlwa.ddsp.report import _command

    planned = action.plan(Settings("ann", root), LocalHost(), "ann/violin", sounds=sounds)
    words = list(planned.argv)
    gin.clear_config()
    try:
        assert _command.run(words[words.index(action.MODULE) + 1 :]) == 0
    finally:
        gin.clear_config()
    return re.sub(r"<[^>]*>", " ", planned.target.read_text(encoding="utf-8"))


def test_a_data_set_that_is_gone_is_told_and_its_statistics_stay(copy_of) -> None:
    root = copy_of()
    shutil.rmtree(root / "datasets")
    text = report(root)
    assert "its data set is gone" in text and "The data set is gone" in text
    assert "pitch of the notes" in text


def test_without_held_out_sounds_it_plays_learned_ones_and_says_so(copy_of) -> None:
    root = copy_of()
    for path in (root / "datasets" / "ddsp" / "ann" / "tones").glob("heldout*"):
        path.unlink()
    (root / "models" / "ddsp" / "ann" / "violin" / runfiles.EVENTS_FILE).unlink()
    assert "stretches the model learned from" in report(root)


def test_a_training_that_goes_on_is_told_as_it_stands(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    add_steps(folder)
    text = report(tmp_path, sounds=False)
    assert "The model is training; this is how it stood after step 1200 of 30000." in text
    assert "about 4 h left" in text and "2.00 steps/s" in text
    assert "No sounds were held out" in text


def test_a_failed_training_says_why_and_what_may_help(tmp_path: Path) -> None:
    folder = make_run(tmp_path, state="failed", reason="the loss is <not> a number")
    runfiles.write_json(
        folder / runfiles.RECORD_FILE,
        {**(runfiles.read_json(folder / runfiles.RECORD_FILE) or {}), "hint": "lower the rate"},
    )
    add_steps(folder, count=20)
    runfiles.report_step(folder, 41, 30000, {"total_loss": float("nan")}, 2.0)
    runfiles.report_event(folder, "rollback", text="back to step 20", step=40)
    text = report(tmp_path)
    assert "Failed: the loss is &lt;not&gt; a number. What may help: lower the rate" in text
    assert "nothing has been learned and saved yet" in text
    assert "back to step 20" in text


@pytest.mark.parametrize("content", ["", "{}\n", '{"step": 1}\nnot json', '{"step":"x"}'])
def test_a_folder_with_hardly_anything_gets_a_page_too(tmp_path: Path, content: str) -> None:
    folder = make_run(tmp_path, state="queued", started_at=None)
    for name in (runfiles.METRICS_FILE, runfiles.EVENTS_FILE, "dataset_statistics.json"):
        (folder / name).write_text(content)
    (folder / "operative_config-0.gin").write_text("= what\n")
    text = report(tmp_path)
    assert "The training waits for its turn." in text and "There is nothing to hear" in text


def test_damaged_checkpoints_are_told(copy_of) -> None:
    root = copy_of()
    for path in (root / "models" / "ddsp" / "ann" / "violin").glob("ckpt-*.data*"):
        path.write_bytes(path.read_bytes()[:100])
    assert "of 3 checkpoints none can be read" in report(root)


def test_names_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path)
    root = ["--root", str(tmp_path), "ddsp", "report"]
    assert main([*root, "ann/violn"]) == 3
    assert "did you mean ann/violin?" in capsys.readouterr().err
    assert main(root) == 2
    assert main([*root, "ann/violin", "--model_name", "ann/cello"]) == 2
    assert main([*root, "ann"]) in (2, 3)
    capsys.readouterr()
    assert main([*root, "--model_name", "ann/violin", "--dry-run", "--json"]) in (0, None)
    command = json.loads(capsys.readouterr().out)["command"]
    assert command[1:4] == ["-P", "-m", "dlwa.ddsp.report"]


def test_a_page_that_cannot_be_written_leaves_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dlwa.ddsp.report import _command

    folder = make_run(tmp_path)
    page = tmp_path / "report.html"
    page.mkdir()  # nothing can be renamed onto a folder
    assert _command.run([f"--model_dir={folder}", f"--out={page}", "--no-sounds"]) == 1
    assert "could not be written" in capsys.readouterr().err
    assert page.is_dir() and not list(tmp_path.glob(".report*"))
