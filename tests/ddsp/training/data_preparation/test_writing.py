"""What is written, and what lies in the way: old shards, killed runs, a full disk."""

import errno
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from dlwa.ddsp.training.data_preparation import _records, _workplace
from dlwa.ddsp.training.data_preparation._errors import PreparationError
from dlwa.ddsp.training.data_preparation._settings import Settings

RECORDS = [_records.encode_example({"a": np.arange(10 + i), "b": np.ones(3)}) for i in range(7)]


@pytest.mark.ddsp
def test_the_files_are_byte_for_byte_those_of_tensorflow(tmp_path):
    import tensorflow as tf

    shards = _records.write_shards(tmp_path / "data", 2, RECORDS)
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in RECORDS[::2]:
            writer.write(record)
    assert shards[0].read_bytes() == (tmp_path / "theirs").read_bytes()


def test_shards_of_an_older_dataset_go_and_others_stay(tmp_path):
    _records.write_shards(tmp_path / "data[1].tfrecord", 5, RECORDS)
    others = ("data[1].tfrecord-notes", "other-00000-of-00005", "data1.tfrecord-00000-of-00005")
    for name in others:
        (tmp_path / name).touch()
    names = _records.write_shards(tmp_path / "data[1].tfrecord", 2, RECORDS)
    expected = {*others, *(path.name for path in names)}
    assert {path.name for path in tmp_path.iterdir()} == expected


def test_old_shards_stay_when_the_disk_is_full(tmp_path):
    _records.write_shards(tmp_path / "data", 5, RECORDS)
    before = sorted(path.name for path in tmp_path.iterdir())

    def records():
        yield from RECORDS[:3]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        _records.write_shards(tmp_path / "data", 2, records())
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_what_killed_runs_left_is_swept_but_not_what_is_in_use(tmp_path):
    dead = tmp_path / ".preparing-dead"
    dead.mkdir()
    (dead / "16k.f32").write_bytes(b"x")
    (tmp_path / ".data-00000-of-00005.tmp").touch()
    with _workplace.work_dir(tmp_path) as mine:
        assert not dead.exists()
        with _workplace.work_dir(tmp_path) as other:
            assert mine.exists()
            assert other != mine
        assert not other.exists()
    _workplace.clear_unfinished(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_folders_made_for_nothing_go_again(tmp_path):
    with _workplace.work_dir(tmp_path / "a" / "b"):
        pass
    assert list(tmp_path.iterdir()) == []
    with _workplace.work_dir(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "data").touch()
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["data"]


def sources(seconds):
    return [SimpleNamespace(info=SimpleNamespace(seconds=seconds))]


def test_a_dataset_that_will_not_fit_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=300_000_000)
    monkeypatch.setattr(_workplace.shutil, "disk_usage", lambda path: usage)
    _workplace.require_room(tmp_path, sources(60), Settings())
    with pytest.raises(PreparationError, match=r"needs up to 2\.3 GB, .* has 0\.3 GB free") as told:
        _workplace.require_room(tmp_path, sources(3600), Settings())
    assert "--hop_secs" in told.value.hint


def test_the_estimate_is_near_what_a_dataset_takes():
    records = 3600 * 4 * (2 * 16000 + 3 * 250) * 4
    decoded = 3600 * 16000 * 4
    needed = _workplace.needed_bytes(sources(3600), Settings())
    assert records + decoded < needed < 1.1 * (records + decoded) + 40e6
    own_rate = _workplace.needed_bytes(sources(3600), Settings(sample_rate=48000))
    assert own_rate > 1.9 * needed


def test_a_second_name_or_a_copy(tmp_path, monkeypatch):
    from dlwa.ddsp.training.data_preparation._cache import same_file

    (tmp_path / "a").write_bytes(b"sound")
    same_file(tmp_path / "a", tmp_path / "b")

    def refused(source, target):
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refused)
    same_file(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes() == b"sound"
