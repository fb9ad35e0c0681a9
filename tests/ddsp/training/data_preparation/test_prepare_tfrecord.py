"""Recordings become datasets: what is in the records, what is refused, and that it repeats."""

import json
import os

import numpy as np
import pytest
import soundfile

from dlwa.ddsp.audio_io import write_audio
from dlwa.ddsp.training import postprocessing
from dlwa.ddsp.training.data_preparation import prepare_tfrecord_lib as lib
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._dataset_files import write_papers
from dlwa.ddsp.training.data_preparation._sources import files_in_folder
from tests.ddsp.tones import GOLDEN, RATE, melody, steady

pytestmark = pytest.mark.ddsp

LENGTHS = {
    "audio": 64000,
    "audio_16k": 64000,
    "f0_hz": 1000,
    "f0_confidence": 1000,
    "loudness_db": 1000,
}


def read(paths, lengths=None):
    """All examples of some shards, by the schema readers of DDSP datasets use."""
    import tensorflow as tf

    schema = {
        name: tf.io.FixedLenFeature([n], tf.float32) for name, n in (lengths or LENGTHS).items()
    }
    dataset = tf.data.TFRecordDataset([str(p) for p in paths])
    return [
        {k: v.numpy() for k, v in tf.io.parse_single_example(record, schema).items()}
        for record in dataset
    ]


