"""Evaluating and sampling: what is measured and shown, read back from the files."""

import numpy as np
import pytest

from dlwa import runfiles
from tests.ddsp.training import small_run

pytestmark = pytest.mark.ddsp


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    """A data set, and an untrained debug instrument with two checkpoints."""
    import gin
    import tensorflow as tf

    from dlwa.ddsp.training import gin_util, models, trainers

    folder = tmp_path_factory.mktemp("evaluated")
    small_run.write_dataset(folder / "data", 5)
    gin.clear_config()
    config = gin_util.Config()
    for name in ("optimization/base.gin", "eval/basic_f0_ld.gin", *small_run.GIN_FILES):
        config.add_file(name)
    config.add_params([f"TFRecordProvider.file_pattern='{folder}/data/data*'"])
    config.check()
    trainer = trainers.Trainer(models.get_model(), tf.distribute.get_strategy())
    (batch,) = _provider(folder).get_batch(2).take(1)
    for _ in range(2):
        trainer.train_step(batch)
        trainer.save(str(folder / "model"))
    yield folder
    gin.clear_config()


def _provider(folder):
    from dlwa.ddsp.training import data

    return data.TFRecordProvider(f"{folder}/data/data*", example_secs=1)


def _look(folder, out, mode, **kwargs):
    from dlwa.ddsp.training import eval_util, evaluators, models

    function = {"eval": eval_util.evaluate, "sample": eval_util.sample}[mode]
    function(
        data_provider=_provider(folder),
        model=models.get_model(),
        evaluator_classes=[evaluators.BasicEvaluator, evaluators.F0LdEvaluator],
        save_dir=str(out),
        restore_dir=str(folder / "model"),
        **{"batch_size": 2, "num_batches": 2, "run_once": True, **kwargs},
    )


def _events(out):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(out / "summaries" / "eval"), {"tensors": 0})
    events.Reload()
    return events


def test_evaluation_measures_losses_loudness_and_pitch(model_folder, tmp_path):
    _look(model_folder, tmp_path, "eval")
    (line,) = runfiles.read_lines(tmp_path / "eval.jsonl")
    assert line["step"] == 2 and line["checkpoint"].endswith("ckpt-2")
    results = line["results"]
    assert results["losses/total_loss"] == results["losses/spectral_loss"] > 0
    assert results["metrics/loudness/loudness_db"] > 0
    # This decoder plays the pitch it is given.
    assert results["metrics/f0/f0_dist"] == pytest.approx(0, abs=1e-3)
    assert results["metrics/f0/raw_pitch_accuracy"] == 1.0
    events = _events(tmp_path)
    assert set(results) <= set(events.Tags()["tensors"])
    assert [e.step for e in events.Tensors("losses/total_loss")] == [2]


def test_evaluating_twice_gives_the_same_numbers(model_folder, tmp_path):
    for name in ("one", "two"):
        _look(model_folder, tmp_path / name, "eval")
    one, two = (
        next(runfiles.read_lines(tmp_path / name / "eval.jsonl"))["results"]
        for name in ("one", "two")
    )
    assert one == two


def test_sampling_writes_sounds_and_pictures(model_folder, tmp_path):
    import tensorflow as tf

    _look(model_folder, tmp_path, "sample", num_batches=1)
    events = _events(tmp_path)
    tags = set(events.Tags()["tensors"])
    assert {"audio_generated", "audio_original", "waveform/full_1", "waveform/125ms_2"} <= tags
    assert {"spectrogram/1", "spectrogram/2"} <= tags
    assert not [tag for tag in tags if tag.startswith("losses")]
    encoded = tf.make_ndarray(events.Tensors("audio_original")[0].tensor_proto)
    audio, rate = tf.audio.decode_wav(np.ravel(encoded)[0])
    (batch,) = _provider(model_folder).get_batch(2, shuffle=False).take(1)
    assert int(rate) == 16000
    np.testing.assert_allclose(audio[:, 0], batch["audio"][0], atol=1e-4)


def test_a_data_set_smaller_than_a_batch_is_told(model_folder, tmp_path):
    with pytest.raises(ValueError, match="batch_size"):
        _look(model_folder, tmp_path, "eval", batch_size=50, num_batches=0)


def test_without_a_checkpoint(model_folder, tmp_path):
    from dlwa.ddsp.training import eval_util, models

    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        eval_util.evaluate(
            _provider(model_folder), models.get_model(), [], str(tmp_path), run_once=True
        )


@pytest.mark.integration
def test_every_checkpoint_of_a_running_training_is_evaluated_in_turn(model_folder, tmp_path):
    _look(model_folder, tmp_path, "eval", run_once=False, run_until_step=2, num_batches=1)
    assert [line["step"] for line in runfiles.read_lines(tmp_path / "eval.jsonl")] == [2]
