"""What `make-dataset` checks before anything starts."""

from pathlib import Path

import pytest

from dlwa.actions import datasets
from dlwa.errors import BusyError, NotFoundError, UsageError
from dlwa.hosts.local import LocalHost
from dlwa.labs import Limits
from dlwa.settings import Settings

HOST = LocalHost()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    put(tmp_path, "ann/violin/take1.WAV")
    return Settings("ann", tmp_path)


def put(root: Path, name: str) -> None:
    path = root / "inputs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sound")


def plan(settings: Settings, source: str = "ann/violin", dataset: str = "ann/d", **more):
    return datasets.plan(settings, HOST, source, dataset, **more)


def test_the_course_defaults(settings: Settings) -> None:
    planned = plan(settings, extra=["--num_shards=3"])
    staging = f"{settings.root}/datasets/ddsp/ann/.d.partial-{planned.run_id}"
    assert planned.job.argv[1:] == (
        "-P",
        "-m",
        "dlwa.ddsp.training.data_preparation.ddsp_prepare_tfrecord",
        f"--input_audio_dir={settings.root}/inputs/ann/violin",
        f"--output_tfrecord_path={staging}/data.tfrecord",
        f"--cache_dir={settings.root}/.dlwa/cache",
        "--num_shards=10",
        "--alsologtostderr",
        "--num_shards=3",
    )
    assert planned.job.folder == settings.root / ".dlwa/runs" / planned.run_id
    assert planned.job.env == {"PYTHONSAFEPATH": "1"}, "Beam starts its processes without -P"


def test_custom_leaves_only_where_things_lie(settings: Settings) -> None:
    words = plan(settings, custom=True, extra=["--viterbi=false"]).job.argv[4:]
    assert [word.split("=")[0] for word in words] == [
        "--input_audio_dir",
        "--output_tfrecord_path",
        "--cache_dir",
        "--viterbi",
    ]


def test_recordings_of_any_kind_and_case_in_subfolders(settings: Settings) -> None:
    for name in ("b.flac", "sub/c.Mp3", "d.m4a", "e.OPUS", "f.aif", "g.caf"):
        put(settings.root, f"ann/violin/{name}")
    for name in (".hidden.wav", "._take1.wav", ".ipynb_checkpoints/x.wav", "notes.txt"):
        put(settings.root, f"ann/violin/{name}")
    (settings.root / "inputs/ann/violin/folder.wav").mkdir()
    names = {path.name for path in plan(settings).recordings}
    assert names == {"take1.WAV", "b.flac", "c.Mp3", "d.m4a", "e.OPUS", "f.aif", "g.caf"}


def test_a_missing_folder_names_the_nearest(settings: Settings) -> None:
    with pytest.raises(NotFoundError) as caught:
        plan(settings, "ann/violn")
    assert caught.value.hint == "did you mean ann/violin?"


def test_a_folder_without_recordings_says_what_it_holds(settings: Settings) -> None:
    put(settings.root, "ann/text/notes.docx")
    with pytest.raises(NotFoundError, match=r"found: 1 \.docx"):
        plan(settings, "ann/text")


def test_a_name_that_is_taken_is_refused_and_kept(settings: Settings) -> None:
    folder = settings.root / "datasets/ddsp/ann/d"
    folder.mkdir(parents=True)
    assert plan(settings)  # an empty folder is nobody's
    (folder / "data.tfrecord-00000-of-00001").write_text("records")
    with pytest.raises(BusyError) as caught:
        plan(settings)
    assert "ann/d-2" in caught.value.hint
    assert (folder / "data.tfrecord-00000-of-00001").read_text() == "records"


def test_a_dataset_inside_a_dataset_is_refused(settings: Settings) -> None:
    folder = settings.root / "datasets/ddsp/ann/d"
    folder.mkdir(parents=True)
    (folder / "data.tfrecord-00000-of-00001").write_text("records")
    with pytest.raises(UsageError, match="inside the dataset ann/d"):
        plan(settings, dataset="ann/d/v2")
    with pytest.raises(UsageError, match="folder of datasets"):
        datasets.refuse_nesting(
            datasets.parse_name("ann"), settings.workspace.dataset, datasets.is_dataset, "dataset"
        )


def test_what_a_killed_making_left_is_removed(settings: Settings, monkeypatch) -> None:
    left = settings.root / "datasets/ddsp/ann/.d.partial-0badcafe"
    left.mkdir(parents=True)
    (left / "data.tfrecord").touch()
    planned = plan(settings)
    monkeypatch.setattr(datasets.launch, "launch", lambda *_: "launched")
    assert datasets.start(planned, settings, HOST, Limits()) == "launched"
    assert not left.exists()


@pytest.mark.parametrize("asked", ["ann/viola.zip", "ann/viola"])
def test_a_zip_file_instead_of_a_folder_is_told_how_to_unpack(settings: Settings, asked) -> None:
    put(settings.root, "ann/viola.zip")
    with pytest.raises(NotFoundError, match="is an archive") as caught:
        plan(settings, asked)
    folder = settings.root / "inputs/ann/viola"
    assert caught.value.hint == f'unpack it first: python3 -m zipfile -e "{folder}.zip" "{folder}"'


def test_a_folder_that_holds_only_a_zip_file(settings: Settings) -> None:
    put(settings.root, "ann/cello/takes.zip")
    with pytest.raises(NotFoundError, match=r"1 \.zip") as caught:
        plan(settings, "ann/cello")
    assert "takes.zip" in caught.value.hint
