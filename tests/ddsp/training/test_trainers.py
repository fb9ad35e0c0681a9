"""One step of training does what the reference's step did; checkpoints can be trusted."""

import json
import os

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
