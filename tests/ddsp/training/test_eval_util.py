"""Evaluating and sampling: what is measured and shown, read back from the files."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from dlwa import runfiles
from tests.ddsp.training import small_run

pytestmark = [
    pytest.mark.ddsp,
    pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions"),
]
DONE = {"state": "finished"}


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


@pytest.fixture
def without_a_graph():
    """Making the graph takes longest, and that an evaluation has one is tried twice below."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def _provider(folder):
    from dlwa.ddsp.training import data

    return data.TFRecordProvider(f"{folder}/data/data*", example_secs=1)


def _look(folder, out, mode, data=None, **kwargs):
    from dlwa.ddsp.training import eval_util, evaluators, models

    function = {"eval": eval_util.evaluate, "sample": eval_util.sample}[mode]
    function(
        data_provider=_provider(data or folder),
        model=models.get_model(),
        save_dir=str(out),
        restore_dir=str(folder / "model"),
        **{
            "evaluator_classes": [evaluators.BasicEvaluator, evaluators.F0LdEvaluator],
            "batch_size": 2,
            "num_batches": 2,
            "run_once": True,
            **kwargs,
        },
    )


def _events(out):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(out / "summaries" / "eval"), {"tensors": 0})
    events.Reload()
    return events


@pytest.fixture(scope="module")
def evaluated(model_folder):
    """The folder of an evaluation."""
    _look(model_folder, model_folder / "evaluated", "eval")
    return model_folder / "evaluated"


def test_evaluation_measures_losses_loudness_and_pitch(evaluated):
    (line,) = runfiles.read_lines(evaluated / "eval.jsonl")
    assert line["step"] == 2 and line["checkpoint"].endswith("ckpt-2")
    results = line["results"]
    assert results["losses/total_loss"] == results["losses/spectral_loss"] > 0
    assert results["metrics/loudness/loudness_db"] > 0
    # This decoder plays the pitch it is given.
    assert results["metrics/f0/f0_dist"] == pytest.approx(0, abs=1e-3)
    assert results["metrics/f0/raw_pitch_accuracy"] == 1.0
    events = _events(evaluated)
    assert set(results) <= set(events.Tags()["tensors"])
    assert [e.step for e in events.Tensors("losses/total_loss")] == [2]


def test_evaluating_twice_gives_the_same_numbers(model_folder, evaluated, tmp_path):
    _look(model_folder, tmp_path, "eval")
    one, two = (
        next(runfiles.read_lines(folder / "eval.jsonl"))["results"]
        for folder in (evaluated, tmp_path)
    )
    assert one == two


@pytest.mark.usefixtures("without_a_graph")
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


@pytest.mark.usefixtures("without_a_graph")
def test_a_data_set_smaller_than_a_batch_is_used_whole(model_folder, tmp_path):
    _look(model_folder, tmp_path, "eval", batch_size=50, num_batches=0)
    assert runfiles.last_line(tmp_path / "eval.jsonl")["results"]["losses/total_loss"] > 0


def test_without_a_checkpoint(model_folder, tmp_path):
    from dlwa.ddsp.training import eval_util, models

    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        eval_util.evaluate(
            _provider(model_folder), models.get_model(), [], str(tmp_path), run_once=True
        )


@pytest.mark.usefixtures("without_a_graph")
def test_every_checkpoint_of_a_running_training_is_evaluated_in_turn(
    model_folder, tmp_path, monkeypatch, capsys
):
    """A training that saves twice and then ends, played by what happens while nothing is new."""
    import shutil

    from dlwa.ddsp.training import eval_follow

    training = tmp_path / "training" / "model"
    training.mkdir(parents=True)
    record = training / runfiles.RECORD_FILE
    runfiles.write_json(record, {"state": "running"})

    def save(step):
        for path in (model_folder / "model").glob(f"ckpt-{step}.*"):
            shutil.copy(path, training)

    happens = [lambda: save(1), lambda: save(2), lambda: runfiles.write_json(record, DONE)]
    waiting = SimpleNamespace(sleep=lambda _: happens.pop(0)(), monotonic=time.monotonic)
    monkeypatch.setattr(eval_follow, "time", waiting)
    _look(tmp_path / "training", tmp_path, "eval", run_once=False, num_batches=1, data=model_folder)
    assert [line["step"] for line in runfiles.read_lines(tmp_path / "eval.jsonl")] == [1, 2]
    assert not happens
    told = capsys.readouterr().out
    assert told.count("losses/total_loss") == 2 and "how far the loudness is off" in told


@pytest.mark.usefixtures("without_a_graph")
def test_it_ends_at_a_step_where_nobody_says_that_the_training_is_over(model_folder, tmp_path):
    _look(model_folder, tmp_path, "eval", run_once=False, run_until_step=2, num_batches=1)
    assert [line["step"] for line in runfiles.read_lines(tmp_path / "eval.jsonl")] == [2]


@pytest.mark.usefixtures("without_a_graph")
def test_one_pass_uses_the_last_sounds_too_and_every_sound_counts_alike(model_folder, tmp_path):
    """Five sounds in batches of two: the mean is that of the five."""
    for size in (2, 5):
        _look(
            model_folder, tmp_path / str(size), "eval", batch_size=size, num_batches=-1, repeats=1
        )
    by_two, at_once = (
        next(runfiles.read_lines(tmp_path / size / "eval.jsonl"))["results"] for size in "25"
    )
    for name in ("losses/total_loss", "metrics/loudness/loudness_db"):
        assert by_two[name] == pytest.approx(at_once[name], rel=1e-3)  # other noise


@pytest.mark.usefixtures("without_a_graph")
def test_everything_is_measured_and_sounds_are_files(model_folder, tmp_path):
    import soundfile

    from dlwa.ddsp.training import evaluators

    classes = [evaluators.SpectralEvaluator, evaluators.F0CrepeEvaluator]
    report = tmp_path / "report"
    for mode in ("eval", "sample"):
        _look(
            model_folder,
            tmp_path,
            mode,
            evaluator_classes=classes,
            num_batches=1,
            report_dir=report,
        )
    found = runfiles.read_json(report / "evaluation.json")
    assert found["step"] == 2 and found["meanings"]["metrics/f0_crepe/outlier_ratio"][0] == "share"
    assert {"metrics/spectral/mag", "metrics/f0_crepe/outlier_ratio"} <= set(found["results"])
    sampled = runfiles.read_json(report / "samples.json")
    assert len(sampled["sounds"]) == 4
    sound, rate = soundfile.read(report / "samples-2" / "01-original.wav")
    (batch,) = _provider(model_folder).get_batch(1, shuffle=False).take(1)
    assert rate == 16000
    np.testing.assert_allclose(sound, batch["audio"][0], atol=1e-4)
    generated, _ = soundfile.read(report / "samples-2" / "02-generated.wav")
    assert generated.shape == sound.shape and np.abs(generated).max() > 0


def test_what_was_not_measured_has_no_number():
    """A mean of nothing would read as perfect."""
    from dlwa.ddsp.training import evaluators

    crepe = evaluators.F0CrepeEvaluator(16000, 250)
    crepe.evaluate({"audio": np.zeros([1, 100])}, {"audio_gen": np.zeros([1, 100])}, {})
    assert crepe.results() == {}
