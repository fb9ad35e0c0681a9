"""Playing live: block after block without a seam, in tune, at the model's register, in time."""

import json
import types

import numpy as np
import pytest
import soundfile

from dlwa.ddsp import timbre_transfer as tt
from dlwa.ddsp.live import _command, _files, _report
from dlwa.ddsp.live._ear import Ear, Heard
from dlwa.ddsp.live._engine import Engine
from dlwa.ddsp.live._register import Register
from tests.ddsp import golden

pytestmark = pytest.mark.ddsp

MODEL = golden.FOLDER / "checkpoint_small"
STATISTICS = {
    "mean_pitch_note": 57.0,
    "std_pitch_note": 3.0,
    "min_pitch_note": 50.0,
    "max_pitch_note": 64.0,
    "mean_loudness_note": -40.0,
}


@pytest.fixture(scope="module")
def model():
    return tt.load_model(MODEL)


def tone(seconds, f0_hz=440.0, rate=16000, gain=0.3):
    t = np.arange(round(seconds * rate)) / rate
    return sum(np.sin(2 * np.pi * f0_hz * k * t) / k for k in range(1, 6)).astype("f4") * gain


def heard(f0_hz=880.0, confidence=0.9, loudness_db=-20.0, n_frames=16):
    given = (f0_hz, confidence, loudness_db)
    return Heard(*(np.full(n_frames, value, np.float32) for value in given))


@pytest.mark.parametrize("size", [1, 16, 100])
def test_a_live_performance_is_the_one_of_a_recording(model, size):
    n_frames = 200
    f0_hz = (300 * 2 ** np.linspace(0, 1, n_frames)).astype("f4")
    loudness_db = (-40 + 10 * np.sin(np.arange(n_frames) / 20)).astype("f4")
    how = {"block_frames": size, "seed": 3}
    whole = np.concatenate(
        list(tt.Player(model, block_frames=201, seed=3).play(tt.Controls(f0_hz, loudness_db)))
    )
    play = tt.Player(model, **how).live()
    n_frames -= n_frames % size
    parts = [
        play(tt.Controls(f0_hz[i : i + size], loudness_db[i : i + size]))
        for i in range(0, n_frames, size)
    ]
    sound = np.concatenate(parts)
    # a frame and half a noise filter are still to come
    assert n_frames * 64 - len(sound) <= 64 + 128
    np.testing.assert_allclose(sound, whole[: len(sound)], atol=1e-6)


@pytest.mark.parametrize(("pitch_model", "behind_s"), [("tiny", 0.04), ("swift", 0.2)])
def test_the_ear_hears_a_tone_soon(pitch_model, behind_s):
    ear = Ear(250, 16, pitch_model)
    sound = tone(1.5, 523.25)
    blocks = [ear.push(sound[i : i + 1024]) for i in range(0, len(sound) - 1023, 1024)]
    assert {len(block.f0_hz) for block in blocks} == {16}
    assert 0 < ear.behind_s <= behind_s
    last = blocks[-1]
    assert np.abs(1200 * np.log2(last.f0_hz / 523.25)).max() < 20
    assert last.confidence.min() > 0.5
    # -80 dB before it began, then the level of the tone
    assert blocks[0].loudness_db[0] == -80.0 and np.ptp(last.loudness_db) < 1.0


def test_a_block_of_another_size_is_refused():
    with pytest.raises(ValueError, match="samples=100 must be a block of 1024"):
        Ear(250, 16).push(np.zeros(100))


def test_the_register_moves_an_octave_and_stays(model):
    register = Register(tt.Knobs(), STATISTICS, 250)
    for _ in range(4):
        played = register.controls(heard(880.0))
    assert register.octaves == -2  # A5, where A3 was learned
    np.testing.assert_allclose(played.f0_hz, 220.0, rtol=1e-5)
    np.testing.assert_allclose(played.loudness_db, -40.0, atol=0.01)
    register.controls(heard(660.0))  # one other note is no reason to move
    assert register.octaves == -2


