"""One step of training does what the reference's step did; checkpoints can be trusted."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.ddsp.golden import FOLDER

pytestmark = pytest.mark.ddsp


@pytest.fixture
def linear():
    """Trainer, model and recording of the one-variable model w * x."""
    import tensorflow as tf

    from dlwa.ddsp.training import trainers
    from dlwa.ddsp.training.models import Model

    class Linear(Model):
        def build(self, *_):
            self.w = self.add_weight(name="w", shape=[4])
            self.built = True

        def call(self, features, training=True):
            y = self.w * features["x"]
            self._losses_dict["a"] = tf.reduce_mean((y - features["y"]) ** 2)
            self._losses_dict["b"] = 0.5 * tf.reduce_sum(tf.abs(self.w))
            return {"y": y}

    recorded = dict(np.load(FOLDER / "training.trainers.Trainer.npz"))
    settings = json.loads(str(recorded["params"]))["trainer_kwargs"]
    model = Linear()
    trainer = trainers.Trainer(model, tf.distribute.get_strategy(), **settings)
    trainer.build(_batch(recorded, 0))
    model.w.assign(recorded["in_w0"])
    return trainer, model, recorded


def _batch(recorded, i):
    import tensorflow as tf

    return {"x": tf.constant(recorded["in_x"][i]), "y": tf.constant(recorded["in_y"][i])}


def test_updates_rates_and_losses_are_those_of_the_reference(linear):
    trainer, model, recorded = linear
    for i in range(len(recorded["in_x"])):
        assert trainer.learning_rate == pytest.approx(recorded["out_learning_rate"][i], rel=1e-5)
        losses = trainer.train_step(_batch(recorded, i))
        np.testing.assert_allclose(model.w.numpy(), recorded["out_w"][i], atol=1e-6)
        got = [float(losses[name]) for name in ("a", "b", "total_loss")]
        np.testing.assert_allclose(got, recorded["out_losses"][i], rtol=1e-5)
    assert int(trainer.step.numpy()) == len(recorded["in_x"])


def test_a_step_without_a_finite_loss_changes_nothing(linear):
    import tensorflow as tf

    trainer, model, recorded = linear
    before = model.w.numpy()
    batch = _batch(recorded, 0)
    losses = trainer.train_step({**batch, "x": batch["x"] * np.nan})
    assert np.isnan(float(losses["total_loss"]))
    np.testing.assert_array_equal(model.w.numpy(), before)
    assert int(trainer.step.numpy()) == 0
    assert all(np.isfinite(tf.convert_to_tensor(v)).all() for v in trainer.optimizer.variables)


def test_saving_and_restoring_continues_exactly(linear, tmp_path):
    trainer, model, recorded = linear
    for i in range(3):
        trainer.train_step(_batch(recorded, i))
    trainer.save(str(tmp_path))
    for i in range(3, 6):
        trainer.train_step(_batch(recorded, i))
    expected = model.w.numpy()
    model.w.assign(np.zeros(4))
    trainer.restore(str(tmp_path))
    for i in range(3, 6):
        trainer.train_step(_batch(recorded, i))
    np.testing.assert_array_equal(model.w.numpy(), expected)


def test_checkpoints_have_the_names_other_tools_read(linear, tmp_path):
    import tensorflow as tf

    trainer, _, recorded = linear
    trainer.train_step(_batch(recorded, 0))
    trainer.save(str(tmp_path))
    names = {
        name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
        for name, _ in tf.train.list_variables(str(tmp_path))
    }
    assert {
        "model/w",
        "optimizer/_iterations",
        "optimizer/_current_learning_rate",
        "optimizer/_variables/1",
        "optimizer/_variables/2",
        "save_counter",
        "_CHECKPOINTABLE_OBJECT_GRAPH",
    } <= names
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "ckpt-1")


def _save_steps(trainer, folder, steps):
    for step in steps:
        trainer.optimizer.iterations.assign(step)
        trainer.save(str(folder))


def test_pruning_spares_newest_best_and_milestones(linear, tmp_path):
    from dlwa.ddsp.training import checkpoints

    trainer, _, _ = linear
    trainer.checkpoints_to_keep = 2
    _save_steps(trainer, tmp_path, [100])
    assert checkpoints.note_best(tmp_path, 100, 1.5)
    assert not checkpoints.note_best(tmp_path, 100, 1.6)
    _save_steps(trainer, tmp_path, [200, 5000, 5100, 5200, 5300])
    assert checkpoints.saved_steps(tmp_path) == [100, 5000, 5200, 5300]
    assert not list(tmp_path.glob("ckpt-200.*"))
    assert checkpoints.best_step(tmp_path) == 100


def test_random_weights_are_never_the_best(tmp_path):
    """The loss may rise before it falls; what is fetched and played must have learnt something."""
    from dlwa.ddsp.training import checkpoints

    assert not checkpoints.note_best(tmp_path, 0, 15.6)
    assert checkpoints.best_step(tmp_path) is checkpoints.best_loss(tmp_path) is None
    # as an earlier version wrote it
    (tmp_path / "ckpt-0.index").touch()
    (tmp_path / "checkpoints.json").write_text('{"best_step": 0, "best_loss": 15.6}')
    assert checkpoints.best_step(tmp_path) is None
    assert checkpoints.note_best(tmp_path, 20, 17.0) and checkpoints.best_loss(tmp_path) == 17.0


@pytest.mark.parametrize("keep_share", [0.0, 0.5, 0.99])
def test_a_checkpoint_cut_short_is_noticed_and_the_one_before_is_used(linear, tmp_path, keep_share):
    from dlwa.ddsp.training import checkpoints

    trainer, model, _ = linear
    model.w.assign(np.full(4, 7.0))
    _save_steps(trainer, tmp_path, [1])
    model.w.assign(np.zeros(4))
    _save_steps(trainer, tmp_path, [2])
    data = tmp_path / "ckpt-2.data-00000-of-00001"
    os.truncate(data, int(data.stat().st_size * keep_share))
    assert not checkpoints.is_readable(str(tmp_path / "ckpt-2"))
    trainer.restore(str(tmp_path))
    np.testing.assert_array_equal(model.w.numpy(), np.full(4, 7.0))
    assert int(trainer.step.numpy()) == 1


def test_a_checkpoint_that_cannot_be_written_leaves_the_others(linear, tmp_path, monkeypatch):
    from dlwa.ddsp.training import checkpoints

    trainer, _, _ = linear
    _save_steps(trainer, tmp_path, [1])
    monkeypatch.setattr(checkpoints, "is_readable", lambda prefix: False)
    with pytest.raises(OSError, match="ckpt-2"):
        _save_steps(trainer, tmp_path, [2])
    assert checkpoints.saved_steps(tmp_path) == [1]
    assert not list(tmp_path.glob(".saving*"))


def test_a_batch_in_parts_gives_the_same_update(linear):
    """Three rows in two parts: the larger part counts more."""
    trainer, model, recorded = linear
    trainer.micro_batches = 2
    for i in range(len(recorded["in_x"])):
        losses = trainer.train_step(_batch(recorded, i))
        np.testing.assert_allclose(model.w.numpy(), recorded["out_w"][i], atol=2e-6)
    assert float(losses["total_loss"]) == pytest.approx(recorded["out_losses"][-1, 2], rel=1e-5)


def test_rows_of_a_batch_have_the_noise_they_have_in_the_whole():
    from dlwa.ddsp import core

    def draw(shape, rows=None):
        with core.noise_seed(3, rows):
            core.uniform_noise([2])
            return core.uniform_noise(shape).numpy()

    whole = draw([5, 7])
    np.testing.assert_array_equal(draw([2, 7], rows=(1, 2, 5)), whole[1:3])
    np.testing.assert_array_equal(draw([3, 7], rows=(1, 2, 5)), draw([3, 7]))
    assert not np.array_equal(draw([2, 7]), whole[1:3])


def test_an_instrument_learns_the_same_from_a_batch_in_parts_noise_and_all():
    """Three examples in two parts: losses and gradients equal within rounding."""
    import gin
    import tensorflow as tf

    from dlwa.ddsp.training import gin_util, models, trainers

    gin.clear_config()
    config = gin_util.Config()
    config.add_file("models/debug_instrument.gin")
    # logarithms of next to nothing would turn rounding into differences
    config.add_params(["SpectralLoss.logmag_weight=0.0"])
    config.check()
    trainer = trainers.Trainer(models.get_model(), tf.distribute.get_strategy(), seed=5)
    gin.clear_config()
    random = np.random.default_rng(0)
    batch = {
        "audio": random.normal(size=[3, 16000], scale=0.1),
        "f0_hz": random.uniform(100, 900, size=[3, 250]),
        "loudness_db": random.uniform(-80, -10, size=[3, 250]),
    }
    batch = {name: tf.constant(value, tf.float32) for name, value in batch.items()}
    trainer.build(batch)
    found = []
    for parts in (1, 2):
        trainer.micro_batches = parts
        losses, gradients = trainer._losses_and_gradients(batch)
        found.append((float(losses["total_loss"]), [g.numpy() for g in gradients if g is not None]))
    (whole_loss, whole), (loss, gradients) = found
    assert loss == pytest.approx(whole_loss, rel=1e-6)
    assert len(gradients) == len(whole) > 10
    for got, expected in zip(gradients, whole, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())


def test_too_little_memory_is_answered_by_parts_and_told(linear, caplog):
    import tensorflow as tf

    trainer, model, recorded = linear

    def full(_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    trainer._step_function = full
    caplog.set_level("WARNING", logger="absl")
    trainer.train_step(_batch(recorded, 0))
    assert trainer.micro_batches == 2 and "2 parts" in caplog.text
    np.testing.assert_allclose(model.w.numpy(), recorded["out_w"][0], atol=2e-6)


def test_the_place_in_the_data_the_seed_and_a_lowered_rate_are_kept(linear, tmp_path):
    trainer, _, recorded = linear
    trainer.train_step(_batch(recorded, 0))
    trainer.examples_seen, trainer.seed = 123, 7
    trainer.set_learning_rate_scale(0.25)
    rate = trainer.learning_rate
    trainer.save(str(tmp_path))
    trainer.examples_seen, trainer.seed = 0, 0
    trainer.set_learning_rate_scale(1.0)
    trainer.restore(str(tmp_path))
    assert (trainer.examples_seen, trainer.seed, trainer.learning_rate) == (123, 7, rate)


def test_the_optimizer_of_a_reference_checkpoint_goes_on(tmp_path):
    """Weights and both moments of ckpt-20 arrive at the variables they belong to."""
    import gin
    import tensorflow as tf

    from dlwa.ddsp.training import checkpoint_util, gin_util, models, trainers

    prefix = FOLDER / "checkpoint_small" / "ckpt-20"
    gin.clear_config()
    gin_util.parse_operative_config(FOLDER / "checkpoint_small" / "operative_config-0.gin")
    trainer = trainers.Trainer(models.get_model(), tf.distribute.get_strategy())
    zeros = np.zeros([1, 1000], np.float32)
    batch = {"audio": np.zeros([1, 64000], np.float32), "f0_hz": zeros, "loudness_db": zeros}
    trainer.build(batch)
    trainer.restore(str(prefix))
    gin.clear_config()
    assert int(trainer.step.numpy()) == 20
    reader = tf.train.load_checkpoint(str(prefix))
    paths = {id(v.value): p for p, v in checkpoint_util.variable_paths(trainer.model).items()}
    order = [paths[id(v)] for v in trainer._variables]
    assert order[0] == "decoder/input_stacks/0/layer_with_weights-0/layer_with_weights-0/kernel"
    assert order[24:27] == [
        f"decoder/rnn/rnn/cell/{n}" for n in ("kernel", "recurrent_kernel", "bias")
    ]
    assert order[-3:] == [
        "decoder/dense_out/kernel",
        "decoder/dense_out/bias",
        "processor_group/reverb/ir",
    ]
    moments = zip(trainer.optimizer.first_moments, trainer.optimizer.second_moments, strict=True)
    for i, (m, v) in enumerate(moments):
        for number, moment in ((2 * i + 1, m), (2 * i + 2, v)):
            saved = reader.get_tensor(f"optimizer/_variables/{number}/.ATTRIBUTES/VARIABLE_VALUE")
            np.testing.assert_array_equal(moment.numpy(), saved)
    trainer.save(str(tmp_path))
    saved, written = (
        {n: s for n, s in tf.train.list_variables(str(p)) if "OBJECT_GRAPH" not in n}
        for p in (prefix, tmp_path / "ckpt-20")
    )
    assert saved.items() <= written.items()
    assert all(name.startswith("dlwa_") for name in written.keys() - saved.keys())


TWO_DEVICES = """
import sys
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from dlwa.ddsp.training import trainers
from dlwa.ddsp.training.models import Model

