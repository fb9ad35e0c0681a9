"""Nothing is measured twice, nothing wrong is ever taken from the cache, and it stays small.

The measuring itself is replaced by a quick stand-in here, so nothing needs TensorFlow.
"""

import errno
import os
import threading
import time

import numpy as np
import pytest
import soundfile

from dlwa.ddsp.audio_io import write_audio
from dlwa.ddsp.training.data_preparation import _analysis, _clean_road, _decode, _keys, _measuring
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._dataset_files import write_papers
from dlwa.ddsp.training.data_preparation._settings import Settings
from dlwa.ddsp.training.data_preparation._sources import files_in_folder
from tests.ddsp.tones import RATE, melody

SETTINGS = {"pitch_model": "tiny", "precision": "float32", "example_secs": 1.0, "hop_secs": 0.5}


class Measured:
    """Stands in for the pitch tracker and counts what it is given."""

    def __init__(self):
        self.count = 0
        self.pause = None

    def __call__(self, audio, settings, tick):
        self.count += 1
        if self.pause:
            self.pause(self.count)
        n_frames = len(audio) // (16000 // settings.frame_rate) + 1
        tick(len(audio) / 16000)
        f0_hz = np.full(n_frames, 220.0 + len(audio) % 100, np.float32)
        return {
            "f0_hz": f0_hz,
            "f0_confidence": np.full(n_frames, 0.9, np.float32),
            "loudness_db": np.full(n_frames, -20.0, np.float32),
        }


@pytest.fixture
def measured(monkeypatch):
    stand_in = Measured()
    monkeypatch.setattr(_analysis, "measure", stand_in)
    return stand_in


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for i in range(4):
        write_audio(folder / f"take{i}.wav", melody(3.0, seed=i)[0], RATE)
    write_audio(folder / "sub" / "take0.wav", melody(3.0, seed=9)[0], RATE)
    return folder


def prepare(folder, out, cache=None, papers=True, **more):
    out.mkdir(exist_ok=True)
    settings = Settings(**{**SETTINGS, **more})
    return _clean_road.prepare(
        files_in_folder(folder),
        out / "data.tfrecord",
        settings,
        2,
        folder,
        finish=(lambda prepared: write_papers(prepared, out, cache)) if papers else None,
        cache=cache,
    )


def test_more_shards_than_examples_are_not_made(recordings, measured, tmp_path):
    settings = Settings(**SETTINGS)
    prepared = _clean_road.prepare(
        files_in_folder(recordings), tmp_path / "data", settings, 500, recordings
    )
    assert len(prepared.shards) == len(prepared.train.windows) < 500
    assert all(path.stat().st_size > 0 for path in prepared.shards)


def content(out):
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_the_second_run_measures_nothing_and_writes_the_same_bytes(recordings, measured, tmp_path):
    cache = Cache(tmp_path / "cache")
    prepare(recordings, tmp_path / "a", cache)
    assert measured.count == 5
    again = prepare(recordings, tmp_path / "b", cache)
    assert measured.count == 5
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert again.speed == 0.0
    prepare(recordings, tmp_path / "c")
    assert measured.count == 10
    assert content(tmp_path / "c") == content(tmp_path / "a")


def test_the_second_run_neither_decodes_nor_needs_tensorflow(
    recordings, measured, tmp_path, monkeypatch
):
    cache = Cache(tmp_path / "cache")
    prepare(recordings, tmp_path / "a", cache)
    monkeypatch.setattr(_decode, "stream_audio", None)
    monkeypatch.setitem(__import__("sys").modules, "tensorflow", None)
    prepare(recordings, tmp_path / "b", cache)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_one_more_recording_costs_one_measurement(recordings, measured, tmp_path):
    cache = Cache(tmp_path / "cache")
    prepare(recordings, tmp_path / "a", cache)
    write_audio(recordings / "new.wav", melody(3.0, seed=20)[0], RATE)
    (recordings / "take1.wav").rename(recordings / "renamed.wav")
    prepare(recordings, tmp_path / "b", cache)
    assert measured.count == 6


@pytest.mark.parametrize(
    "change", [{"frame_rate": 125}, {"viterbi": False}, {"precision": "bfloat16"}]
)
def test_other_settings_are_measured_anew(recordings, measured, tmp_path, change):
    cache = Cache(tmp_path / "cache")
    prepare(recordings, tmp_path / "a", cache)
    prepare(recordings, tmp_path / "b", cache, **change)
    assert measured.count == 10


def test_other_code_makes_other_entries(monkeypatch, tmp_path):
    before = _keys.key("features", content="x")
    (tmp_path / "changed.py").write_text("# other code\n")
    monkeypatch.setitem(_keys.CODE, "features", ("changed.py",))
    monkeypatch.setattr(_keys, "_DDSP", tmp_path)
    _keys.code_print.cache_clear()
    try:
        assert _keys.key("features", content="x") != before
    finally:
        _keys.code_print.cache_clear()


def test_every_source_file_that_the_keys_name_exists():
    for names in _keys.CODE.values():
        for name in names:
            assert (_keys._DDSP / name).exists(), name


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"x" * 99])
def test_damaged_entries_are_made_anew(recordings, measured, tmp_path, damage):
    cache = Cache(tmp_path / "cache")
    prepare(recordings, tmp_path / "a", cache)
    for path in (tmp_path / "cache").rglob("*.*"):
        path.write_bytes(damage(path.read_bytes()))
    prepare(recordings, tmp_path / "b", cache)
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert measured.count == 10


