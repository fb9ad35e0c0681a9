"""Data providers: what they deal, in which order, and what they say about bad data."""

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp

N_PER_FILE, N_FILES = 7, 3
N = N_PER_FILE * N_FILES


def _example(number, seconds=1, rate=16000, frames=250, **more):
    import tensorflow as tf

    values = {
        "audio": np.full(seconds * rate, number / 100),
        "audio_16k": np.zeros(seconds * 16000),
        "f0_hz": np.full(seconds * frames, number),
        "f0_confidence": np.ones(seconds * frames),
        "loudness_db": np.zeros(seconds * frames),
        **more,
    }
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                key: tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(value)))
                for key, value in values.items()
                if value is not None
            }
        )
    ).SerializeToString()


def _write(path, examples):
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples:
            writer.write(example)


@pytest.fixture
def folder(tmp_path):
    for file in range(N_FILES):
        numbers = range(file * N_PER_FILE, (file + 1) * N_PER_FILE)
        path = tmp_path / f"data.tfrecord-{file:05d}-of-{N_FILES:05d}"
        _write(path, [_example(number) for number in numbers])
    return tmp_path


def _provider(folder, **kwargs):
    from dlwa.ddsp.training import data

    kwargs.setdefault("example_secs", 1)
    return data.TFRecordProvider(f"{folder}/data.tfrecord*", **kwargs)


def _numbers(dataset, n_batches):
    return [batch["f0_hz"][:, 0].numpy().astype(int).tolist() for batch in dataset.take(n_batches)]


def test_every_epoch_deals_each_example_once_in_another_order(folder):
    dealt = np.ravel(_numbers(_provider(folder).get_batch(3, seed=1), 2 * N // 3))
    first, second = dealt[:N].tolist(), dealt[N:].tolist()
    assert sorted(first) == sorted(second) == list(range(N))
    assert first != second != sorted(second)


def test_the_order_is_a_function_of_the_seed(folder):
    provider = _provider(folder)
    assert _numbers(provider.get_batch(4, seed=5), 8) == _numbers(provider.get_batch(4, seed=5), 8)
    assert _numbers(provider.get_batch(4, seed=5), 8) != _numbers(provider.get_batch(4, seed=6), 8)


@pytest.mark.parametrize("start_step", [1, 5, 6, 1000])
def test_starting_later_deals_what_would_have_come(folder, start_step):
    """Batches of 4 out of 21 cross the ends of epochs."""
    provider = _provider(folder)
    later = _numbers(provider.get_batch(4, seed=3, start_step=start_step), 6)
    from dlwa.ddsp.training.data._order import example_numbers

    whole = example_numbers(N, seed=3, shuffle=True)
    assert np.ravel(later).tolist() == [int(n) for n in whole.skip(start_step * 4).take(24)]
    if start_step < 10:
        assert _numbers(provider.get_batch(4, seed=3), start_step + 6)[start_step:] == later


def test_no_python_runs_while_examples_are_dealt(folder):
    """A thread that calls Python while the interpreter ends aborts the process."""
    import tensorflow as tf

    def operations(dataset):
        graph = tf.compat.v1.GraphDef.FromString(dataset._as_serialized_graph().numpy())
        functions = [node.op for f in graph.library.function for node in f.node_def]
        return {node.op for node in graph.node} | set(functions)

    found = operations(_provider(folder).get_batch(4))
    assert "ParseExampleV2" in found
    assert not {op for op in found if "PyFunc" in op}


def test_without_shuffling_files_and_records_come_in_order(folder):
    batches = _numbers(
        _provider(folder).get_batch(4, shuffle=False, repeats=1, drop_remainder=False), 99
    )
    assert np.concatenate(batches).tolist() == list(range(N))
    assert len(batches[-1]) == N % 4


def test_more_examples_a_batch_than_there_are(folder):
    (batch,) = _numbers(_provider(folder).get_batch(2 * N, seed=0), 1)
    assert sorted(batch) == sorted([*range(N), *range(N)])


def test_shapes_and_values(folder):
    (batch,) = _provider(folder).get_batch(2, shuffle=False).take(1)
    assert {key: tuple(value.shape) for key, value in batch.items()} == {
        "audio": (2, 16000),
        "audio_16k": (2, 16000),
        "f0_hz": (2, 250),
        "f0_confidence": (2, 250),
        "loudness_db": (2, 250),
    }
    np.testing.assert_allclose(batch["audio"][1], 0.01)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"example_secs": 4}, "TFRecordProvider.example_secs = 1"),
        ({"sample_rate": 32000}, "TFRecordProvider.sample_rate = 16000"),
        ({"frame_rate": 50}, "TFRecordProvider.frame_rate = 250"),
    ],
)
def test_wrong_lengths_say_what_to_bind(folder, kwargs, said):
    with pytest.raises(ValueError, match="00000-of-00003 has") as caught:
        _provider(folder, **kwargs).get_batch(2)
    assert said in str(caught.value)


