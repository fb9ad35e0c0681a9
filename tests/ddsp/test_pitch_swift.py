"""The fast tracker: the right notes, at the right moments, whatever the hop, level or blocks."""

import subprocess
import sys

import numpy as np
import pytest

from dlwa.ddsp import pitch
from dlwa.ddsp.pitch import compute_f0, open_tracker, swift
from tests.ddsp.tones import RATE, harmonic_tone, melody, steady

pytest.importorskip("swift_f0", reason="pip install swift-f0")
pytestmark = pytest.mark.ddsp


def cents(f0_hz, true_hz):
    return 1200 * np.log2(f0_hz / true_hz)


@pytest.mark.parametrize("hz", [65.4, 220.0, 440.0, 1567.98])
def test_a_steady_tone_is_found_within_ten_cents(hz):
    f0_hz, confidence = compute_f0(steady(hz, 1.0), 250, model="swift")
    inner = slice(25, -25)
    assert np.abs(np.median(cents(f0_hz[inner], hz))) < 10
    assert (confidence[inner] > 0.9).all()


def test_a_melody_agrees_with_what_was_played():
    audio, truth = melody(8.0, seed=2)
    f0_hz, confidence = compute_f0(audio, 250, model="swift")
    true_hz = truth[np.minimum(np.arange(len(f0_hz)) * 64, len(truth) - 1)]
    sounding = true_hz > 0
    right = np.abs(cents(f0_hz[sounding], true_hz[sounding])) < 50
    assert right.mean() > 0.93
    assert (confidence[sounding] > 0.5).mean() > 0.95
    assert confidence[~sounding].mean() < 0.6 * confidence[sounding].mean()


@pytest.mark.parametrize(
    ("frame_rate", "padding"),
    [
        (250, "center"),
        (250, "same"),
        (100, "valid"),
        (100, "center"),
        (50, "center"),
        (62.5, "same"),
    ],
)
@pytest.mark.parametrize("n_samples", [16000, 16063, 1024])
def test_frames_are_as_many_as_those_of_crepe(frame_rate, padding, n_samples):
    audio = steady(440, 2.0)[:n_samples]
    ours = compute_f0(audio, frame_rate, padding=padding, model="swift")
    crepe = compute_f0(audio, frame_rate, padding=padding, model="tiny")
    assert [series.shape for series in ours] == [series.shape for series in crepe]
    assert all(series.dtype == np.float32 for series in ours)


@pytest.mark.parametrize(("padding", "lead_s"), [("center", 0.0), ("same", 0.032)])
def test_frames_lie_where_the_samples_are(padding, lead_s):
    """A vibrato is followed without delay: shifting the answer either way makes it worse."""
    seconds = np.arange(3 * RATE) / RATE

    def true_hz(at):
        return 440 * 2 ** (0.7 / 12 * np.sin(2 * np.pi * 4 * at))

    f0_hz, _ = compute_f0(harmonic_tone(true_hz(seconds)), 250, padding=padding, model="swift")
    at = np.arange(len(f0_hz)) / 250 + lead_s
    errors = {
        shift: np.abs(cents(f0_hz, true_hz(at + shift)))[25:-25].mean()
        for shift in (-0.008, -0.004, 0.0, 0.004, 0.008)
    }
    assert min(errors, key=errors.get) == 0.0
    assert errors[0.0] < 6