class Linear(Model):
    def build(self, *_):
        self.w = self.add_weight(name="w", shape=[4], initializer="ones")
        self.built = True
    def call(self, features, training=True):
        y = self.w * features["x"]
        self._losses_dict["a"] = tf.reduce_mean((y - features["y"]) ** 2)
        return {"y": y}

def weights(strategy):
    random = np.random.default_rng(0)
    x, y = (random.normal(size=[24, 4]).astype(np.float32) for _ in range(2))
    x[8, 0] = np.nan  # one device's half of a batch
    data = tf.data.Dataset.from_tensor_slices({"x": x, "y": y}).batch(8)
    with strategy.scope():
        trainer = trainers.Trainer(Linear(), strategy, learning_rate=0.1, grad_clip_norm=0.5)
    data = trainer.distribute_dataset(data)
    trainer.build(next(iter(data)))
    losses = [float(trainer.train_step(batch)["total_loss"]) for batch in data]
    path = sys.argv[1] + f"/{strategy.num_replicas_in_sync}"
    trainer.save(path)
    trainer.restore(path)
    assert int(trainer.step.numpy()) == 2
    return trainer.model.w.numpy(), losses

one = weights(tf.distribute.get_strategy())
two = weights(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
np.testing.assert_allclose(two[0], one[0], rtol=1e-5)
np.testing.assert_allclose(two[1], one[1], rtol=1e-5)
assert np.isnan(one[1][1]) and np.isfinite(one[1][2])
assert not np.allclose(one[0], 1.0)
"""


@pytest.mark.integration
def test_two_devices_learn_what_one_learns(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
