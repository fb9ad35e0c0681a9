"""Beam pipelines make the same records, whichever runner works, and their options are checked."""

import subprocess
import sys

import pytest

from dlwa.ddsp.audio_io import write_audio
from dlwa.ddsp.training.data_preparation import _analysis, _clean_road
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._errors import PreparationError
from dlwa.ddsp.training.data_preparation._pipeline_options import check_pipeline_options
from dlwa.ddsp.training.data_preparation._settings import Settings
from dlwa.ddsp.training.data_preparation._sources import files_in_folder
from tests.ddsp.tones import RATE, melody
from tests.ddsp.training.data_preparation.test_cache import SETTINGS, Measured

pytest.importorskip("apache_beam")

THREADS = [
    "--runner=DirectRunner",
    "--direct_num_workers=2",
    "--direct_running_mode=multi_threading",
]
PROCESSES = [*THREADS[:2], "--direct_running_mode=multi_processing"]
COMMAND = [sys.executable, "-m", "dlwa.ddsp.training.data_preparation.ddsp_prepare_tfrecord"]


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(3):
        write_audio(folder / f"take{i}.wav", melody(4.0, seed=i)[0], RATE)
    (folder / "copy.wav").write_bytes((folder / "take1.wav").read_bytes())
    write_audio(folder / "silent.wav", 0.0 * melody(4.0)[0], RATE)
    return folder


def prepare(folder, out, options=(), cache=None, **more):
    out.mkdir()
    return _clean_road.prepare(
        files_in_folder(folder),
        out / "data.tfrecord",
        Settings(**{**SETTINGS, **more}),
        2,
        folder,
        cache=cache,
        pipeline_options=options,
    )


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("sample_rate", [16000, 44100])
def test_the_same_records_with_and_without_beam(recordings, tmp_path, monkeypatch, sample_rate):
    monkeypatch.setattr(_analysis, "measure", Measured())
    alone = prepare(recordings, tmp_path / "a", sample_rate=sample_rate)
    beam = prepare(recordings, tmp_path / "b", THREADS, sample_rate=sample_rate)
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert [r.name for r in beam.refused] == [r.name for r in alone.refused]
    assert sorted(r.name for r in beam.refused) == ["silent.wav", "take1.wav"]


def test_workers_use_the_cache(recordings, tmp_path, monkeypatch):
    stand_in = Measured()
    monkeypatch.setattr(_analysis, "measure", stand_in)
    prepare(recordings, tmp_path / "a", cache=Cache(tmp_path / "cache"))
    before = stand_in.count
    prepare(recordings, tmp_path / "b", THREADS, cache=Cache(tmp_path / "cache"))
    assert stand_in.count == before
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_pipeline_that_fails_says_so_and_leaves_nothing(recordings, tmp_path, monkeypatch):
    def broken(*words):
        raise RuntimeError("the worker has no memory left")

    monkeypatch.setattr(_analysis, "measure", broken)
    with pytest.raises(PreparationError, match=r"the Beam pipeline failed: .*no memory left"):
        prepare(recordings, tmp_path / "a", THREADS)
    assert list((tmp_path / "a").iterdir()) == []


@pytest.mark.parametrize("options", ["", [], ["--runner=DirectRunner"], "--runner=DirectRunner"])
def test_one_machine_does_not_need_beam(options, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    assert check_pipeline_options(options) == []


@pytest.mark.parametrize(
    "options",
    [
        THREADS,
        ["--runner=FlinkRunner", "--flink_master=host:8081", "--environment_type=LOOPBACK"],
        ["--runner=SparkRunner", "--spark_master_url=spark://host:7077", "--parallelism=8"],
        ["--runner=PortableRunner", "--job_endpoint=host:8099", "--environment_type=DOCKER"],
        ["--runner=DataflowRunner", "--project=p", "--region=europe-west1", "--num_workers=4"],
    ],
)
def test_the_options_in_the_documentation_are_understood(options):
    assert check_pipeline_options(options) == options


def test_without_beam_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.setitem(sys.modules, "apache_beam.options", None)
    with pytest.raises(ValueError, match=r"need Apache Beam: pip install 'dlwa\[beam\]'"):
        check_pipeline_options(["--runner=FlinkRunner"])


@pytest.mark.ddsp
@pytest.mark.integration
def test_two_real_worker_processes_write_the_same_bytes(recordings, tmp_path):
    """The whole command with CREPE: alone, and by two processes of Beam's DirectRunner."""
    prepare(recordings, tmp_path / "a", precision="auto", example_secs=4.0, hop_secs=1.0)
    flags = [f"--input_audio_dir={recordings}", "--num_shards=2", "--no_cache", "--nopage"]
    flags += ["--pitch_model=tiny", f"--pipeline_options={','.join(PROCESSES)}"]
    argv = [*COMMAND, *flags, f"--output_tfrecord_path={tmp_path}/b/data.tfrecord"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    if " " in sys.executable:  # which Beam's own way of starting processes cannot bear
        assert done.returncode == 2 and "a path with a space" in done.stderr
        return
    assert done.returncode == 0, done.stderr[-3000:]
    made = content(tmp_path / "b")
    assert content(tmp_path / "a") == {name: made[name] for name in made if "tfrecord" in name}