def test_the_cache_keeps_within_its_limit_and_forgets_the_oldest(tmp_path):
    cache = Cache(tmp_path, limit_bytes=50_000)
    for i in range(10):
        cache.put_arrays(f"{i:02d}", {"a": np.zeros(2000, np.float32)})
        os.utime(cache._path(f"{i:02d}", ".npz"), (i, i))
    cache.arrays("00")  # used just now
    cache.prune()
    left = sorted(path.stem for path in tmp_path.rglob("*.npz"))
    assert left == ["00", "05", "06", "07", "08", "09"]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.npz")) <= 50_000


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(recordings, measured, tmp_path):
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    prepare(recordings, tmp_path / "a", cache)
    assert measured.count == 5
    assert cache.folder is None


def test_an_interrupted_preparation_goes_on_where_it_was(recordings, measured, tmp_path):
    cache = Cache(tmp_path / "cache")

    def interrupt(count):
        if count == 4:
            raise KeyboardInterrupt

    measured.pause = interrupt
    with pytest.raises(KeyboardInterrupt):
        prepare(recordings, tmp_path / "a", cache)
    assert list((tmp_path / "a").iterdir()) == []
    done, measured.pause = len(list((tmp_path / "cache").rglob("*.npz"))), None
    assert done >= 2
    measured.count = 0
    prepare(recordings, tmp_path / "a", cache)
    assert measured.count == 5 - done


def test_a_disk_full_midway_leaves_nothing_and_what_was_measured_stays(
    recordings, measured, tmp_path, monkeypatch
):
    cache = Cache(tmp_path / "cache")
    write = _decode._write

    def full_at_last(source, *words):
        if source.name == "take3.wav":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(source, *words)

    monkeypatch.setattr(_decode, "_write", full_at_last)
    with pytest.raises(OSError, match="No space left"):
        prepare(recordings, tmp_path / "a", cache)
    assert list((tmp_path / "a").iterdir()) == []
    monkeypatch.undo()
    monkeypatch.setattr(_analysis, "measure", measured)
    before = measured.count
    prepare(recordings, tmp_path / "a", cache)
    assert measured.count <= 5 + 2  # at most the two that were under way are measured again
    assert before <= 4


def test_the_order_is_that_of_the_files_whichever_is_done_first(recordings, measured, tmp_path):
    first_may_end = threading.Event()

    def pause(count):
        if count == 1:
            assert first_may_end.wait(10)
        else:
            first_may_end.set()

    measured.pause = pause
    slow = prepare(recordings, tmp_path / "a")
    measured.pause = None
    quick = prepare(recordings, tmp_path / "b")
    names = [material.recording.source.name for material in slow.materials]
    assert names == sorted(names) == [m.recording.source.name for m in quick.materials]
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_the_same_name_in_two_folders_is_two_recordings(recordings, measured, tmp_path):
    prepared = prepare(recordings, tmp_path / "a")
    names = [material.recording.source.name for material in prepared.materials]
    assert "take0.wav" in names
    assert "sub/take0.wav" in names


def test_a_recording_that_grows_while_the_others_are_measured_is_refused(
    recordings, measured, tmp_path, monkeypatch
):
    whole = _measuring.content_hash

    def growing(path):
        if path.name == "take2.wav":
            with path.open("ab") as file:
                file.write(b"more")
        return whole(path)

    monkeypatch.setattr(_measuring, "content_hash", growing)
    prepared = prepare(recordings, tmp_path / "a")
    assert [(r.name, r.reason.split(":")[0]) for r in prepared.refused] == [
        ("take2.wav", "changes while it is read")
    ]
    assert len(prepared.materials) == 4


def test_one_take_in_two_formats_is_used_once(recordings, measured, tmp_path):
    """Else one of them may be held out, and the model is judged by what it has learned from."""
    write_audio(recordings / "take2 again.flac", 0.7 * melody(3.0, seed=2)[0], RATE)
    prepared = prepare(recordings, tmp_path / "a")
    assert [(r.name, r.reason) for r in prepared.refused] == [
        ("take2.wav", "is the same take as take2 again.flac")
    ]


def test_a_recording_that_vanishes_is_refused(recordings, measured, tmp_path, monkeypatch):
    examine = _clean_road.examine

    def then_one_goes(*words):
        found = examine(*words)
        (recordings / "take3.wav").unlink()
        return found

    monkeypatch.setattr(_clean_road, "examine", then_one_goes)
    prepared = prepare(recordings, tmp_path / "a")
    assert [r.name for r in prepared.refused] == ["take3.wav"]


def test_progress_counts_every_second_and_knows_how_long_it_takes(
    recordings, measured, tmp_path, monkeypatch
):
    from dlwa import runfiles
    from dlwa.ddsp.training.data_preparation import _progress

    monkeypatch.setattr(_progress, "_REPORT_EVERY_S", 0.0)
    monkeypatch.setenv("DLWA_RUN_DIR", str(tmp_path))
    measured.pause = lambda count: time.sleep(0.1)
    prepare(recordings, tmp_path / "a")
    lines = list(runfiles.read_lines(tmp_path / "metrics.jsonl"))
    assert [line["done"] for line in lines] == sorted(line["done"] for line in lines)
    assert lines[-1]["done"] == lines[-1]["total"] == pytest.approx(15.0)
    known = [line["eta_s"] for line in lines if "eta_s" in line]
    assert known[0] > known[-1] == 0


def test_channels_that_cancel_each_other_are_refused_with_the_cure(measured, tmp_path):
    tone = melody(3.0)[0]
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "a.wav", np.stack([tone, -tone], 1), RATE)
    write_audio(tmp_path / "in" / "b.wav", melody(3.0, seed=1)[0], RATE)
    (refused,) = prepare(tmp_path / "in", tmp_path / "out").refused
    assert refused.reason.endswith("its channels cancel each other, export one of them")
