"""Timbre transfer: seamless, in tune, at the model's register, and clear about what it refuses."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from dlwa.ddsp import core
from dlwa.ddsp import timbre_transfer as tt
from dlwa.ddsp.audio_io import AudioFileError
from dlwa.ddsp.colab.colab_utils import auto_tune
from dlwa.ddsp.core import _harmonic_blocks
from dlwa.ddsp.timbre_transfer import _command, _conditioning, _streams, _writer
from dlwa.ddsp.training import inference
from tests.ddsp import golden

pytestmark = pytest.mark.ddsp

MODEL = golden.FOLDER / "checkpoint_small"
RATE = 16000


@pytest.fixture(scope="module")
def model():
    return tt.load_model(MODEL)


@pytest.fixture(scope="module")
def performance():
    """Two seconds and a bit of gliding, swelling tone at the model's frames."""
    n_frames = 531
    glide = np.cumsum(np.random.default_rng(1).normal(0, 0.01, n_frames))
    loudness_db = -40 + 10 * np.sin(np.arange(n_frames) / 50)
    return tt.Controls((300 * 2**glide).astype("f4"), loudness_db.astype("f4"))


def play(model, controls, **how):
    return np.concatenate(list(tt.Player(model, **how).play(controls)))


def tone(path, f0_hz=440.0, seconds=1.5, rate=RATE, gain=0.3, channels=1):
    t = np.arange(int(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * f0_hz * k * t) / k for k in range(1, 6)) * gain
    soundfile.write(path, np.stack([wave] * channels, axis=1), rate)
    return path


def peak_hz(audio, rate, low, high):
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    hz = np.fft.rfftfreq(len(audio), 1 / rate)
    band = (hz > low) & (hz < high)
    return hz[band][spectrum[band].argmax()]


@pytest.mark.parametrize("block_frames", [1, 64, 177, 530, 531, 2000])
def test_blocks_of_any_size_equal_the_whole(model, performance, block_frames):
    if block_frames == 1:  # a block a frame: a few frames tell it all
        performance = tt.Controls(performance.f0_hz[:9], performance.loudness_db[:9])
    whole = play(model, performance, block_frames=len(performance) + 1, seed=3)
    assert len(whole) == len(performance) * model.hop_size
    parts = play(model, performance, block_frames=block_frames, seed=3)
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_blocks_equal_what_the_model_itself_plays_at_once(model, performance):
    n_frames = len(performance)
    drawn = np.random.Generator(np.random.Philox(key=3)).random([n_frames, 64], np.float32)
    noise = tf.reshape(2.0 * drawn - 1.0, [1, -1])
    inference.set_length(model.model, n_frames, model.hop_size)
    features = {
        "f0_hz": performance.f0_hz[None],
        "loudness_db": performance.loudness_db[None],
        "state": tf.zeros([1, model.state_size]),
    }
    with mock.patch.object(core, "uniform_noise", lambda *_: noise):
        expected = model.model(features, training=False)["audio_synth"][0]
    np.testing.assert_allclose(play(model, performance, seed=3), expected, atol=1e-5)


def test_a_rehearsal_in_another_thread_is_not_heard_and_no_knob_traces_anew(model, performance):
    player = tt.Player(model, block_frames=64)
    with ThreadPoolExecutor(1) as aside:
        aside.submit(player.rehearse).result()
    np.testing.assert_array_equal(
        np.concatenate(list(player.play(performance))), play(model, performance, block_frames=64)
    )
    softer = play(model, performance, block_frames=64, noise_db=-6.0, harmonics_db=-6.0)
    assert np.abs(softer).max() < np.abs(play(model, performance, block_frames=64)).max()
    decoding, sources = model.traced[64]
    counts = [f.experimental_get_tracing_count() for f in (decoding._step, sources.play)]
    assert counts == [1, 1]


def test_harmonic_blocks_join_in_phase():
    f0_hz = np.linspace(200, 900, 41, dtype="f4")[None, :, None]
    amplitudes = np.full([1, 41, 9], 0.1, "f4")
    whole, end = core.harmonic_block(f0_hz, amplitudes, 64, RATE)
    first, phase = core.harmonic_block(f0_hz[:, :14], amplitudes[:, :14], 64, RATE)
    second, phase = core.harmonic_block(
        f0_hz[:, 13:], amplitudes[:, 13:], 64, RATE, "window", phase
    )
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole, atol=1e-5)
    np.testing.assert_allclose(phase, end, atol=1e-9)