def test_quiet_passages_are_heard_as_well_as_loud_ones():
    audio, truth = melody(6.0, seed=3)
    sounding = truth[np.minimum(np.arange(len(audio) // 64 + 1) * 64, len(truth) - 1)] > 0
    loud = compute_f0(audio, 250, model="swift")
    quiet = compute_f0(0.01 * audio, 250, model="swift")
    assert np.abs(np.median(cents(quiet[0], loud[0])[sounding])) < 2
    assert quiet[1][sounding].mean() > 0.9 * loud[1][sounding].mean()


@pytest.mark.parametrize(
    "audio", [np.zeros(RATE), 1e-4 * steady(440, 1.0)], ids=["zeros", "-80 dB"]
)
def test_silence_is_no_note(audio):
    f0_hz, confidence = compute_f0(audio, 250, model="swift")
    assert (confidence == 0).all()
    assert np.isfinite(f0_hz).all()


def test_the_answer_does_not_depend_on_how_the_samples_arrive():
    audio, _ = melody(48.0, seed=4)
    whole = compute_f0(audio, 250, model="swift")
    tracker = open_tracker("swift", 250)
    cuts = np.sort(np.random.default_rng(0).integers(0, len(audio), 40))
    parts = [tracker.push(part) for part in np.split(audio, cuts)] + [tracker.finish()]
    assert sum(len(f0) > 0 for f0, _ in parts) > 1, "nothing is given before the end"
    for series, together in zip(zip(*parts, strict=True), whole, strict=True):
        np.testing.assert_array_equal(np.concatenate(series), together)


def test_no_note_is_invented_between_two():
    f0_hz, confidence = swift.between_frames(
        np.array([440.0, 440.0, 880.0]), np.array([1.0, 0.0, 1.0]), np.array([0.5, 1.4, 1.6, 2.0])
    )
    np.testing.assert_allclose(f0_hz, [440, 440, 880, 880], rtol=1e-6)
    np.testing.assert_allclose(confidence, [0.5, 0.4, 0.6, 1.0], rtol=1e-6)


def test_within_a_note_pitch_moves_in_equal_ratios():
    f0_hz, _ = swift.between_frames(
        np.array([440.0, 466.16]), np.ones(2), np.array([0.0, 0.5, 1.0])
    )
    np.testing.assert_allclose(f0_hz, [440, np.sqrt(440 * 466.16), 466.16], rtol=1e-6)


@pytest.mark.parametrize("ratio", [2, 3, 4, 1 / 2, 1 / 3])
@pytest.mark.parametrize("length", [1, 8])
def test_a_short_slip_to_a_harmonic_is_taken_back(ratio, length):
    true_hz = 440 * 2 ** (0.2 / 12 * np.sin(np.arange(60) / 3))
    heard = true_hz.copy()
    heard[20 : 20 + length] *= ratio
    heard[40 : 40 + length] *= ratio
    swift.mend_slips(heard)
    np.testing.assert_allclose(heard, true_hz, rtol=1e-6)


@pytest.mark.parametrize(
    "leap",
    [
        np.repeat([440.0, 880.0, 440.0], [20, 9, 20]),  # long enough to be a note
        np.repeat([440.0, 660.0, 440.0], [20, 4, 20]),  # a fifth is no harmonic
        np.repeat([440.0, 880.0, 587.3], [20, 4, 20]),  # does not return
        np.repeat([440.0, 880.0], [20, 20]),
        440 * 2 ** np.concatenate([np.linspace(0, 1, 6), np.linspace(1, 0, 6)]),  # a glide
    ],
)
def test_leaps_of_a_melody_stay(leap):
    mended = leap.copy()
    swift.mend_slips(mended)
    np.testing.assert_array_equal(mended, leap)


def test_slips_are_judged_alike_in_pieces_and_only_when_asked():
    random = np.random.default_rng(5)
    heard = np.full(400, 440.0) * random.choice([1, 1, 1, 1, 2, 3], 400)
    whole, pieces = heard.copy(), heard.copy()
    swift.mend_slips(whole)
    done = 0
    for known in (13, 14, 100, 101, 230, 400):
        until = 400 if known == 400 else max(done, known - 8)
        part = pieces[:known]  # later frames are not known yet
        swift.mend_slips(part, done, until)
        done = until
    np.testing.assert_array_equal(pieces, whole)
    assert (whole != heard).any()


def test_swift_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(swift, "available", lambda: False)
    swift._detector.cache_clear()
    for call in (
        lambda: pitch.resolve_pitch_model("swift"),
        lambda: compute_f0(np.zeros(RATE), 250, model="swift"),
    ):
        with pytest.raises(FileNotFoundError, match="pip install swift-f0"):
            call()


@pytest.mark.parametrize(
    ("audio", "match"),
    [
        (np.zeros([2, RATE]), r"shape \[n\], got \[2, 16000\]"),
        (np.full(RATE, np.nan), "finite"),
        (np.zeros(1000), "shorter than one frame"),
    ],
)
def test_impossible_audio_is_refused(audio, match):
    with pytest.raises(ValueError, match=match):
        compute_f0(audio, 250, padding="valid", model="swift")


def test_the_fast_tracker_needs_no_tensorflow():
    code = (
        "import sys, numpy as np; from dlwa.ddsp import pitch;"
        "f0, _ = pitch.compute_f0(np.sin(np.arange(16000) * 0.2), 250, model='swift');"
        "assert len(f0) == 251; print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    """A folder with one recording, and the pitch SwiftF0 hears in it: f0_hz, confidence."""
    from dlwa.ddsp.audio_io import read_audio, write_audio

    folder = tmp_path_factory.mktemp("takes")
    write_audio(folder / "take.wav", melody(9.0, seed=6)[0], RATE)
    return folder, compute_f0(read_audio(folder / "take.wav")[0], 250, model="swift")


def test_a_transfer_hears_it_too(take):
    from dlwa.ddsp.timbre_transfer._measure import measure

    folder, (f0_hz, confidence) = take
    features = measure(folder / "take.wav", pitch_model="swift")
    np.testing.assert_array_equal(features.f0_hz, f0_hz)
    np.testing.assert_array_equal(features.f0_confidence, confidence)


def test_a_data_set_holds_its_pitch(take, tmp_path):
    import tensorflow as tf

    from dlwa.ddsp.training.data_preparation import prepare_tfrecord_lib as lib
    from dlwa.ddsp.training.data_preparation._sources import files_in_folder

    folder, (f0_hz, _) = take
    settings = lib.Settings(pitch_model="swift", heldout_fraction=0.0)
    lib.prepare(files_in_folder(folder), tmp_path / "data.tfrecord", settings, 1, folder=folder)
    (shard,) = tmp_path.glob("data.tfrecord-*")
    stored = [
        tf.train.Example.FromString(record.numpy()).features.feature["f0_hz"].float_list.value
        for record in tf.data.TFRecordDataset(str(shard))
    ]
    assert stored
    for window in stored:
        assert np.isin(np.float32(window), f0_hz).mean() > 0.9