def prepare(folder, out, papers=False, cache=None, **settings):
    settings = lib.Settings(pitch_model="tiny", **settings)
    out.mkdir(parents=True, exist_ok=True)
    return lib.prepare(
        files_in_folder(folder),
        out / "data.tfrecord",
        settings,
        3,
        folder=folder,
        finish=(lambda prepared: write_papers(prepared, out)) if papers else None,
        cache=cache,
    )


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Six recordings of 8 s, different melodies."""
    folder = tmp_path_factory.mktemp("recordings")
    for i in range(6):
        write_audio(folder / f"take {i}.wav", melody(8.0, seed=i)[0], RATE)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """For tests that claim nothing of the measuring: the six recordings are measured once."""
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def dataset(recordings, cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("dataset")
    return prepare(recordings, out, papers=True, cache=cache), out


def test_records_have_the_features_readers_expect(dataset):
    prepared, out = dataset
    shards = sorted(out.glob("data.tfrecord*"))
    assert [p.name for p in shards] == [f"data.tfrecord-0000{i}-of-00003" for i in range(3)]
    examples = read(shards)
    assert len(examples) == len(prepared.train.windows) == 25
    for example in examples:
        np.testing.assert_array_equal(example["audio"], example["audio_16k"])
        assert np.abs(example["audio"]).max() > 0.05
        assert (example["f0_confidence"] <= 1).all()
        assert (example["loudness_db"] >= -80).all()


def test_features_describe_the_audio_beside_them(dataset):
    """Pitch and loudness computed again from each stored window agree with the stored ones."""
    from dlwa.ddsp.pitch import compute_f0
    from dlwa.ddsp.spectral_ops import compute_loudness

    for example in read(sorted(dataset[1].glob("data.tfrecord*")))[:4]:
        middle = slice(50, 950)  # away from the ends, where the windows' neighbours are missing
        f0_hz, confidence = compute_f0(example["audio"], 250, model="tiny")
        clear = (confidence[:1000] > 0.7)[middle]
        cents = 1200 * np.log2(f0_hz[:1000][middle] / example["f0_hz"][middle])[clear]
        assert (np.abs(cents) < 10).mean() > 0.99
        loudness = compute_loudness(example["audio"], use_tf=False)[:1000]
        np.testing.assert_allclose(loudness[middle], example["loudness_db"][middle], atol=0.01)


def test_the_heldout_recording_is_nowhere_in_the_training_records(dataset):
    prepared, out = dataset
    assert prepared.how_split == "whole recordings"
    assert not set(prepared.train.names) & set(prepared.heldout.names)
    assert len(prepared.train.names) == 5
    heldout = read(sorted(out.glob("heldout.tfrecord*")))
    assert len(heldout) == 5
    train = {e["audio"][20000:20400].tobytes() for e in read(sorted(out.glob("data.tfrecord*")))}
    for example in heldout:
        assert example["audio"][20000:20400].tobytes() not in train


def test_two_runs_write_the_same_bytes(recordings, dataset, tmp_path):
    prepare(recordings, tmp_path, papers=True)
    for path in sorted(dataset[1].iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        p.name for p in dataset[1].iterdir()
    )


def test_the_split_follows_the_sound_not_the_name(recordings, dataset, cache, tmp_path):
    """Renamed recordings are held out just the same."""
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    names = {}
    for i, path in enumerate(sorted(recordings.iterdir(), reverse=True)):
        (renamed / f"{i}.wav").write_bytes(path.read_bytes())
        names[f"{i}.wav"] = path.name
    again = prepare(renamed, tmp_path / "out", cache=cache)
    assert [names[n] for n in again.heldout.names] == dataset[0].heldout.names


def test_papers_tell_what_was_done(dataset):
    _, out = dataset
    document = json.loads((out / "dataset.json").read_text())
    assert len(document["used"]) == 6
    assert document["settings"]["sample_rate"] == 16000
    assert document["train"]["windows"] == 25
    assert document["train"]["silent_share"] < 0.3
    assert len(document["heldout"]["files"]) == 1
    assert document["used"][0]["clear_pitch_share"] > 0.5
    statistics = postprocessing.load_statistics(out)
    assert 55 <= statistics["mean_pitch_note"] <= 80
    assert (out / "dataset_statistics.pkl").is_file()


def test_one_recording_is_split_in_time(tmp_path):
    (tmp_path / "in").mkdir()
    write_audio(tmp_path / "in" / "a.wav", melody(24.0)[0], RATE)
    prepared = prepare(tmp_path / "in", tmp_path / "out")
    assert prepared.how_split == "the end of the longest recording"
    train, heldout = prepared.train.windows, prepared.heldout.windows
    assert len(heldout) >= 1
    last = max(p.stop for w in train for p in w.strip)
    first = min(p.start for w in heldout for p in w.strip)
    assert last <= first


def test_too_little_audio_is_used_whole(tmp_path):
    (tmp_path / "in").mkdir()
    write_audio(tmp_path / "in" / "a.wav", melody(9.0)[0], RATE)
    prepared = prepare(tmp_path / "in", tmp_path / "out")
    assert prepared.heldout.windows == []
    assert "too little" in prepared.how_split
    assert not list((tmp_path / "out").glob("heldout*"))


def test_short_notes_are_joined_instead_of_padded_with_silence(tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(16):
        note = steady(220 * 2 ** (i / 12), 0.6)
        write_audio(tmp_path / "in" / f"{i:02d}.wav", note, RATE)
    prepared = prepare(tmp_path / "in", tmp_path / "out", heldout_fraction=0.0)
    assert len(prepared.materials) == 16
    assert prepared.train.silent_share < 0.05
    for example in read(prepared.shards):
        rms = np.sqrt(np.mean(example["audio"].reshape(40, -1) ** 2, axis=1))
        assert (rms > 0.05).all()


def test_long_rests_do_not_fill_the_dataset(tmp_path):
    (tmp_path / "in").mkdir()
    phrase, rest = steady(440, 3.0), np.zeros(8 * RATE, np.float32)
    audio = np.concatenate([phrase, rest, phrase, rest, phrase, rest])
    write_audio(tmp_path / "in" / "a.wav", audio, RATE)
    prepared = prepare(tmp_path / "in", tmp_path / "out", heldout_fraction=0.0)
    assert prepared.train.seconds < 11
    assert prepared.train.silent_share < 0.25
    for example in read(prepared.shards):
        assert (example["loudness_db"] > -60).mean() > 0.5


def test_almost_enough_is_filled_up_and_far_too_little_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    write_audio(tmp_path / "in" / "a.wav", steady(440, 3.0), RATE)
    prepared = prepare(tmp_path / "in", tmp_path / "out")
    (example,) = read(prepared.shards)
    assert (example["audio"][: 3 * RATE - 100] != 0).mean() > 0.9
    assert (example["audio"][int(3.5 * RATE) :] == 0).all()
    write_audio(tmp_path / "in" / "a.wav", steady(440, 1.0), RATE)
    with pytest.raises(lib.PreparationError, match=r"only 1\.\d s of sound"):
        prepare(tmp_path / "in", tmp_path / "out2")
    assert list((tmp_path / "out2").iterdir()) == []


def test_centred_windows_have_one_frame_more(tmp_path):
    (tmp_path / "in").mkdir()
    write_audio(tmp_path / "in" / "a.wav", melody(6.0)[0], RATE)
    prepared = prepare(tmp_path / "in", tmp_path / "out", center=True, example_secs=2)
    lengths = dict(LENGTHS, audio=32000, audio_16k=32000)
    lengths.update(dict.fromkeys(("f0_hz", "f0_confidence", "loudness_db"), 501))
    examples = read(prepared.shards, lengths)
    assert all(e["f0_hz"][-1] > 30 for e in examples)


@pytest.mark.parametrize("rate", [32000, 44100, 48000])
def test_other_rates_keep_audio_and_features_together(tmp_path, rate):
    """A tone that starts late starts at the same time in both audios and in the loudness."""
    (tmp_path / "in").mkdir()
    tone = np.concatenate([0.001 * steady(330, 1.5, rate), steady(330, 3.5, rate)])
    write_audio(tmp_path / "in" / "a.wav", tone, rate)
    prepared = prepare(
        tmp_path / "in", tmp_path / "out", sample_rate=rate, frame_rate=50, heldout_fraction=0.0
    )
    lengths = {"audio": 4 * rate, "audio_16k": 64000, "f0_hz": 200, "loudness_db": 200}
    for example in read(prepared.shards, lengths):
        loud = {name: np.argmax(np.abs(example[name]) > 0.1) for name in ("audio", "audio_16k")}
        start_s = loud["audio"] / rate
        assert start_s == pytest.approx(loud["audio_16k"] / 16000, abs=0.002)
        loudness = example["loudness_db"]
        assert np.argmax(loudness > loudness.max() - 10) / 50 == pytest.approx(start_s, abs=0.04)


def bad_files(folder):
    """Every kind of unusable file, and what is said about it."""
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("this is a diary\n" * 50)
    soundfile.write(folder / "silent.wav", np.zeros(3 * RATE), RATE)
    soundfile.write(folder / "hiss.wav", np.full(3 * RATE, 1e-4), RATE, "FLOAT")
    soundfile.write(folder / "blink.wav", np.zeros(100), RATE)
    write_audio(folder / "cut.flac", melody(3.0)[0], RATE)
    (folder / "cut.flac").write_bytes((folder / "cut.flac").read_bytes()[:20000])
    return {
        "empty.wav": "is empty",
        "text.wav": "is not readable audio",
        "silent.wav": "is silent (every sample is zero)",
        "hiss.wav": "is silent (its loudest sample is -80 dB",
        "blink.wav": "is too short",
        "cut.flac": "is damaged",
    }


def test_bad_files_are_listed_with_reasons_and_good_ones_of_any_kind_used(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub folder" / "ünï").mkdir(parents=True)
    reasons = bad_files(folder)
    good, _ = melody(5.0, seed=9, rate=96000)
    soundfile.write(folder / "96k.WAV", np.stack([good, good], 1), 96000, "PCM_24")
    soundfile.write(folder / "8bit.wav", melody(5.0, seed=8)[0], RATE, "PCM_U8")
    soundfile.write(folder / "short.wav", steady(440, 0.3), RATE)
    write_audio(folder / "sub folder" / "ünï" / "ä b.flac", melody(5.0, seed=7)[0], RATE)
    (folder / "copy.wav").write_bytes((folder / "8bit.wav").read_bytes())
    prepared = prepare(folder, tmp_path / "out")
    refused = {r.name: r.reason for r in prepared.refused}
    for name, reason in reasons.items():
        assert refused.pop(name).startswith(reason)
    assert refused == {"copy.wav": "is the same recording as 8bit.wav"}
    used = {m.recording.source.name for m in prepared.materials}
    assert used == {"96k.WAV", "8bit.wav", "short.wav", "sub folder/ünï/ä b.flac"}
    assert not list((tmp_path / "out").glob(".*"))


def test_an_unreadable_file_is_refused_and_the_rest_used(tmp_path, monkeypatch):
    from dlwa.ddsp.audio_io import AudioFileError
    from dlwa.ddsp.training.data_preparation import _sources

    probe = _sources.probe

    def forbidden(path):
        if path.name == "locked.wav":
            raise AudioFileError(path, "may not be read (permission denied)")
        return probe(path)

    for name in ("locked.wav", "open.wav"):
        write_audio(tmp_path / name, melody(5.0, seed=len(name))[0], RATE)
    if os.geteuid():
        (tmp_path / "locked.wav").chmod(0)
    else:
        monkeypatch.setattr(_sources, "probe", forbidden)
    prepared = prepare(tmp_path, tmp_path / "out")
    assert [r.reason for r in prepared.refused] == ["may not be read (permission denied)"]


def test_a_full_disk_leaves_nothing_behind(recordings, cache, tmp_path, monkeypatch):
    from dlwa.ddsp.training.data_preparation import _records

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_records, "encode_example", full)
    with pytest.raises(OSError, match="No space"):
        prepare(recordings, tmp_path / "out", cache=cache)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"frame_rate": 60}, "frame_rate=60 must divide 16000"),
        ({"sample_rate": 0}, "sample_rate=0 must be positive"),
        ({"example_secs": 0.001}, "shorter than one frame"),
        ({"heldout_fraction": 1.0}, "heldout_fraction=1.0 must be at least 0 and below 1"),
    ],
)
def test_impossible_settings_are_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        lib.Settings(**settings)


def test_the_reference_way_gives_the_recorded_numbers(tmp_path):
    golden = np.load(GOLDEN / "data_pipeline.npz")
    kwargs = json.loads(str(golden["params"]))["kwargs"]
    rate = int(golden["in_wav_rate"])
    soundfile.write(tmp_path / "a.wav", golden["in_wav"], rate, "PCM_16")
    loaded = lib._load_audio_as_array(tmp_path / "a.wav", 16000)
    np.testing.assert_array_equal(np.round(loaded * 32767), golden["out_loaded_times32767"])

    lib.prepare_tfrecord(
        [str(tmp_path / "a.wav")], str(tmp_path / "d.tfrecord"), num_shards=2, compat=True, **kwargs
    )
    shards = sorted(tmp_path.glob("d.tfrecord*"))
    assert [p.name for p in shards] == ["d.tfrecord-00000-of-00002", "d.tfrecord-00001-of-00002"]
    lengths = {"audio": 16000, "audio_16k": 16000}
    lengths.update(dict.fromkeys(("f0_hz", "f0_confidence", "loudness_db"), 250))
    audio = golden["out_audio_times32767"]
    examples = read(shards, lengths)
    assert len(examples) == len(audio)
    for example in examples:
        as_integers = np.round(example["audio"] * 32767)
        (i,) = [i for i in range(len(audio)) if np.array_equal(audio[i], as_integers)]
        for name in ("f0_hz", "f0_confidence", "loudness_db"):
            np.testing.assert_allclose(example[name], golden[f"out_{name}"][i], rtol=2e-4)


def test_the_reference_way_pads_chunks_with_silence(tmp_path):
    """What its users know: 10 s become 17 windows, because 10 s of silence are added."""
    write_audio(tmp_path / "a.wav", melody(10.0)[0], RATE)
    example = lib._load_audio(tmp_path / "a.wav", RATE)
    (chunk,) = lib._chunk_audio(example, RATE, 20.0)
    assert len(chunk["audio"]) == 20 * RATE
    assert len(list(lib._split_example(chunk, RATE, 250, 4, 1, False))) == 17


def test_eval_split_of_the_old_flag_gives_the_old_names(recordings, tmp_path):
    lib.prepare_tfrecord(
        [str(recordings / "*.wav")],
        str(tmp_path / "x.tfrecord"),
        num_shards=2,
        eval_split_fraction=0.2,
        pitch_model="tiny",
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "x.tfrecord-eval-00000-of-00001",
        "x.tfrecord-train-00000-of-00002",
        "x.tfrecord-train-00001-of-00002",
    ]


def test_the_packed_example_is_what_protobuf_packs():
    import tensorflow as tf

    values = {"b": np.arange(300, dtype=np.float32), "a": np.array([1.5], np.float32)}
    example = lib._float_dict_to_tfexample(values)
    assert sorted(example.features.feature) == ["a", "b"]
    for name, array in values.items():
        np.testing.assert_array_equal(example.features.feature[name].float_list.value, array)
    again = tf.train.Example.FromString(example.SerializeToString())
    assert again == example
