"""The papers' pipelines from data to sounds, by the commands as they are typed."""

import numpy as np
import pytest

from dlwa import runfiles
from tests.ddsp.training.commands import ddsp_run, generate, write_records

pytestmark = [pytest.mark.ddsp, pytest.mark.integration]

SIZES = ["data.SyntheticNotes.n_harmonics=10", "data.SyntheticNotes.n_mags=9"]
SMALL = [
    *SIZES,
    "ResnetSinusoidalEncoder.size='tiny'",
    "ResnetSinusoidalEncoder.output_splits="
    "(('frequencies', 640), ('amplitudes', 10), ('noise_magnitudes', 9))",
    "SinusoidalToHarmonicEncoder.n_harmonics=10",
    "f0_spectral/compute_logmel.bins=32",
    "RnnSandwich.fc_stack_ch=16",
    "RnnSandwich.rnn_ch=16",
    "batch_size=1",
    "train.steps_per_save=15",
    "train.steps_per_summary=10",
]
# The configuration of a training does not say how it is evaluated.
LOOK = ["--run_once", "eval/basic_f0_ld_twm.gin"]


@pytest.fixture(scope="module")
def inverse_synthesis(tmp_path_factory):
    """Inverse synthesis (Engel et al. 2020): notes, pre-training, fine-tuning."""
    root = tmp_path_factory.mktemp("icml2020")
    notes = [
        "generate_examples.generate_fn=@data_preparation.synthetic_data.generate_notes_v2",
        "generate_notes_v2.n_harmonics=10",
        "generate_notes_v2.n_mags=9",
    ]
    prefix = root / "notes" / "notes.tfrecord"
    assert generate(prefix, "--num_examples=60", "--num_shards=2", *notes) == 0
    write_records(root / "recorded" / "train.tfrecord-0", 4, seconds=4)
    write_records(root / "recorded" / "test.tfrecord-0", 2, seconds=4, seed=1)
    pretrain = [f"papers/icml2020/pretrain_{part}.gin" for part in ("model", "dataset")]
    words = [*pretrain, *_data(root)[:1], "train.num_steps=15", *SMALL]
    assert ddsp_run("train", root / "pretrained", *words) == 0
    finetune = [f"papers/icml2020/finetune_{part}.gin" for part in ("model", "dataset")]
    words = [*finetune, *_data(root), "train.num_steps=20", *SMALL]
    restore = f"--restore_dir={root / 'pretrained'}"
    assert ddsp_run("train", root / "finetuned", restore, *words) == 0
    return root


def _data(root):
    return [
        f"data.SyntheticNotes.file_pattern='{root}/notes/notes.tfrecord*'",
        f"train_data/TFRecordProvider.file_pattern='{root}/recorded/train*'",
        f"test_data/TFRecordProvider.file_pattern='{root}/recorded/test*'",
    ]


def test_pre_training_learns_the_notes_and_fine_tuning_goes_on_from_there(inverse_synthesis):
    root = inverse_synthesis
    first, last = _losses(root / "pretrained")
    assert last["ss_kde_consistency_loss"] < 0.5 * first["ss_kde_consistency_loss"]
    # The first paper's stage has no audio loss, the second has.
    assert first["sin_spectral_loss"] == 0 and first["total_loss"] > 0
    first, last = _losses(root / "finetuned")
    assert (first["step"], last["step"]) == (16, 20)
    assert first["sin_spectral_loss"] > 0 and first["harm_spectral_loss"] > 0
    assert {"ss_harm_amp_loss", "ss_f0_hz_loss", "kde_consistency_loss"} <= set(first)


def _losses(folder):
    lines = [line for line in runfiles.read_lines(folder / runfiles.METRICS_FILE) if "step" in line]
    flat = [{**line, **line.get("losses", {})} for line in lines]
    return flat[0], flat[-1]


@pytest.fixture(scope="module")
def looked_at(inverse_synthesis):
    """What fine-tuning gave, measured and played in one pass."""
    root = inverse_synthesis
    words = [*LOOK, "papers/icml2020/finetune_dataset.gin", *_data(root), "evaluate.batch_size=2"]
    both = ["evaluate.num_batches=1", "evaluate.evaluate_and_sample=True"]
    assert ddsp_run("eval", root / "finetuned", *words, *both) == 0
    return root


def test_its_evaluation_measures_pitch_by_two_ways(looked_at):
    root = looked_at
    line = runfiles.last_line(root / "finetuned" / "eval.jsonl")
    results = line["results"]
    assert line["step"] == 20
    for name in ("f0", "f0_twm"):
        assert 0 <= results[f"metrics/{name}/raw_pitch_accuracy"] <= 1
        assert (
            results[f"metrics/{name}/raw_chroma_accuracy"]
            >= (results[f"metrics/{name}/raw_pitch_accuracy"])
        )
    assert results["losses/total_loss"] > 0 and results["metrics/loudness/loudness_db"] > 0
    assert all(np.isfinite(value) for value in results.values())


def test_synthetic_notes_are_evaluated_on_the_sound_they_mean(inverse_synthesis):
    root = inverse_synthesis
    words = [*LOOK, "papers/icml2020/pretrain_dataset.gin", *_data(root)[:1], *SIZES]
    small = ["evaluate.batch_size=2", "evaluate.num_batches=1"]
    assert ddsp_run("eval", root / "pretrained", *words, *small) == 0
    results = runfiles.last_line(root / "pretrained" / "eval.jsonl")["results"]
    assert results["losses/ss_kde_consistency_loss"] > 0
    assert 0 < results["metrics/loudness/loudness_db"] < 80


def test_its_samples_can_be_heard(looked_at):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    root = looked_at
    events = EventAccumulator(str(root / "finetuned" / "summaries" / "eval"), {"tensors": 0})
    events.Reload()
    tags = set(events.Tags()["tensors"])
    assert {"audio_generated", "audio_original", "spectrogram/1", "f0_midi/f0_twm_2"} <= tags
