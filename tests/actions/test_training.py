"""What `train` checks before anything starts."""

import shutil
from pathlib import Path

import pytest

from dlwa.actions import training
from dlwa.actions._train_flags import fixed, joined, steps_in, training_argv
from dlwa.errors import BusyError, DlwaError, NotFoundError, UsageError
from dlwa.hosts.base import Completed
from dlwa.hosts.local import LocalHost
from dlwa.labs import Limits
from dlwa.settings import Settings
from tests.made_runs import add_steps, make_run

HOST = LocalHost()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    make_dataset(tmp_path, "ann/violin")
    return Settings("ann", tmp_path)


def make_dataset(root: Path, name: str, text: str = "records") -> None:
    folder = root / "datasets" / "ddsp" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.tfrecord-00000-of-00001").write_text(text)
    (folder / "dataset.json").write_text("{}")


def plan(settings: Settings, model: str = "ann/m", dataset: str = "ann/violin", **more):
    return training.plan(settings, HOST, dataset, model, **more)


def learnt(settings: Settings, name: str = "ann/m", **record) -> Path:
    """A model that learnt something with the default flags, then stopped."""
    made = plan(settings, name).job.details["training"]
    folder = make_run(settings.root, name, **{"state": "stopped", "training": made, **record})
    (folder / "ckpt-300.index").touch()
    return folder


def test_the_course_defaults() -> None:
    argv = training_argv(Path("/w/d"), Path("/w/m"), [], custom=False)
    assert argv == (
        "--mode=train",
        "--alsologtostderr",
        "--save_dir=/w/m",
        "--allow_memory_growth",
        "--gin_file=models/solo_instrument.gin",
        "--gin_file=datasets/tfrecord.gin",
        "--gin_param=TFRecordProvider.file_pattern='/w/d/data.tfrecord*'",
        "--gin_param=batch_size=16",
        "--gin_param=train_util.train.num_steps=30000",
        "--gin_param=train_util.train.steps_per_save=300",
        "--gin_param=trainers.Trainer.checkpoints_to_keep=10",
    )


def test_custom_leaves_only_where_things_lie() -> None:
    argv = training_argv(Path("/w/d"), Path("/w/m"), ["--gin_file=my.gin"], custom=True)
    assert argv == (
        "--mode=train",
        "--alsologtostderr",
        "--save_dir=/w/m",
        "--gin_param=TFRecordProvider.file_pattern='/w/d/data.tfrecord*'",
        "--gin_file=my.gin",
    )


def test_a_quote_in_the_path_stays_inside_the_gin_string() -> None:
    (word,) = [w for w in training_argv(Path("/it's"), Path("/m"), [], custom=True) if "Prov" in w]
    assert word.endswith("='/it\\'s/data.tfrecord*'")


@pytest.mark.parametrize(
    ("extra", "steps"),
    [
        ([], 30000),
        (["--gin_param=train_util.train.num_steps=50"], 50),
        (["--gin_param", "train.num_steps = 60"], 60),
        (["--gin_param=train.num_steps=1", "--gin_param=train_util.train.num_steps=2"], 2),
        (["--gin_param=batch_size=4"], 30000),
    ],
)
def test_the_last_number_of_steps_counts(extra: list[str], steps: int) -> None:
    assert steps_in(training_argv(Path("/d"), Path("/m"), extra, custom=False)) == steps


def test_only_how_long_and_how_often_may_change() -> None:
    extra = [
        "--gin_param=train_util.train.num_steps=9",
        "--gin_param=trainers.Trainer.checkpoints_to_keep=3",
        "--gin_param",
        "train_util.train.steps_per_save=9",
        "--gin_param=batch_size=4",
        "--alsologtostderr",
    ]
    assert fixed(extra) == ["--gin_param=batch_size=4"]
    assert joined(["--a", "b", "--c=d", "e"]) == ["--a=b", "--c=d", "e"]