def test_centered_features_say_so(tmp_path):
    _write(
        tmp_path / "data.tfrecord",
        [_example(0, f0_hz=np.ones(251), f0_confidence=np.ones(251), loudness_db=np.ones(251))],
    )
    with pytest.raises(ValueError, match="centered = True"):
        _provider(tmp_path).get_batch(1)
    _provider(tmp_path, centered=True).get_batch(1)


def test_missing_features_are_named(tmp_path):
    from dlwa.ddsp.training import data

    path = tmp_path / "data.tfrecord"
    _write(path, [_example(3, audio_16k=None)])
    with pytest.raises(ValueError, match="LegacyTFRecordProvider"):
        _provider(tmp_path).get_batch(1)
    (batch,) = data.LegacyTFRecordProvider(str(path), example_secs=1).get_batch(1).take(1)
    assert batch["f0_hz"][0, 0] == 3
    _write(path, [_example(3, f0_hz=None)])
    with pytest.raises(ValueError, match="has no f0_hz"):
        _provider(tmp_path).get_batch(1)


def test_no_pattern_no_file_no_record(tmp_path):
    from dlwa.ddsp.training import data

    with pytest.raises(NotImplementedError, match="file_pattern"):
        data.TFRecordProvider().get_batch(1)
    with pytest.raises(FileNotFoundError, match="nothing-here"):
        data.TFRecordProvider(f"{tmp_path}/nothing-here*").get_batch(1)
    (tmp_path / "data.tfrecord").write_bytes(b"")
    with pytest.raises(ValueError, match="matches 1 file without a readable record"):
        _provider(tmp_path).get_batch(1)
    (tmp_path / "data.tfrecord").write_text("this is a text, and not a short one at all")
    with pytest.raises(ValueError, match="without a readable record"):
        _provider(tmp_path).get_batch(1)


def test_a_pattern_that_matches_nothing_shows_what_is_there(folder):
    from dlwa.ddsp.training import data

    with pytest.raises(FileNotFoundError, match="holds data"):
        data.TFRecordProvider(f"{folder}/train.tfrecord*").get_batch(1)
    with pytest.raises(FileNotFoundError, match=f"{folder} holds data"):
        data.TFRecordProvider(f"{folder}/not/here/data.tfrecord*").get_batch(1)


@pytest.mark.parametrize("name", ["strings, plucked", "take [2]"])
def test_folders_with_commas_and_brackets(folder, name):
    from dlwa.ddsp.training import data

    (folder / name).mkdir()
    _write(folder / name / "data.tfrecord", [_example(5)])
    provider = data.TFRecordProvider(f"{folder}/{name}/data.tfrecord*", example_secs=1)
    assert _numbers(provider.get_batch(1), 1) == [[5]]


def test_a_file_of_another_preparation_among_the_files_is_named(folder):
    _write(folder / "data.tfrecord-00003-of-00009", [_example(1, seconds=2)])
    with pytest.raises(ValueError, match=r"00003-of-00009 has .*example_secs = 2"):
        _provider(folder).get_batch(1)