def test_a_rest_holds_the_pitch_and_falls_by_the_knob():
    register = Register(tt.Knobs(adjust=False, quiet_db=12.0, confidence=0.3), None, 250)
    register.controls(heard(440.0, loudness_db=-30.0))
    rest = register.controls(heard(33.0, confidence=0.1, loudness_db=-50.0))
    np.testing.assert_allclose(rest.f0_hz, 440.0)
    np.testing.assert_allclose(rest.loudness_db, -62.0)
    assert not rest.tone.any()


def test_an_engine_keeps_block_for_block_and_plays_in_tune(model):
    engine = Engine(model, tt.Knobs(adjust=False), precision="float32")
    sound = tone(2.0, 440.0)
    made = np.concatenate(
        [engine.push(sound[i : i + 1024]) for i in range(0, len(sound) - 1023, 1024)]
    )
    assert len(made) == len(sound) // 1024 * 1024
    assert engine.behind_s < 0.13
    end = made[-16384:] * np.hanning(16384)
    spectrum = np.abs(np.fft.rfft(end))
    hz = np.fft.rfftfreq(16384, 1 / 16000)
    harmonics = [spectrum[np.abs(hz - 440 * k).argmin()] for k in (1, 2, 3)]
    assert max(harmonics) > 20 * np.median(spectrum)
    figures = _report.measured(engine)
    assert figures["blocks"] == len(sound) // 1024 and figures["late"] == 0
    assert figures["median_ms"] <= figures["p99_ms"] <= figures["worst_ms"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hop_size": 63}, "frames a second, live they must divide 16000"),
        ({"state_size": 0}, "looks ahead"),
        ({"model": types.SimpleNamespace(encoder=object())}, "listens to a whole recording"),
    ],
)
def test_models_that_cannot_play_live_say_why(model, change, told):
    changed = {"traced": {}, **change}

    class Changed:
        def __getattr__(self, name):
            return changed[name] if name in changed else getattr(model, name)

    with pytest.raises(tt.TransferError, match=told):
        Engine(Changed(), tt.Knobs())


def test_a_file_at_the_pace_of_its_sound(model, tmp_path):
    source = tmp_path / "in.wav"
    soundfile.write(source, tone(0.7, rate=44100), 44100)
    calls = []

    def push(block):
        calls.append(len(block))
        return np.full(1024, 0.1, np.float32)

    engine = types.SimpleNamespace(
        block_in=1024, block_s=0.064, rate_in=16000, rate_out=16000, push=push
    )
    assert _files.play_file(engine, source, tmp_path / "out.wav", pace=True) == 0
    assert set(calls) == {1024} and len(calls) == 11  # the last one filled up
    assert soundfile.info(tmp_path / "out.wav").frames == 11 * 1024
    halves = iter([False, False, True])
    _files.play_file(engine, source, tmp_path / "part.wav", False, lambda: next(halves))
    assert soundfile.info(tmp_path / "part.wav").frames == 2 * 1024


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--source=a.wav"], 2, "--source and --target must be given together"),
        (["--octave_shift=99"], 2, "octave_shift=99 must be from -8 to 8"),
        (["--source=nothing.wav", "--target=b.wav"], 3, "source=nothing.wav does not exist"),
    ],
)
def test_wrong_words_are_told(capsys, words, code, told):
    assert _command.run([f"--model_dir={MODEL}", *words]) == code
    assert f"error: {told}" in capsys.readouterr().err


def test_the_whole_command(tmp_path, capsys):
    source, target, report = (tmp_path / name for name in ("in.wav", "out.wav", "report.json"))
    soundfile.write(source, tone(1.0), 16000)
    words = [f"--source={source}", f"--target={target}", "--fast", f"--report={report}"]
    assert _command.run([f"--model_dir={MODEL}", *words]) == 0
    figures = json.loads(report.read_text())
    assert figures["blocks"] == 16 and figures["block_ms"] == 64
    sound, rate = soundfile.read(target)
    assert (len(sound), rate) == (16 * 1024, 16000) and np.abs(sound).max() > 1e-3
    assert "x real time; latency" in capsys.readouterr().err
