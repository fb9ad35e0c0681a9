"""What `eval` and `sample` check and start, and which sounds they take."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions import attended, conversion, evaluation
from dlwa.errors import BusyError, NotFoundError, UsageError
from dlwa.hosts.local import LocalHost
from dlwa.settings import Settings

HOST = LocalHost()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    put(tmp_path / "models/ddsp/ann/violin/ckpt-300.index")
    put(tmp_path / "models/ddsp/ann/violin/ckpt-300.data-00000-of-00001")
    put(tmp_path / "datasets/ddsp/ann/takes/data.tfrecord-00000-of-00001")
    return Settings("ann", tmp_path)


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"something")


def plan(settings: Settings, dataset: str = "ann/takes", mode: evaluation.Mode = "eval", **more):
    return evaluation.plan(settings, HOST, mode, "ann/violin", dataset, **more)


def bindings(planned: evaluation.Plan) -> dict[str, str]:
    words = [word.split("=", 1)[1] for word in planned.job.argv if word.startswith("--gin_param=")]
    return dict(word.split("=", 1) for word in words)


def test_the_command_reads_the_model_s_folder_and_writes_to_outputs(settings: Settings) -> None:
    planned = plan(settings, extra=["--gin_param=evaluate.num_batches=-1"])
    argv = planned.job.argv
    assert argv[1:5] == ("-P", "-m", "dlwa.ddsp.training.ddsp_run", "--mode=eval")
    assert f"--save_dir={settings.root}/models/ddsp/ann/violin" in argv and "--run_once" in argv
    found = bindings(planned)
    assert found["TFRecordProvider.file_pattern"].endswith(
        "datasets/ddsp/ann/takes/data.tfrecord*'"
    )
    assert found["evaluate.report_dir"] == f"'{settings.root}/outputs/ann/violin'"
    assert found["evaluate.num_batches"] == "-1", "what is typed wins"
    assert planned.report.name == "evaluation.json"
    assert planned.job.folder == settings.root / ".dlwa/runs" / planned.run_id


@pytest.mark.parametrize("mode", ["eval", "sample"])
def test_of_somebody_else_s_model_only_what_is_read_lies_in_their_folder(
    settings: Settings, mode: evaluation.Mode
) -> None:
    ben = replace(settings, owner="ben", origins={"owner": "test"})
    planned = plan(ben, mode=mode)
    own = settings.root / "outputs/ben/ann/violin"
    assert planned.report_dir == planned.save_dir == own and planned.job.owner == "ben"
    theirs = [word for word in planned.job.argv if f"{settings.root}/models" in word]
    assert theirs == [f"--restore_dir={settings.root}/models/ddsp/ann/violin"]
    assert f"--save_dir={own}" in planned.job.argv


def test_sounds_held_out_are_taken_where_there_are_some(settings: Settings) -> None:
    assert not plan(settings).is_held_out
    put(settings.root / "datasets/ddsp/ann/takes/heldout.tfrecord-00000-of-00001")
    planned = plan(settings, mode="sample")
    assert planned.is_held_out and planned.report.name == "samples.json"
    assert "/heldout.tfrecord*'" in bindings(planned)["TFRecordProvider.file_pattern"]


def test_the_cpu_waits_for_nobody_and_a_gpu_is_claimed(settings: Settings) -> None:
    """So that a model can be looked at while it trains."""
    job = plan(settings).job
    assert job.devices == "none" and job.env == {"CUDA_VISIBLE_DEVICES": ""}
    job = plan(settings, gpu=True).job
    assert job.devices == "gpu" and not job.env


def test_following_and_custom(settings: Settings) -> None:
    assert "--run_once" not in plan(settings, follow=True).job.argv
    words = plan(settings, custom=True).job.argv
    assert "--gin_file=eval/everything.gin" not in words and "--run_once" in words


def train(settings: Settings, **record: object) -> None:
    known = {"id": "0" * 8, "kind": "train", "owner": "ann", "name": "ann/violin"}
    folder = settings.root / "models/ddsp/ann/violin"
    runfiles.write_json(folder / "run.json", {**known, **record})


def test_a_training_that_goes_on_is_followed_one_that_ended_gives_its_last(
    settings: Settings,
) -> None:
    me = HOST.identify(os.getpid())
    assert me is not None
    here = {"host": HOST.name, "boot_id": HOST.boot_id(), "pid": me.pid, "pid_start": me.start}
    train(settings, state="running", **here)
    planned = plan(settings, follow=True)
    assert "--run_once" not in planned.job.argv and not planned.notes
    assert evaluation.bad_end(planned, settings, HOST) == ""

    gone = {**here, "pid_start": 1}  # the number belongs to another process by now
    train(settings, state="running", **gone)
    told = "the training of ann/violin is lost (its wrapper"
    assert evaluation.bad_end(planned, settings, HOST).startswith(told)
    late = plan(settings, follow=True)
    assert "--run_once" in late.job.argv and late.notes[0].startswith(told)
    assert late.notes[0].endswith("; its last checkpoint is taken")

    child = {"child_pid": me.pid, "child_pid_start": me.start}
    train(settings, state="running", **gone, **child)
    assert not plan(settings, follow=True).notes, "the job outlives its wrapper and still saves"

    train(settings, state="finished")
    assert evaluation.bad_end(planned, settings, HOST) == ""
    assert "--run_once" in plan(settings, follow=True).job.argv


def test_the_data_set_it_learnt_from_is_the_default(settings: Settings) -> None:
    with pytest.raises(UsageError, match="which data set") as caught:
        plan(settings, "")
    assert caught.value.hint == "name one: --dataset_name ann/takes"
    train(settings, state="finished", training={"dataset": "ann/takes"})
    assert str(plan(settings, "").dataset) == "ann/takes"


@pytest.mark.parametrize(
    ("model", "dataset", "hint"),
    [("ann/violn", "ann/takes", "ann/violin"), ("ann/violin", "ann/take", "ann/takes")],
)
def test_what_is_not_there_names_the_nearest(
    settings: Settings, model: str, dataset: str, hint: str
) -> None:
    with pytest.raises(NotFoundError) as caught:
        evaluation.plan(settings, HOST, "eval", model, dataset)
    assert caught.value.hint == f"did you mean {hint}?"


def test_only_what_was_found_now_counts(settings: Settings) -> None:
    planned = plan(settings)
    assert evaluation.outcome(planned, 0) == {}
    planned.report.parent.mkdir(parents=True)
    runfiles.write_json(planned.report, {"step": 3, "time": 100.0})
    assert evaluation.outcome(planned, 99.0)["step"] == 3
    assert evaluation.outcome(planned, 101.0) == {}


def test_gin_files_are_not_overwritten_unasked(tmp_path: Path) -> None:
    old, new = tmp_path / "old.gin", tmp_path / "new.gin"
    with pytest.raises(NotFoundError, match=r"old\.gin does not exist"):
        conversion.check(old, new)
    put(old)
    conversion.check(old, new)
    put(new)
    with pytest.raises(BusyError, match="exists already"):
        conversion.check(old, new)
    conversion.check(old, new, overwrite=True)


def test_a_translation_that_cannot_be_written_leaves_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "new.gin"
    put(new)
    unwritable = attended.Outcome({"text": "a = '\udc80'"}, ())
    monkeypatch.setattr(conversion.attended, "run_module", lambda *_: unwritable)
    with pytest.raises(UnicodeEncodeError):
        conversion.run(tmp_path / "old.gin", new)
    assert [path.name for path in tmp_path.iterdir()] == ["new.gin"]
    assert new.read_bytes() == b"something"