@pytest.mark.parametrize("batch_size", ["16", 16.0, None, 0, -1])
def test_a_batch_size_that_is_no_positive_integer(folder, batch_size):
    with pytest.raises(ValueError, match=r"batch_size=.* must be a positive integer"):
        _provider(folder).get_batch(batch_size)


def test_a_file_cut_short_and_a_damaged_record_are_told_and_the_rest_is_used(folder, caplog):
    path = folder / "data.tfrecord-00001-of-00003"
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // N_PER_FILE + 500] ^= 1  # in record 2
    path.write_bytes(content[:-100])  # record 6 is not whole
    caplog.set_level("WARNING", logger="absl")
    batches = _numbers(_provider(folder).get_batch(1, shuffle=False, repeats=1), 99)
    expected = [n for n in range(N) if n not in (N_PER_FILE + 2, N_PER_FILE + 6)]
    assert np.ravel(batches).tolist() == expected
    told = caplog.text
    assert "data.tfrecord-00001-of-00003 is cut short: record 6" in told
    assert "data.tfrecord-00001-of-00003: record 2 is damaged" in told


def test_zipped_batches_stand_side_by_side_and_resume(folder):
    from dlwa.ddsp.training import data

    zipped = data.ZippedProvider([_provider(folder), _provider(folder)], [0.25, 0.75])
    batches = list(zipped.get_batch(8, seed=2).take(5))
    assert [part["audio"].shape[0] for part in batches[0]] == [2, 6]
    later = list(zipped.get_batch(8, seed=2, start_step=3).take(2))
    for one, other in zip(batches[3:], later, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a["f0_hz"], b["f0_hz"])


def test_mixed_batches_keep_the_shares_and_repeat_themselves(folder, tmp_path_factory):
    from dlwa.ddsp.training import data

    other = tmp_path_factory.mktemp("other")
    _write(other / "data.tfrecord", [_example(n + 100) for n in range(20)])
    mixed = data.MixedProvider([_provider(folder), _provider(other)], [0.8, 0.2])
    numbers = np.ravel(_numbers(mixed.get_batch(10, seed=4), 60))
    assert 0.12 < np.mean(numbers >= 100) < 0.28
    assert np.ravel(_numbers(mixed.get_batch(10, seed=4), 60)).tolist() == numbers.tolist()


def test_sources_of_different_rates_are_refused(folder):
    from dlwa.ddsp.training import data

    with pytest.raises(ValueError, match="same sample_rate"):
        data.ZippedProvider([_provider(folder), _provider(folder, sample_rate=32000)])


def test_notes_and_recordings_can_stand_side_by_side(folder):
    """Fine-tuning in inverse synthesis zips them; what is measured has the usual frame rate."""
    from dlwa.ddsp.training import data

    notes = data.SyntheticNotes(125, 100, 65, "nowhere")
    assert data.ZippedProvider([notes, _provider(folder)]).frame_rate == 250


def test_mixed_batches_resume_where_they_stopped(folder, tmp_path_factory):
    from dlwa.ddsp.training import data

    other = tmp_path_factory.mktemp("other")
    _write(other / "data.tfrecord", [_example(n + 100) for n in range(7)])
    mixed = data.MixedProvider([_provider(folder), _provider(other)], [0.6, 0.4])
    whole = np.ravel(_numbers(mixed.get_batch(4, seed=3), 40)).tolist()
    for start in (1, 9, 30):
        later = np.ravel(_numbers(mixed.get_batch(4, seed=3, start_step=start), 40 - start))
        assert later.tolist() == whole[4 * start :]