def test_a_new_model(settings: Settings) -> None:
    planned = plan(settings, "ann/deep/m")
    assert planned.job.folder == settings.root / "models/ddsp/ann/deep/m"
    assert not planned.resumes and not planned.job.folder.exists()
    assert (planned.job.owner, planned.job.total_steps) == ("ann", 30000)


def test_an_empty_folder_is_a_new_model(settings: Settings) -> None:
    (settings.root / "models/ddsp/ann/m").mkdir(parents=True)
    assert not plan(settings).resumes


def test_a_missing_dataset_names_the_nearest(settings: Settings) -> None:
    with pytest.raises(NotFoundError) as caught:
        plan(settings, dataset="ann/violn")
    assert caught.value.hint == "did you mean ann/violin?"


def test_a_dataset_being_made_is_told(settings: Settings) -> None:
    (settings.root / "datasets/ddsp/ann/.new.partial-1a2b3c4d").mkdir()
    with pytest.raises(NotFoundError, match="not finished yet"):
        plan(settings, dataset="ann/new")


def test_the_same_command_resumes(settings: Settings) -> None:
    learnt(settings)
    assert plan(settings).resumes


def test_extra_flags_are_remembered(settings: Settings) -> None:
    first = plan(settings, extra=["--gin_param=batch_size=4"]).job.details["training"]
    learnt(settings, training=first)
    again = plan(settings)
    assert again.job.argv[-1] == "--gin_param=batch_size=4" and again.notes


def test_more_steps_are_added_to_the_remembered_flags(settings: Settings) -> None:
    old, new = "--gin_param=train.num_steps=50", "--gin_param=train.num_steps=60"
    extra = ["--gin_param=batch_size=4", old]
    learnt(settings, training=plan(settings, extra=extra).job.details["training"])
    assert plan(settings).job.argv[-2:] == ("--gin_param=batch_size=4", old)
    assert plan(settings, extra=[old]).job.argv[-2:] == ("--gin_param=batch_size=4", old)
    again = plan(settings, extra=[new])
    assert again.job.argv[-3:] == ("--gin_param=batch_size=4", old, new)
    assert again.job.total_steps == 60


def test_more_steps_are_not_another_config(settings: Settings) -> None:
    learnt(settings)
    extra = ["--gin_param=train_util.train.num_steps=60000"]
    assert plan(settings, extra=extra).job.total_steps == 60000


def test_another_dataset_is_refused(settings: Settings) -> None:
    learnt(settings)
    make_dataset(settings.root, "ann/flute")
    with pytest.raises(UsageError, match="learns from ann/violin") as caught:
        plan(settings, dataset="ann/flute")
    assert "--fresh" in caught.value.hint


def test_a_dataset_made_anew_is_refused(settings: Settings) -> None:
    learnt(settings)
    make_dataset(settings.root, "ann/violin", "other records")
    with pytest.raises(UsageError, match="made anew"):
        plan(settings)


@pytest.mark.parametrize("more", [{"extra": ["--gin_param=batch_size=4"]}, {"custom": True}])
def test_another_config_is_refused(settings: Settings, more: dict) -> None:
    learnt(settings)
    with pytest.raises(UsageError, match="other settings") as caught:
        plan(settings, **more)
    assert "--fresh" in caught.value.hint


def test_what_failed_before_it_learnt_may_change(settings: Settings) -> None:
    wrong = plan(settings, extra=["--gin_param=batch_sizee=4"]).job.details["training"]
    folder = make_run(settings.root, "ann/m", state="failed", training=wrong)
    (folder / "ckpt-0.index").touch()  # saved before the first step
    planned = plan(settings, extra=["--gin_param=batch_size=4"])
    assert not planned.resumes
    assert "--gin_param=batch_sizee=4" not in plan(settings).job.argv


def test_fresh_starts_beside_and_deletes_nothing(settings: Settings) -> None:
    learnt(settings)
    learnt(settings, "ann/m-2")
    planned = plan(settings, fresh=True)
    assert str(planned.model) == "ann/m-3" and not planned.resumes
    assert (settings.root / "models/ddsp/ann/m/ckpt-300.index").exists()


