"""What stops a training, what does not, and what it says then; through the real train()."""

import signal

import numpy as np
import pytest

from dlwa import runfiles

pytestmark = pytest.mark.ddsp


@pytest.fixture
def tiny():
    """The module of tiny trainings, which imports TensorFlow."""
    from tests.ddsp.training import tiny_training

    return tiny_training


def events_of(folder):
    """All events but checkpoints, in order."""
    events = runfiles.read_lines(folder / runfiles.EVENTS_FILE)
    return [event for event in events if event["event"] != "checkpoint"]


def test_after_one_loss_that_is_not_a_number_it_goes_back_and_finishes(tiny, tmp_path):
    """Example 50 is so large that its square is no number; it is gone once the loop goes on."""
    provider = tiny.Numbers(values={50: 1e30})
    outcome, trainer = tiny.train(tmp_path, provider, num_steps=40)
    (event,) = events_of(tmp_path)
    assert outcome == "finished"
    assert event["event"] == "rollback" and event["to_step"] == 10
    assert trainer.learning_rate_scale == 0.5
    assert np.isfinite(trainer.model.w.numpy()).all()
    assert np.all(trainer.model.w.numpy() > 1.5), "it learned on, towards 3"
    steps = [line["step"] for line in runfiles.read_lines(tmp_path / runfiles.METRICS_FILE)]
    assert steps[-1] == 40


def test_what_went_back_ends_where_a_training_without_the_bad_example_ends(tiny, tmp_path):
    """Going back loses the steps since the checkpoint and the batch, nothing else."""
    _, trainer = tiny.train(tmp_path / "a", tiny.Numbers(values={50: 1e30}), num_steps=40)
    good = tiny.Numbers()
    keep = np.r_[0:40, 56:4000]  # examples of steps 1 to 10, and those after the rollback
    good.x, good.y = good.x[keep], good.y[keep]
    _, before = tiny.train(tmp_path / "b", good, num_steps=10)
    before.set_learning_rate_scale(0.5)
    before.save(str(tmp_path / "b"))
    _, other = tiny.train(tmp_path / "b", good, num_steps=40)
    np.testing.assert_allclose(trainer.model.w.numpy(), other.model.w.numpy(), rtol=1e-6)


@pytest.mark.parametrize("at_step", [8, 9], ids=["between checkpoints", "before a checkpoint"])
def test_a_weight_that_is_no_number_is_never_saved_and_taken_back(tiny, tmp_path, at_step):
    """The step before a checkpoint has a good loss and leaves a bad weight."""
    from dlwa.ddsp.training import checkpoints, trainers

    class Struck(trainers.Trainer):
        struck = False

        def advance(self, batch):
            result = super().advance(batch)
            if self.step == at_step + 1 and not self.struck:
                self.struck = True
                self.model.w.assign([1.0, np.nan, 1.0, 1.0])
            return result

    trainer = tiny.trainer_of(kind=Struck, learning_rate=0.1)
    outcome, _ = tiny.train(tmp_path, trainer=trainer, num_steps=40)
    (event,) = events_of(tmp_path)
    assert outcome == "finished"
    assert event["event"] == "rollback" and event["to_step"] == 5
    assert ("weight is not a number" if at_step == 9 else "loss is not a number") in event["text"]
    for step in checkpoints.saved_steps(tmp_path):
        trainer.restore(checkpoints.prefix_of(tmp_path, step))
        assert trainer.is_finite(), step
    assert checkpoints.saved_steps(tmp_path) == list(range(0, 41, 5))


def test_a_damaged_newest_checkpoint_is_told_and_the_one_before_goes_on(tiny, tmp_path):
    tiny.train(tmp_path, num_steps=10)
    data = tmp_path / "ckpt-10.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-20])
    _, resumed = tiny.train(tmp_path, num_steps=20)
    (event,) = events_of(tmp_path)
    assert event["event"] == "damaged_checkpoint" and "ckpt-10 is damaged" in event["text"]
    _, at_once = tiny.train(tmp_path / "whole", num_steps=20)
    np.testing.assert_array_equal(resumed.model.w.numpy(), at_once.model.w.numpy())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_step_saves_and_is_told(tiny, tmp_path, number):
    from dlwa.ddsp.training import trainers

    class Asked(trainers.Trainer):
        def advance(self, batch):
            if self.examples_seen == 28:  # in the eighth step
                signal.raise_signal(number)
            return super().advance(batch)

    trainer = tiny.trainer_of(kind=Asked)
    outcome, _ = tiny.train(tmp_path, trainer=trainer, num_steps=1000)
    (event,) = events_of(tmp_path)
    assert outcome == "stopped" and event["event"] == "stopped" and event["step"] == 8
    assert signal.Signals(number).name in event["reason"]
    assert list(runfiles.read_lines(tmp_path / runfiles.METRICS_FILE))[-1]["step"] == 8
    assert (tmp_path / "ckpt-8.index").exists()
    assert signal.getsignal(number) not in (None, signal.SIG_IGN)