def test_notes_of_another_size_say_what_to_bind(tmp_path):
    from dlwa.ddsp.training import data

    t, h, m = 5, 3, 2
    sizes = {"f0_hz": 1, "harm_amp": 1, "harm_dist": h, "sin_amps": h, "sin_freqs": h}
    sizes["noise_magnitudes"] = m
    notes = {name: np.ones(t * size, np.float32) for name, size in sizes.items()}
    from dlwa.ddsp.training.data_preparation._records import encode_example

    _write(tmp_path / "data.tfrecord", [encode_example(notes)])
    provider = data.SyntheticNotes(4, 100, m, f"{tmp_path}/data*")
    with pytest.raises(ValueError) as caught:
        provider.get_batch(1)
    said = "Its lengths say: SyntheticNotes.n_timesteps = 5, SyntheticNotes.n_harmonics = 3"
    assert str(caught.value).endswith(said)


def test_synthetic_notes_are_read_back_in_their_shapes(tmp_path):
    import tensorflow as tf

    from dlwa.ddsp.training import data

    t, h, m = 5, 3, 2
    channels = {
        "f0_hz": 1,
        "harm_amp": 1,
        "harm_dist": h,
        "sin_amps": h,
        "sin_freqs": h,
        "noise_magnitudes": m,
    }
    values = {key: np.arange(t * c, dtype=np.float32) for key, c in channels.items()}
    example = tf.train.Example(
        features=tf.train.Features(
            feature={
                key: tf.train.Feature(float_list=tf.train.FloatList(value=value))
                for key, value in values.items()
            }
        )
    ).SerializeToString()
    _write(tmp_path / "notes.tfrecord", [example])
    provider = data.SyntheticNotes(t, h, m, file_pattern=str(tmp_path / "notes*"))
    (batch,) = provider.get_batch(1).take(1)
    for key, c in channels.items():
        np.testing.assert_array_equal(batch[key][0], values[key].reshape(t, c))


def test_urmp_file_names_and_notes(tmp_path):
    import tensorflow as tf

    from dlwa.ddsp.training import data

    n_frames = 1000
    notes = np.zeros([n_frames, 128], np.float32)
    notes[100:200, 60] = 90
    onsets = np.zeros_like(notes)
    onsets[100, 60] = 1
    floats = {
        "audio": np.zeros(64000), "f0_hz": np.full(n_frames, 261.6),
        "f0_confidence": np.ones(n_frames), "loudness_db": np.zeros(n_frames),
        "power_db": np.zeros(n_frames), "note_active_velocities": notes,
        "note_active_frame_indices": notes, "note_onsets": onsets, "note_offsets": onsets * 0,
    }  # fmt: skip
    feature = {
        key: tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(value)))
        for key, value in floats.items()
    }
    for key, text in (("recording_id", b"r1"), ("instrument_id", b"cl")):
        feature[key] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))
    example = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
    _write(tmp_path / "urmp_cl_solo_ddsp_conditioning_test.tfrecord-00000-of-00001", [example])
    provider = data.UrmpMidi(str(tmp_path), instrument_key="cl", split="test")
    (batch,) = provider.get_batch(1).take(1)
    assert batch["note_active_velocities"].shape == (1, n_frames, 128)
    assert batch["f0_hz"].shape == (1, n_frames, 1)
    assert int(batch["instrument_id"][0]) == 6
    assert batch["note_onsets"].numpy()[0].nonzero()[0].tolist() == [100]
    assert set(batch["midi"].numpy()[0, 100:200]) == {60}
    with pytest.raises(ValueError, match="instrument_key='oboe'"):
        data.Urmp(str(tmp_path), instrument_key="oboe")
    whole = data.UrmpMidiUnsegmented(str(tmp_path), instrument_key="cl", split="test")
    (batch,) = whole.get_batch(1).take(1)
    assert batch["note_active_velocities"].shape == (1, n_frames, 128)


def test_nsynth_says_which_package_it_needs(monkeypatch):
    import sys

    from dlwa.ddsp.training import data

    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'dlwa\[nsynth\]'"):
        data.NSynthTfds(data_dir="/nowhere").get_batch(2)