def test_a_live_run_is_named(settings: Settings) -> None:
    make_run(settings.root, "ann/m", id="12345678")
    with pytest.raises(BusyError, match="12345678"):
        plan(settings)


def test_a_finished_model_has_nothing_left_to_do(settings: Settings) -> None:
    add_steps(learnt(settings, state="finished"), 300, every=100)
    assert plan(settings).already_done
    assert not plan(settings, extra=["--gin_param=train.num_steps=60000"]).already_done


@pytest.mark.parametrize("inner", ["ann/m/v2", "ann/m/deep/v3"])
def test_a_model_inside_a_model_is_refused_both_ways(settings: Settings, inner: str) -> None:
    learnt(settings, "ann/m")
    with pytest.raises(UsageError, match="inside the model ann/m"):
        plan(settings, inner)
    learnt(settings, "bob/m/v2")
    with pytest.raises(UsageError, match="folder of models"):
        plan(settings, "bob/m")


def test_a_folder_of_other_things_is_refused(settings: Settings) -> None:
    folder = settings.root / "models/ddsp/ann/m"
    folder.mkdir(parents=True)
    (folder / "holiday.jpg").touch()
    with pytest.raises(UsageError, match=r"holiday\.jpg"):
        plan(settings)


def test_a_pattern_in_the_path_of_the_workspace_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "take [1]"
    make_dataset(root, "ann/violin")
    with pytest.raises(UsageError, match="file patterns"):
        plan(Settings("ann", root))


def test_a_full_disk_is_told_before_the_start(settings: Settings, monkeypatch) -> None:
    usage = shutil.disk_usage(settings.root)._replace(free=5_000_000)
    monkeypatch.setattr("dlwa.actions._places.shutil.disk_usage", lambda _: usage)
    with pytest.raises(DlwaError, match="nearly full"):
        training.start(plan(settings), settings, HOST, Limits())


def test_an_owner_over_the_limit_of_the_lab_is_told(settings: Settings) -> None:
    (settings.root / "inputs/ann").mkdir(parents=True)
    (settings.root / "inputs/ann/big.wav").write_bytes(b"x" * 20000)
    with pytest.raises(BusyError, match="allowed here"):
        training.start(plan(settings), settings, HOST, Limits(disk_gb_per_owner=1e-5))


def test_a_broken_driver_is_told_and_the_cpu_offered(settings: Settings) -> None:
    class Broken(LocalHost):
        def run(self, command, timeout_s=20.0):
            return Completed(9, "NVIDIA-SMI has failed")

    with pytest.raises(DlwaError, match="NVIDIA-SMI has failed") as caught:
        training.start(plan(settings), settings, Broken(), Limits())
    assert "--cpu" in caught.value.hint and not plan(settings).job.folder.exists()


def hours_in(planned: training.Plan) -> list[str]:
    return [word for word in planned.job.argv if "train.hours" in word]


def test_hours_hold_for_one_session_only(settings: Settings) -> None:
    planned = plan(settings, hours=2.5)
    assert hours_in(planned) == ["--gin_param=train_util.train.hours=2.5"]
    learnt(settings, training=planned.job.details["training"])
    assert hours_in(plan(settings)) == []
    assert hours_in(plan(settings, hours=1)) == ["--gin_param=train_util.train.hours=1"]


def test_hours_given_as_an_extra_flag_are_not_kept_either(settings: Settings) -> None:
    flags = ["--gin_param=batch_size=4", "--gin_param=train_util.train.hours=3"]
    learnt(settings, training=plan(settings, extra=flags).job.details["training"])
    words = plan(settings).job.argv
    assert "--gin_param=batch_size=4" in words and not hours_in(plan(settings))


@pytest.mark.parametrize("hours", [0.0, -1.0, float("nan"), float("inf")])
def test_hours_must_be_a_time(settings: Settings, hours: float) -> None:
    with pytest.raises(UsageError, match="hours="):
        plan(settings, hours=hours)
