"""The audit hears what a musician hears: levels, clipping, pitch, chords, doubles, holes."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

import dlwa
from dlwa import runfiles
from dlwa.ddsp import audit
from dlwa.ddsp.audio_io import write_audio
from dlwa.ddsp.audit import FileAudit, FileAuditor
from dlwa.ddsp.audit._level import LevelMeter
from dlwa.ddsp.audit._pitch import HOP, LightTracker
from tests.ddsp.tones import RATE, melody, steady

ROOT = Path(dlwa.__file__).parent.parent


def track(audio, block=len):
    tracker = LightTracker()
    size = block(audio) if callable(block) else block
    for start in range(0, len(audio), size):
        tracker.push(audio[start : start + size])
    return tracker.finish()


def audited(audio, rate=RATE, name="a.wav", **more):
    auditor = FileAuditor(rate)
    auditor.push_original(np.asarray(audio, np.float32)[:, None])
    auditor.push_16k(np.asarray(audio, np.float32))
    about = {"seconds": len(audio) / rate, "sample_rate": rate, "channels": 1, "format": "wav"}
    return FileAudit(name, **about, **auditor.finish(), **more)


def levels(audio):
    meter = LevelMeter(RATE)
    meter.push(np.asarray(audio, np.float32).reshape(len(audio), -1))
    return meter.finish()


@pytest.mark.parametrize("hz", [41.2, 98.0, 196.0, 440.0, 1046.5, 2093.0])
def test_the_light_tracker_hears_steady_notes_within_15_cents(hz):
    found = track(steady(hz, 1.0))
    middle = found.f0_hz[5:-5]
    assert np.abs(1200 * np.log2(middle / hz)).max() < 15
    assert found.clarity[5:-5].min() > 0.9


def test_the_light_tracker_follows_a_melody_with_vibrato():
    audio, truth = melody(12.0, seed=3)
    found = track(audio)
    true_hz = truth[np.arange(len(found.f0_hz)) * HOP % len(truth)]
    steady_place = (true_hz > 0) & (found.clarity > 0.8)
    cents = np.abs(1200 * np.log2(found.f0_hz[steady_place] / true_hz[steady_place]))
    assert steady_place.sum() > 0.8 * (true_hz > 0).sum()
    assert (cents < 50).mean() > 0.97


def test_blocks_of_any_size_give_the_same_track():
    audio, _ = melody(3.0, seed=1)
    whole, parts = track(audio), track(audio, 7777)
    np.testing.assert_allclose(parts.f0_hz, whole.f0_hz)
    np.testing.assert_allclose(parts.clarity, whole.clarity)
    np.testing.assert_array_equal(parts.chord, whole.chord)


def test_noise_has_no_clear_pitch_and_silence_no_level():
    noise = np.random.default_rng(0).standard_normal(RATE * 2) * 0.1
    assert audited(noise).voiced_share < 0.05
    assert audit.remarks_on(audited(noise)) == ["noisy", "little clear pitch"]
    silent = audited(np.zeros(RATE))
    assert silent.peak_db is None
    assert audit.remarks_on(silent) == ["silent"]


def test_peak_level_and_share_of_silence():
    tone = steady(440, 2.0, amplitude=0.5)
    found = audited(np.concatenate([tone, np.zeros(2 * RATE), tone]))
    assert found.peak_db == pytest.approx(20 * np.log10(0.5), abs=0.1)
    assert found.silent_share == pytest.approx(1 / 3, abs=0.02)
    assert found.sounding_seconds == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("gain", [1.0, 0.6])
def test_clipping_is_seen_at_whatever_level_the_wall_stands(gain):
    tone = steady(220, 1.0, n_harmonics=1, amplitude=1.4)
    assert audited(gain * np.clip(tone, -1, 1)).clipped_places > 100
    assert audited(gain * tone / 1.4).clipped_places == 0


def test_one_clipped_channel_counts():
    clean = steady(220, 1.0, n_harmonics=1, amplitude=0.3)
    clipped = np.clip(steady(220, 1.0, n_harmonics=1, amplitude=1.5), -1, 1)
    assert levels(np.stack([clean, clipped], 1)).flat_tops > 100


def test_the_noise_floor_is_that_of_the_rests():
    noise = np.random.default_rng(1).standard_normal(4 * RATE) * 10 ** (-48 / 20)
    tone = np.concatenate([steady(440, 2.0), np.zeros(2 * RATE)])
    found = audited(noise + tone)
    assert found.noise_floor_db == pytest.approx(-48, abs=1.5)
    assert "noisy" not in audit.remarks_on(found)
    louder = audited(5 * noise + tone)
    assert "noisy" in audit.remarks_on(louder)
    assert audited(steady(440, 3.0)).noise_floor_db is None  # no rest: nobody can know


@pytest.mark.parametrize(
    ("left", "right", "lost_db", "told"),
    [(1, 1, 0, False), (1, 0, 0, False), (1, -0.8, 14, True), (1, -1, 54, True)],
)
def test_channels_that_cancel_each_other_are_told(tmp_path, left, right, lost_db, told):
    """A cable that turns one channel upside down leaves nothing of the average."""
    tone = melody(3.0)[0]
    soundfile.write(tmp_path / "a.wav", np.stack([left * tone, right * tone], 1), RATE, "FLOAT")
    (file,) = audit.audit_files([tmp_path / "a.wav"]).files
    assert min(file.cancelled_db, 54) == pytest.approx(lost_db, abs=0.1)
    assert ("channels cancel each other" in audit.remarks_on(file)) == told


def hiss(n, db, seed=0):
    return np.random.default_rng(seed).standard_normal(n) * 10 ** (db / 20)


def hum(n, db):
    t = np.arange(n) / RATE
    mains = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3))
    return mains / np.sqrt(np.mean(mains**2)) * 10 ** (db / 20)


@pytest.mark.parametrize("noise", [hiss, hum])
@pytest.mark.parametrize("db", [-40, -65])
def test_noise_is_measured_beneath_music_that_never_rests(noise, db):
    audio, _ = melody(12.0, seed=2, rest_s=0.0)
    found = audited(audio + noise(len(audio), db))
    assert found.noise_floor_db == pytest.approx(db, abs=3)
    assert ("noisy" in audit.remarks_on(found)) == (db == -40)


def test_notes_that_ring_on_and_silence_of_a_gate_are_no_noise():
    notes = [steady(hz, 1.0) * np.exp(-4.0 * np.arange(RATE) / RATE) for hz in (196, 247, 294) * 2]
    ringing = audited(np.concatenate(notes))
    assert "noisy" not in audit.remarks_on(ringing)
    audio, _ = melody(9.0, seed=2, rest_s=0.0)
    gated = np.concatenate([audio + hiss(len(audio), -40), np.zeros(9 * RATE)])
    assert audited(gated).noise_floor_db == pytest.approx(-40, abs=3)


def test_hiss_does_not_make_the_light_tracker_fall_by_octaves():
    """Beneath noise the dip at two periods is often the deepest."""
    audio, truth = melody(12.0, seed=3, rest_s=0.0)
    found = track(audio + hiss(len(audio), -30).astype(np.float32))
    true_hz = truth[np.minimum(np.arange(len(found.f0_hz)) * HOP, len(truth) - 1)]
    clear = (found.clarity > 0.8) & (true_hz > 0)
    octaves = np.log2(found.f0_hz[clear] / true_hz[clear])
    assert np.mean(np.abs(octaves + 1) < 0.1) < 0.002


@pytest.mark.parametrize("ratios", [(1, 1.26), (1, 1.335), (1, 1.498), (1, 1.26, 1.498)])
def test_chords_are_suspected_and_single_notes_are_not(ratios):
    notes = [220.0, 246.9, 293.7, 196.0]
    chords = np.concatenate([sum(steady(f * r, 0.7, amplitude=0.2) for r in ratios) for f in notes])
    single = np.concatenate([steady(f, 0.7) for f in notes])
    assert audited(chords).chord_share > 0.5
    assert "several notes at once" in audit.remarks_on(audited(chords))
    assert audited(single).chord_share < 0.2


def test_the_range_of_notes():
    low, high = audited(np.concatenate([steady(196, 1.0), steady(784, 1.0)])).f0_hz
    assert low == pytest.approx(196, rel=0.01)
    assert high == pytest.approx(784, rel=0.01)


def made(name, notes, seconds=600.0, **more):
    """A recording in which notes (MIDI, dB) share the time."""
    heard = [[midi, int(np.floor(db / 3)), seconds / len(notes)] for midi, db in notes]
    return FileAudit(
        name,
        seconds,
        44100,
        1,
        "wav",
        sounding_seconds=seconds,
        peak_db=-3.0,
        level_db=-15.0,
        silent_share=0.05,
        voiced_share=0.95,
        heard=heard,
        **more,
    )


ALL_NOTES = [(midi, db) for midi in range(55, 91) for db in (-15, -25, -35)]


def test_a_set_that_covers_all_is_good():
    found = audit.judge([made("a", ALL_NOTES, 660.0)])
    assert (found.verdict, found.missing, found.advice) == ("good", [], [])
    assert found.coverage.seconds.sum() == pytest.approx(660, rel=0.05)


def test_missing_quiet_high_notes_are_named():
    notes = [(m, d) for m, d in ALL_NOTES if not (m >= 79 and d == -35)]
    found = audit.judge([made("a", notes, 900.0)])
    assert found.missing == ["no quiet notes above G5"]
    assert found.verdict == "usable"
    assert "play what is missing" in found.advice[0]


def test_one_loudness_throughout_is_told():
    found = audit.judge([made("a", [(midi, -20) for midi in range(55, 91)], 900.0)])
    assert found.missing == ["all notes are about equally loud (within 0 dB)"]


def test_too_little_is_poor_and_says_how_much_more():
    found = audit.judge([made("a", ALL_NOTES, 60.0)])
    assert found.verdict == "poor"
    assert found.summary.startswith("1.0 minutes of sound in 1 recording: too little to learn an")
    short = audit.judge([made("a", ALL_NOTES, 12.0)])
    assert short.summary.startswith("12 seconds of sound in 1 recording: too little")
    assert found.advice[0] == "record about 9 minutes more of the same instrument"


def test_chords_make_a_set_poor_and_are_no_range():
    chord = made("chords.wav", [(30, -20)], 900.0, chord_share=0.9)
    found = audit.judge([made("a", ALL_NOTES, 300.0), chord])
    assert found.verdict == "poor"
    assert found.coverage.edges[0] >= 50
    assert any("chords.wav: leave out chords" in line for line in found.advice)


def test_a_take_in_two_formats_is_found_and_counted_once(tmp_path):
    audio, _ = melody(6.0, seed=5)
    write_audio(tmp_path / "a.wav", audio, RATE)
    write_audio(tmp_path / "b.flac", 0.5 * audio, RATE)
    write_audio(tmp_path / "c.wav", melody(6.0, seed=6)[0], RATE)
    (tmp_path / "d.wav").write_bytes((tmp_path / "a.wav").read_bytes())
    found = audit.audit_files(sorted(tmp_path.iterdir()), tmp_path)
    assert found.remarks["b.flac"][0] == "same as a.wav"
    assert found.remarks["d.wav"][0] == "same as a.wav"
    assert "same as" not in str(found.remarks.get("c.wav"))
    once = sum(f.sounding_seconds for f in found.files if f.file in ("a.wav", "c.wav"))
    assert found.sounding_minutes == pytest.approx(once / 60, abs=1e-3)


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        (("wav pcm 16", 44100), ("mpeg mpeg layer iii", 48000)),
        (("flac pcm 24", 44100), ("wav pcm 16", 44100)),
        (("wav float", 44100), ("wav pcm 24", 44100)),
        (("wav pcm 16", 48000), ("wav pcm 24", 44100)),
        (("alac", 44100), ("aac", 44100)),
    ],
)
def test_of_two_formats_the_better_is_kept_whatever_its_name(kept, left):
    def one(name, form):
        return FileAudit(name, 10.0, form[1], 1, form[0], sha256="the same")

    assert audit.find_twins([one("a", left), one("b", kept)]) == {"a": "b"}
    assert audit.find_twins([one("a", kept), one("b", left)]) == {"b": "a"}


def test_silent_recordings_are_not_counted():
    silent = FileAudit("s.wav", 60.0, 44100, 1, "wav")
    assert "in 1 recording:" in audit.judge([made("a", ALL_NOTES, 660.0), silent]).summary


def test_equal_swells_on_other_notes_are_no_twins():
    low, high = (audited(steady(hz, 3.0), name=str(hz), sha256=str(hz)) for hz in (220, 262))
    assert audit.find_twins([low, high]) == {}
    assert audit.find_twins([low, audited(0.4 * steady(220, 3.0), name="b")]) == {"b": "220"}


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.04, 0.06, 0.3])
@pytest.mark.parametrize("rate", [8000, 16000, 96000])
def test_the_shortest_recordings_are_judged_or_refused(tmp_path, seconds, rate):
    write_audio(tmp_path / "a.wav", steady(440, seconds, rate), rate)
    found = audit.audit_files([tmp_path / "a.wav"], tmp_path)
    if seconds < 0.05:
        assert "is too short" in found.refused[0]["reason"]
    else:
        assert found.files[0].peak_db == pytest.approx(-6, abs=1)
    assert audited(steady(440, seconds, RATE)).peak_db is not None


def run(*words, cwd):
    """The command in a process that fails as soon as it imports TensorFlow."""
    code = "import sys; sys.modules['tensorflow'] = None\n"
    code += "from dlwa.ddsp.audit._command import main; main()"
    argv = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=60)


def test_the_command_needs_no_tensorflow_and_lists_bad_files(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    write_audio(folder / "sub" / "good.flac", melody(3.0)[0], RATE)
    (folder / "text.wav").write_text("hello " * 100)
    soundfile.write(folder / "nothing.wav", np.zeros(RATE), RATE)
    done = run("in", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [file["file"] for file in document["files"]] == ["nothing.wav", "sub/good.flac"]
    assert document["files"][0]["remarks"] == ["silent"]
    assert document["refused"][0]["file"] == "text.wav"
    assert document["verdict"] == "poor"
    assert "heard" not in document["files"][1]


def test_the_command_reports_progress_into_the_folder_of_its_run(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("DLWA_RUN_DIR", str(tmp_path / "run"))
    write_audio(tmp_path / "a.wav", melody(3.0)[0], RATE)
    done = run("a.wav", f"--report={tmp_path}/out.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert runfiles.read_json(tmp_path / "out.json")["files"][0]["file"] == "a.wav"
    last = runfiles.last_line(tmp_path / "run" / "metrics.jsonl")
    assert (last["done"], last["total"], last["unit"]) == (3.0, 3.0, "s of audio")


def test_without_the_libraries_the_command_names_them(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import runpy; sys.argv = ['audit', '.']\n"
    )
    code += "runpy.run_module('dlwa.ddsp.audit', run_name='__main__')"
    argv = [sys.executable, "-S", "-c", code]  # -S: nothing that pip installed
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: auditing needs numpy, soundfile, soxr",
        "hint: pip install 'dlwa[audio]'",
    ]


def test_no_recordings_end_with_3_and_say_what_to_do(tmp_path):
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "takes.zip", "w") as file:
        file.writestr("a.wav", b"x")
    for given, message in (
        ("absent", "does not exist"),
        ("in", "holds no recordings (only .zip files)"),
        ("in/takes.zip", "is an archive, not a folder"),
    ):
        done = run(given, cwd=tmp_path)
        assert done.returncode == 3
        assert message in done.stderr
    assert 'python3 -m zipfile -e "in/takes.zip" "in/takes"' in done.stderr
