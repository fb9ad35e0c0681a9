"""The example scripts make the sounds they promise."""

import importlib.util
import re
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from scipy.special import jv

from tests.imports import ROOT

pytestmark = pytest.mark.ddsp
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
RATE = 16000


def example(name):
    """An example as a module; examples are scripts, no package."""
    spec = importlib.util.spec_from_file_location(
        f"example_{name}", ROOT / "examples" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def amplitudes_at(audio, *frequencies_hz):
    """Amplitudes of the sine waves at these frequencies in a steady sound."""
    window = np.hanning(len(audio))
    at = np.arange(len(audio)) / RATE
    waves = np.exp(-2j * np.pi * np.outer(frequencies_hz, at))
    return 2 * np.abs(waves @ (audio * window)) / window.sum()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_short_and_helps_within_a_moment(script):
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 60
    done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--out" in done.stdout, done.stderr
    assert "tensorflow" not in done.stderr.lower()


def test_the_additive_tone_has_its_harmonics_and_fades(tmp_path, capsys):
    example("additive").main(["--frames", "500", "--out", str(tmp_path / "tone")])
    audio, rate = soundfile.read(tmp_path / "tone.wav")
    assert (len(audio), rate) == (500 * 64, RATE)
    found = amplitudes_at(audio[:8000], *(440.0 * np.arange(1, 19)))
    np.testing.assert_allclose(found / found[0], 1 / np.arange(1, 19), rtol=0.02)
    between = amplitudes_at(audio[:8000], *(440.0 * (np.arange(1, 18) + 0.5)))
    assert between.max() < 1e-3 * found[0]
    levels = [amplitudes_at(part, 440.0)[0] for part in np.split(audio, 8)]
    middles = 1 - (np.arange(8) + 0.5) / 8
    np.testing.assert_allclose(np.array(levels) / levels[0], middles / middles[0], atol=0.01)
    picture = (tmp_path / "tone.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 5000
    assert "2 s" in capsys.readouterr().out


def test_a_slow_swing_is_a_vibrato(tmp_path):
    out = tmp_path / "slow.wav"
    example("vibrato").main(
        ["--seconds", "1", "--rate_hz", "5", "--depth_hz", "20", "--out", str(out)]
    )
    audio, _ = soundfile.read(out)
    crossings = np.flatnonzero((audio[:-1] < 0) & (audio[1:] >= 0))
    exact = crossings - audio[crossings] / (audio[crossings + 1] - audio[crossings])
    pitch_hz, at = RATE / np.diff(exact), (exact[1:] + exact[:-1]) / 2 / RATE
    expected = 440 + 20 * np.sin(2 * np.pi * 5 * at)
    inner = (at > 0.1) & (at < 0.9)
    assert np.abs(pitch_hz - expected)[inner].max() < 1.5


def test_a_fast_swing_makes_the_partials_of_frequency_modulation(tmp_path):
    """Bessel functions tell how loud the carrier and its side bands are (Chowning 1973)."""
    out = tmp_path / "fast.wav"
    example("vibrato").main(
        ["--seconds", "1", "--rate_hz", "100", "--depth_hz", "200", "--out", str(out)]
    )
    audio, _ = soundfile.read(out)
    orders = np.arange(-4, 5)
    found = amplitudes_at(audio[2400:-2400], *(440.0 + 100.0 * orders))
    np.testing.assert_allclose(found / 0.5, np.abs(jv(orders, 2.0)), atol=0.02)


@pytest.mark.parametrize("arguments", [["--depth_hz", "500"], ["--rate_hz", "900"]])
def test_an_impossible_swing_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        example("vibrato").main(arguments)
    assert "depth_hz must be below carrier_hz" in capsys.readouterr().err


def test_a_note_is_learned_from_one_recording(tmp_path, capsys):
    fit_note = example("fit_note")
    at, numbers = np.arange(RATE // 2) / RATE, np.arange(1, 13)
    strengths = 0.3 / numbers**1.5 * np.where(numbers % 2, 1.0, 0.3)
    note = strengths @ np.sin(2 * np.pi * 330 * np.outer(numbers, at))
    note += 1e-3 * np.random.default_rng(0).standard_normal(len(note))
    soundfile.write(tmp_path / "note.wav", note, RATE)
    out = tmp_path / "learned.wav"
    fit_note.main(
        [
            "--recording",
            str(tmp_path / "note.wav"),
            "--at",
            "0",
            "--steps",
            "220",
            "--out",
            str(out),
        ]
    )
    first, last = (float(loss) for loss in re.findall(r"\d+\.\d+", capsys.readouterr().out)[:2])
    assert last < 0.5 * first
    learned, _ = soundfile.read(out)
    assert len(learned) == RATE // 2 // 64 * 64
    found = amplitudes_at(learned[1600:-1600], *(330.0 * numbers[:6]))
    np.testing.assert_allclose(found, strengths[:6], rtol=0.25)