def test_an_hour_long_tone_stays_in_tune():
    _, end = _harmonic_blocks._frame_starts(tf.fill([1, 900_001], 440.1), 64, RATE, 0.0)
    expected = np.float64(np.float32(440.1)) * 3600 % 1.0
    assert abs(float(end[0]) - expected) < 1e-5


def test_the_same_seed_gives_the_same_sound_and_another_one_other_noise(model, performance):
    again = [play(model, performance, seed=seed) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(again[0], again[1])
    assert np.abs(again[0] - again[2]).max() > 1e-6


def test_volumes_of_tone_noise_and_room(model, performance):
    tone_only = play(model, performance, noise_db=-80)
    noise_only = play(model, performance, harmonics_db=-80)
    both = play(model, performance)
    np.testing.assert_allclose(tone_only + noise_only, both, atol=1e-4)
    dry = play(model, performance, reverb=0.0)
    wet, wetter = (play(model, performance, reverb=r) - dry for r in (1.0, 2.0))
    np.testing.assert_allclose(wetter, 2 * wet, atol=1e-5)


def test_an_uncertain_pitch_mutes_the_tone_only(model, performance):
    n_frames = len(performance)
    muted = tt.Controls(performance.f0_hz, performance.loudness_db, np.zeros(n_frames, "f4"))
    np.testing.assert_allclose(
        play(model, muted), play(model, performance, harmonics_db=-300), atol=1e-6
    )


def test_room_in_pieces_is_one_convolution():
    random = np.random.default_rng(0)
    sound, response = random.normal(size=5000).astype("f4"), random.normal(size=700).astype("f4")
    room = _streams.Room((response, True))
    pieces = np.split(sound, [3, 400, 401, 3000])
    out = np.concatenate([room.push([piece]) for piece in pieces])
    np.testing.assert_allclose(out, np.convolve(sound, response)[:5000] + sound, atol=1e-3)


def test_golden_chain_of_adjustments():
    """The reference's register, loudness, quiet and autotune on recorded features."""
    data = np.load(golden.FOLDER / "timbre_transfer_adjust.npz")
    params = json.loads(str(data["params"]))
    features = SimpleNamespace(
        **{name: data[f"in_{name}"] for name in ("f0_hz", "loudness_db", "f0_confidence")}
    )
    target = data["in_target_loudness"], data["in_target_mask"]
    statistics = {
        "mean_pitch": params["dataset_mean_pitch"],
        "quantile_transform": _conditioning.postprocessing.fit_quantile_transform(*target),
        "mean_loudness_note": 0.0,
        "mean_pitch_note": 60.0,
        "std_pitch_note": 9.0,
        "min_pitch_note": 40.0,
        "max_pitch_note": 90.0,
    }
    knobs = tt.Knobs(quiet_db=params["quiet"], note_threshold=params["threshold"])
    done = tt.condition(features, knobs, statistics, octave_rule=tt.reference_octaves)
    assert done.explanation.octaves_added == params["octaves_added"]
    np.testing.assert_array_equal(done.mask_on, data["out_mask_on"])
    np.testing.assert_allclose(done.f0_hz, data["out_f0_after_octaves"], rtol=1e-5)
    np.testing.assert_allclose(done.loudness_db, data["out_loudness_after_quiet"], atol=1e-3)
    tuned = auto_tune(
        _conditioning.to_midi(done.f0_hz), params["tuning_factor"], done.mask_on, params["autotune"]
    )
    np.testing.assert_allclose(
        440 * 2 ** ((tuned - 69) / 12), data["out_f0_after_autotune"], rtol=1e-5
    )


def test_the_octave_follows_the_trained_range():
    statistics = {
        "mean_pitch_note": 72.0,
        "std_pitch_note": 5.0,
        "min_pitch_note": 60.0,
        "max_pitch_note": 84.0,
    }
    assert tt.best_octaves(np.array([70.0, 74.0]), statistics) == 0
    assert tt.best_octaves(np.array([45.0, 50.0]), statistics) == 2
    assert tt.best_octaves(np.array([96.0, 97.0]), statistics) == -2


def test_reference_checkpoint_plays_a_recording_in_tune(model, tmp_path):
    """A2 is far below what this model knows: it is played an octave or two up, in tune."""
    source = tone(tmp_path / "low.wav", 110.0, rate=44100, channels=2)
    result = tt.transfer(source, model, tmp_path / "out.wav", sample_rate=48000)
    audio, rate = soundfile.read(tmp_path / "out.wav")
    assert rate == 48000
    assert len(audio) == pytest.approx(1.5 * rate, abs=5)
    octaves = result.explanation.octaves_added
    assert octaves in (1, 2)
    wanted = 110.0 * 2**octaves
    found = peak_hz(audio[rate // 2 : rate], rate, wanted * 0.9, wanted * 1.1)
    assert abs(1200 * np.log2(found / wanted)) < 25
    assert "octave" in result.explanation.text()


def test_loudness_controls_act_though_the_training_measured_audio(model, tmp_path):
    """The reference ignores loudness here by default (its defect); a shift must be heard."""
    source = tone(tmp_path / "in.wav", 330.0, seconds=0.8)
    levels = []
    for shift in (0.0, -25.0):
        tt.transfer(source, model, tmp_path / "o.wav", tt.Knobs(loudness_shift_db=shift))
        levels.append(np.std(soundfile.read(tmp_path / "o.wav")[0]))
    assert levels[0] != pytest.approx(levels[1], rel=0.02)


def test_noise_has_no_notes_and_is_played_all_the_same(model, tmp_path):
    noise = np.random.default_rng(0).normal(size=RATE) * 0.02
    soundfile.write(tmp_path / "noise.wav", noise, RATE)
    result = tt.transfer(tmp_path / "noise.wav", model, tmp_path / "out.wav")
    assert any("no notes" in warning for warning in result.explanation.warnings)
    assert result.seconds == pytest.approx(1.0, abs=0.01)


def test_chords_are_suspected_and_a_single_voice_is_not(model, tmp_path):
    def warnings(*pitches_hz):
        waves = []
        for hz in pitches_hz:
            waves.append(soundfile.read(tone(tmp_path / "one.wav", hz, 1.0, gain=0.1))[0])
        soundfile.write(tmp_path / "in.wav", np.sum(waves, axis=0), RATE)
        return tt.transfer(tmp_path / "in.wav", model, tmp_path / "o.wav").explanation.warnings

    told = [text for text in warnings(261.6, 329.6, 392.0) if "several notes at once" in text]
    assert len(told) == 1
    assert not [text for text in warnings(329.6) if "several notes at once" in text]


def test_a_model_without_statistics_plays_what_it_hears(tmp_path):
    folder = shutil.copytree(MODEL, tmp_path / "model")
    (folder / "dataset_statistics.pkl").unlink()
    result = tt.transfer(tone(tmp_path / "in.wav"), tt.load_model(folder), tmp_path / "o.wav")
    assert any("no statistics" in warning for warning in result.explanation.warnings)


@pytest.mark.parametrize(
    ("seconds", "gain", "said"), [(0.05, 0.3, "50 ms long"), (1.0, 0.0, "is silent")]
)
def test_nothing_to_play_is_said(model, tmp_path, seconds, gain, said):
    source = tone(tmp_path / "in.wav", seconds=seconds, gain=gain)
    with pytest.raises(tt.TransferError, match=said):
        tt.transfer(source, model, tmp_path / "out.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_a_text_named_wav_is_refused_with_nothing_left_behind(tmp_path, capsys):
    (tmp_path / "in.wav").write_text("do re mi")
    words = [str(tmp_path / "in.wav"), str(tmp_path / "out.wav"), f"--model_dir={MODEL}"]
    assert _command.run(words) == 1
    assert "not readable audio" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def damage(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_damaged_checkpoints_are_passed_over_and_told(tmp_path):
    folder = shutil.copytree(MODEL, tmp_path / "model")
    for path in folder.glob("ckpt-20.*"):
        shutil.copy(path, path.with_name(path.name.replace("20", "30", 1)))
    damage(folder / "ckpt-30.data-00000-of-00001")
    model = tt.load_model(folder)
    assert model.checkpoint.endswith("ckpt-20")
    assert model.notes == ("ckpt-30 is damaged: ckpt-20 plays instead",)
    for path in folder.glob("ckpt-30.*"):
        shutil.copy(path, path.with_name(path.name.replace("30", "40", 1)))
    (folder / "checkpoints.json").write_text('{"best_step": 30, "best_loss": 1.0}')
    assert tt.load_model(folder).notes == (
        "ckpt-30 and ckpt-40 are damaged: ckpt-20 plays instead",
    )
    damage(folder / "ckpt-20.data-00000-of-00001")
    with pytest.raises(tt.TransferError, match="every checkpoint"):
        tt.load_model(folder)


def test_the_best_checkpoint_is_the_default(tmp_path):
    folder = shutil.copytree(MODEL, tmp_path / "model")
    for path in folder.glob("ckpt-20.*"):
        shutil.copy(path, path.with_name(path.name.replace("20", "9", 1)))
    (folder / "checkpoints.json").write_text('{"best_step": 9, "best_loss": 1.0}')
    assert tt.load_model(folder).checkpoint.endswith("ckpt-9")
    assert tt.load_model(folder, "latest").checkpoint.endswith("ckpt-20")
    with pytest.raises(tt.TransferError, match=r"\[9, 20\]"):
        tt.load_model(folder, "7")


def test_loading_leaves_the_callers_configuration_alone():
    import gin

    with gin.unlock_config():
        gin.bind_parameter("Harmonic.n_samples", 123)
    try:
        tt.load_model(MODEL)
        assert gin.query_parameter("Harmonic.n_samples") == 123
    finally:
        gin.clear_config()


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [
        ("octave_shift", 9, "octave_shift=9 must be from -8 to 8"),
        ("octave_shift", 0.5, "must be a whole number"),
        ("autotune", 1.5, "must be from 0.0 to 1.0"),
        ("quiet_db", float("nan"), "must be from"),
    ],
)
def test_knobs_beyond_their_range(knob, value, said):
    with pytest.raises(ValueError, match=said):
        tt.Knobs(**{knob: value})


def test_outputs_that_cannot_be(tmp_path):
    source = tone(tmp_path / "in.wav")
    for target, rate, said in (
        (tmp_path / "x.mp4", None, "must end in"),
        (tmp_path / "no" / "x.wav", None, "no folder"),
        (tmp_path / "x.wav", 12345, "sample_rate=12345"),
        (source, None, "is the recording itself"),
    ):
        with pytest.raises(ValueError, match=said):
            _writer.check_output(target, rate, source)


def test_a_loud_sound_is_turned_down_and_not_clipped(tmp_path):
    with _writer.SoundWriter(tmp_path / "x.wav", RATE) as writer:
        writer.add(np.sin(np.arange(RATE) / 9).astype("f4") * 3)
    audio, _ = soundfile.read(tmp_path / "x.wav")
    assert np.abs(audio).max() == pytest.approx(0.98, abs=0.001)
    np.testing.assert_allclose(audio, np.sin(np.arange(RATE) / 9) * 0.98, atol=1e-3)


def test_an_error_while_writing_leaves_nothing(tmp_path):
    with (
        pytest.raises(ValueError, match="NaN"),
        _writer.SoundWriter(tmp_path / "x.wav", RATE) as writer,
    ):
        writer.add(np.array([0.0, np.nan], "f4"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [16000, 44100])
def test_measured_frames_lie_where_they_are(tmp_path, rate):
    """A tone from 0.5 s to 1.0 s is loud in exactly these frames, whatever the blocks."""
    audio = np.zeros(int(1.5 * rate))
    start, stop = rate // 2, rate
    audio[start:stop] = np.sin(2 * np.pi * 440 * np.arange(stop - start) / rate)
    soundfile.write(tmp_path / "in.wav", audio, rate)
    features = tt.measure(tmp_path / "in.wav")
    assert len(features.f0_hz) == len(features.loudness_db) == 376
    loud = np.flatnonzero(features.loudness_db > -20)
    assert abs(loud[0] - 125) <= 3
    assert abs(loud[-1] - 250) <= 3
    middle = features.f0_hz[140:235]
    assert np.abs(1200 * np.log2(middle / 440)).max() < 10


def test_a_broken_file_is_an_audio_file_error(tmp_path):
    (tmp_path / "in.flac").write_bytes(b"fLaC" + bytes(100))
    with pytest.raises(AudioFileError):
        tt.measure(tmp_path / "in.flac")
