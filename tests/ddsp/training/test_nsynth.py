"""NSynth through tensorflow_datasets, on a small data set in the format of that builder."""

import importlib.util

import numpy as np
import pytest

from dlwa import runfiles
from tests.ddsp.training.commands import ddsp_run

pytestmark = [
    pytest.mark.ddsp,
    pytest.mark.integration,
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow_datasets") is None,
        reason="needs tensorflow_datasets: pip install 'dlwa[nsynth]'",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of that library's own
]

NAME = "nsynth/gansynth_subset.f0_and_loudness:2.3.0"
N_EXAMPLES = {"train": 6, "valid": 2, "test": 2}
SMALL = [
    "MfccTimeDistributedRnnEncoder.rnn_channels=8",
    "RnnFcDecoder.rnn_channels=8",
    "RnnFcDecoder.ch=8",
    "RnnFcDecoder.output_splits="
    "(('amps', 1), ('harmonic_distribution', 10), ('noise_magnitudes', 9))",
    "SpectralLoss.fft_sizes=(256, 64)",
    "batch_size=2",
    "train.num_steps=2",
    "train.steps_per_save=2",
]


def _note(number, split):
    """One note with everything the builder says of it; the pitch tells which."""
    time = np.arange(64000) / 16000
    f0_hz = 220.0 + number
    return {
        "id": f"{split}_{number}",
        "audio": (0.3 * np.sin(2 * np.pi * f0_hz * time)).astype(np.float32),
        "pitch": 57,
        "velocity": 100,
        "instrument": {"label": number, "family": "guitar", "source": "acoustic"},
        "qualities": dict.fromkeys(_features()["qualities"], False),
        "f0": {
            "hz": np.full(1000, f0_hz, np.float32),
            "midi": np.full(1000, 57, np.float32),
            "confidence": np.ones(1000, np.float32),
        },
        "loudness": {"db": np.full(1000, -20, np.float32)},
    }


def _features():
    import tensorflow_datasets as tfds

    return tfds.builder(NAME, data_dir="/nowhere").info.features


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """A data_dir as `tfds build` leaves it, with notes of our own."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    root = tmp_path_factory.mktemp("tfds")
    features = _features()
    folder = root / "nsynth" / "gansynth_subset.f0_and_loudness" / "2.3.0"
    folder.mkdir(parents=True)
    template = tfds.core.ShardedFileTemplate(
        data_dir=folder, dataset_name="nsynth", filetype_suffix="tfrecord"
    )
    infos = []
    for split, count in N_EXAMPLES.items():
        path = folder / f"nsynth-{split}.tfrecord-00000-of-00001"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for number in range(count):
                note = features.encode_example(_note(number, split))
                writer.write(features.serialize_example(note))
        infos.append(
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=[count],
                num_bytes=path.stat().st_size,
                filename_template=template.replace(split=split),
            )
        )
    tfds.folder_dataset.write_metadata(data_dir=folder, features=features, split_infos=infos)
    return root


def _provider(data_dir, split="train", **kwargs):
    from dlwa.ddsp.training import data

    return data.NSynthTfds(split=split, data_dir=str(data_dir), **kwargs)


def _pitches(dataset):
    return [round(float(f)) - 220 for batch in dataset for f in batch["f0_hz"][:, 0]]


def test_a_folder_without_it_is_told(tmp_path):
    provider = _provider(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"NSynthTfds\.data_dir") as caught:
        provider.get_batch(1)
    assert str(tmp_path) in str(caught.value) and "nsynth/gansynth_subset" in str(caught.value)


def test_an_unknown_split_is_told(data_dir):
    with pytest.raises(ValueError, match="split='train2' is none of test, train, valid"):
        _provider(data_dir, "train2").get_batch(1)


def test_a_batch_holds_what_models_read(data_dir):
    (batch,) = _provider(data_dir).get_batch(6, shuffle=False).take(1)
    shapes = {name: tuple(value.shape) for name, value in batch.items()}
    assert shapes == {
        "audio": (6, 64000),
        "f0_hz": (6, 1000),
        "f0_confidence": (6, 1000),
        "loudness_db": (6, 1000),
        **dict.fromkeys(("pitch", "instrument", "instrument_family", "instrument_source"), (6,)),
    }
    assert batch["instrument"].numpy().tolist() == list(range(6))
    np.testing.assert_allclose(np.abs(batch["audio"]).max(axis=1), 0.3, atol=1e-3)
    (bare,) = _provider(data_dir, include_note_labels=False).get_batch(1).take(1)
    assert set(bare) == {"audio", "f0_hz", "f0_confidence", "loudness_db"}


def test_splits_are_apart_and_an_interrupted_pass_goes_on_where_it_was(data_dir):
    assert sorted(_pitches(_provider(data_dir, "valid").get_batch(2, repeats=1))) == [0, 1]
    provider = _provider(data_dir)
    whole = _pitches(provider.get_batch(2, seed=5).take(9))
    assert sorted(whole[:6]) == sorted(whole[6:12]) == list(range(6))
    assert whole[:6] != whole[6:12]
    later = _pitches(provider.get_batch(2, seed=5, start_step=4).take(5))
    assert later == whole[8:]


def test_the_autoencoder_of_the_paper_trains_evaluates_and_samples(data_dir, tmp_path):
    """papers/iclr2020/nsynth_ae.gin (Engel et al. 2020), with smaller networks."""
    words = ["papers/iclr2020/nsynth_ae.gin", f"NSynthTfds.data_dir='{data_dir}'", *SMALL]
    assert ddsp_run("train", tmp_path, *words) == 0
    assert (tmp_path / "ckpt-2.index").exists()
    look = ["datasets/nsynth.gin", "eval/basic_f0_ld.gin", f"NSynthTfds.data_dir='{data_dir}'"]
    sizes = ["evaluate.batch_size=2", "evaluate.num_batches=1", "sample.batch_size=2"]
    flags = ["--run_once", *sizes]
    assert ddsp_run("eval", tmp_path, *look, *flags) == 0
    assert runfiles.last_line(tmp_path / "eval.jsonl")["results"]["losses/spectral_loss"] > 0
    assert ddsp_run("sample", tmp_path, *look, *flags) == 0