def test_stopped_anywhere_and_resumed_it_ends_where_it_would_have_ended(tiny, tmp_path):
    """Stopped between two checkpoints, twice: weights, moments and place in the data agree."""
    from dlwa.ddsp.training import trainers

    class StoppedSoon(trainers.Trainer):
        def advance(self, batch):
            self.left -= 1
            if not self.left:
                signal.raise_signal(signal.SIGTERM)
            return super().advance(batch)

    for steps in (7, 6):
        trainer = tiny.trainer_of(kind=StoppedSoon, learning_rate=0.1)
        trainer.left = steps
        assert tiny.train(tmp_path / "a", trainer=trainer, num_steps=30)[0] == "stopped"
    assert int(trainer.step.numpy()) == 13
    _, resumed = tiny.train(tmp_path / "a", num_steps=30)
    _, at_once = tiny.train(tmp_path / "b", num_steps=30)
    for got, expected in zip(resumed.optimizer.variables, at_once.optimizer.variables, strict=True):
        np.testing.assert_array_equal(got.numpy(), expected.numpy())
    np.testing.assert_array_equal(resumed.model.w.numpy(), at_once.model.w.numpy())
    assert resumed.examples_seen == at_once.examples_seen == 120


def test_a_training_started_by_nohup_does_not_mind_the_terminal_closing():
    from dlwa.ddsp.training import guards

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with guards.stop_request() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_second_signal_does_not_wait():
    from dlwa.ddsp.training import guards

    with pytest.raises(KeyboardInterrupt), guards.stop_request():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)


def test_when_its_hours_are_over_it_saves_and_can_be_resumed(tiny, tmp_path):
    outcome, trainer = tiny.train(tmp_path, num_steps=100, hours=1e-9)
    step = int(trainer.step.numpy())
    (event,) = events_of(tmp_path)
    assert outcome == "stopped" and 1 <= step < 100
    assert "its time is up" in event["reason"] and event["step"] == step
    assert (tmp_path / f"ckpt-{step}.index").exists()
    assert "hours" not in (tmp_path / "operative_config-0.gin").read_text()
    assert tiny.train(tmp_path, num_steps=100)[0] == "finished"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"hours": -1.0}, "hours=-1.0 must be a positive number"),
        ({"hours": float("nan")}, "hours=nan"),
        ({"steps_per_save": 0}, "steps_per_save=0 must be an integer of at least 1"),
        ({"num_steps": 2.5}, "num_steps=2.5"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_impossible_goals_are_refused_before_anything_is_written(tiny, tmp_path, settings, said):
    with pytest.raises(ValueError, match="must be") as caught:
        tiny.train(tmp_path / "model", **settings)
    assert said in str(caught.value)
    assert not (tmp_path / "model").exists()


def test_progress_that_cannot_be_written_does_not_end_a_training(tiny, tmp_path, caplog):
    (tmp_path / runfiles.METRICS_FILE).mkdir()
    caplog.set_level("WARNING", logger="absl")
    outcome, _ = tiny.train(tmp_path)
    assert outcome == "finished" and (tmp_path / "ckpt-20.index").exists()
    assert caplog.text.count("cannot be recorded") == 1


class Stuck:
    """Held-out sounds whose loss does not move."""

    def measure(self, trainer):
        """Always the same."""
        return {"total_loss": 7.0}, []


def test_a_plateau_is_told_even_if_it_lasts_over_two_sessions(tiny, tmp_path, monkeypatch):
    from dlwa.ddsp.training import heldout

    monkeypatch.setattr(heldout, "find", lambda *_: Stuck())
    tiny.train(tmp_path, num_steps=30)
    assert not events_of(tmp_path), "seven measurements are not enough"
    tiny.train(tmp_path, num_steps=60)
    (event,) = events_of(tmp_path)
    assert event["event"] == "plateau" and event["step"] == 50
    lines = list(runfiles.read_lines(tmp_path / runfiles.METRICS_FILE))
    assert lines[-1]["heldout_loss"] == 7.0


def test_best_is_what_held_out_sounds_say_and_is_never_pruned(tiny, tmp_path, monkeypatch):
    from dlwa.ddsp.training import checkpoints, heldout

    class Rising:
        def measure(self, trainer):
            return {"total_loss": 5.0 + abs(int(trainer.step.numpy()) - 10)}, []

    monkeypatch.setattr(heldout, "find", lambda *_: Rising())
    trainer = tiny.trainer_of(checkpoints_to_keep=2)
    tiny.train(tmp_path, trainer=trainer, num_steps=40)
    assert checkpoints.saved_steps(tmp_path) == [10, 35, 40]
    assert checkpoints.best_step(tmp_path) == 10


def test_milestones_stay_whatever_the_steps_between_checkpoints(tmp_path):
    """Saved every 300 steps, none falls on 5000: the first one after it stays."""
    from dlwa.ddsp.training import checkpoints

    for step in range(0, 12001, 300):
        (tmp_path / f"ckpt-{step}.index").touch()
        checkpoints.prune(tmp_path, 2)
    assert checkpoints.saved_steps(tmp_path) == [5100, 10200, 11700, 12000]
