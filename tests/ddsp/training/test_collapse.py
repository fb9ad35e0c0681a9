"""A model that is silent, or plays only noise, is heard on held-out sounds and told."""

import numpy as np
import pytest

from dlwa import runfiles
from tests.ddsp.training import small_run

pytestmark = pytest.mark.ddsp

# Before the sigmoid: amplitude of the tone, magnitudes of the noise.
SOUNDS = {"silent": (-40.0, -40.0), "noise": (-40.0, 6.0), "tone": (4.0, -40.0)}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Two records to learn from and two held out."""
    folder = small_run.write_dataset(tmp_path_factory.mktemp("data"), 2)
    return small_run.write_dataset(folder, 2, "heldout.tfrecord-00000-of-00001", seed=1)


@pytest.fixture(scope="module")
def instrument(dataset):
    """Trainer and provider of the debug instrument, and how to make it sound like something."""
    import gin
    import tensorflow as tf

    from dlwa.ddsp.training import gin_util, models, trainers

    gin.clear_config()
    config = gin_util.Config()
    config.add_file("models/debug_instrument.gin")
    config.add_file("datasets/tfrecord.gin")
    config.add_params([f"TFRecordProvider.file_pattern='{dataset}/data.tfrecord*'"])
    trainer = trainers.Trainer(models.get_model(), tf.distribute.get_strategy())
    provider = gin.get_bindings("train_util.train")["data_provider"]
    trainer.build(next(iter(provider.get_batch(2))))
    trainer.optimizer.iterations.assign(1000)
    gin.clear_config()

    def sound_like(name):
        tone, noise = SOUNDS[name]
        out = trainer.model.decoder.dense_out
        bias = np.concatenate([[tone], np.zeros(20), np.full(17, noise)])
        kernel, old = out.trainable_variables
        assert old.shape == bias.shape
        kernel.assign(tf.zeros_like(kernel))
        old.assign(bias)

    return trainer, provider, sound_like


@pytest.mark.parametrize(
    ("sound", "told"), [("tone", []), ("noise", ["noise_only"]), ("silent", ["silence"])]
)
def test_what_is_heard_is_told(instrument, sound, told):
    from dlwa.ddsp.training import heldout

    trainer, provider, sound_like = instrument
    sound_like(sound)
    losses, remarks = heldout.find(provider, 2).measure(trainer)
    assert [remark.event for remark in remarks] == told
    assert np.isfinite(losses["total_loss"])


def test_noisiness_of_tones_and_of_bright_and_dark_noise():
    from dlwa.ddsp.training.trainers._heard import noisiness

    random = np.random.default_rng(0)
    white = random.normal(size=32000)
    dark = np.convolve(white, np.hanning(40))[:32000]
    time = np.arange(32000) / 16000
    pitch = 200 * time + 0.5 * np.sin(2 * np.pi * 5.5 * time)  # with a vibrato
    tone = sum(np.sin(2 * np.pi * k * pitch) / k for k in range(1, 20))
    level = np.std(tone) / np.std(white)

    def of(sound):
        return float(noisiness(np.float32(sound)[np.newaxis]))

    assert of(white) == pytest.approx(0.6, abs=0.03) and of(dark) > 0.54
    assert of(tone) < 0.1 and of(tone + 0.1 * level * white) < 0.15
    assert of(tone + 3.2 * level * white) > 0.5, "a tone 10 dB below the noise"


def test_a_training_of_a_silent_model_says_so(instrument, dataset, tmp_path):
    """The whole road: ddsp_run, its events, and what `dlwa status` makes of them."""
    from dlwa.actions.remarks import remarks_of
    from dlwa.actions.runs import read_run
    from dlwa.hosts.local import LocalHost
    from tests.made_runs import make_run

    trainer, _, sound_like = instrument
    folder = make_run(tmp_path)
    sound_like("silent")
    trainer.save(str(folder))
    assert small_run.run_here(dataset, folder, 1004, "learning_rate=0.0") == 0
    (remark,) = remarks_of(read_run(folder, LocalHost()))
    assert remark.event == "silence" and remark.step == 1002
    events = [e["event"] for e in runfiles.read_lines(folder / runfiles.EVENTS_FILE)]
    assert events == ["silence", "checkpoint", "checkpoint"]
