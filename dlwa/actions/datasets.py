"""Making a data set of recordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions import launch, recordings
from dlwa.actions._places import GB, refuse_nesting, require_room, require_share
from dlwa.actions.launch import Job
from dlwa.actions.runs import Run, read_run
from dlwa.errors import BusyError, UsageError
from dlwa.hosts.base import Host
from dlwa.labs import Limits
from dlwa.locks import FileLock
from dlwa.names import Name, parse_name
from dlwa.settings import Settings
from dlwa.workspace import RunPaths, Workspace

MODULE = "dlwa.ddsp.training.data_preparation.ddsp_prepare_tfrecord"
_NEEDED_BYTES = 0.3 * GB
_RECORDS = "data.tfrecord*"


@dataclass(frozen=True)
class Plan:
    """What `make-dataset` is about to do, checked but not begun."""

    job: Job
    run_id: str
    dataset: Name
    recordings: tuple[Path, ...]
    size_bytes: int


def plan(
    settings: Settings,
    host: Host,
    input_name: str,
    dataset_name: str,
    *,
    extra: Sequence[str] = (),
    custom: bool = False,
    cpu: bool = False,
    argv: Sequence[str] | None = None,
) -> Plan:
    """Check everything the making needs and say what would run.

    In `argv`, which replaces the program (tests), "{staging}" stands for the folder to fill.
    Raises the `DlwaError` that fits what is wrong.
    """
    workspace = settings.workspace
    source = parse_name(input_name, "input_name")
    dataset = parse_name(dataset_name, "dataset_name")
    found = recordings.find(workspace, source)
    refuse_nesting(dataset, workspace.dataset, is_dataset, "dataset")
    _refuse_existing(workspace, dataset)
    run_id = launch.new_id()
    staging = workspace.dataset_staging(dataset, run_id)
    if argv is None:
        words = preparation_argv(
            workspace.input(source), staging, workspace.cache, extra, custom=custom
        )
        program = launch.module_argv(MODULE, words)
        env = {"PYTHONSAFEPATH": "1"}  # -P for Beam's processes, too
    else:
        program = tuple(word.replace("{staging}", str(staging)) for word in argv)
        env = {}
    job = _job(settings, source, dataset, run_id, program, env, cpu=cpu)
    size = sum(path.stat().st_size for path in found)
    return Plan(job, run_id, dataset, tuple(found), size)


def start(planned: Plan, settings: Settings, host: Host, limits: Limits) -> Run:
    """Begin to make a planned data set; raises `DlwaError` if it does not come up."""
    workspace, job = settings.workspace, planned.job
    require_room(workspace, _NEEDED_BYTES + 2 * planned.size_bytes, "a data set")
    require_share(workspace, job.owner, limits)
    lock = FileLock(workspace.dataset_lock(planned.dataset))
    lock.path.parent.mkdir(parents=True, exist_ok=True)
    lock.acquire()
    try:
        _refuse_existing(workspace, planned.dataset)
        _clear_left_behind(workspace, planned.dataset, host)
        Path(job.aside["built"] if job.aside else job.folder).mkdir(parents=True)
        return launch.launch(job, workspace, host, limits, planned.run_id)
    finally:
        lock.release()


def preparation_argv(
    source: Path, staging: Path, cache: Path, extra: Sequence[str], *, custom: bool
) -> tuple[str, ...]:
    """The flags of ddsp_prepare_tfrecord; `custom` leaves only where things lie."""
    places = (
        f"--input_audio_dir={source}",
        f"--output_tfrecord_path={staging / 'data.tfrecord'}",
        f"--cache_dir={cache}",
    )
    defaults = () if custom else ("--num_shards=10", "--alsologtostderr")
    return (*places, *defaults, *extra)


def is_dataset(folder: Path) -> bool:
    """Whether a folder holds records to train on."""
    return any(path.stat().st_size > 0 for path in folder.glob(_RECORDS))


def summary(folder: Path) -> dict[str, Any]:
    """What the preparation wrote down about a data set; empty if it wrote nothing."""
    return runfiles.read_json(folder / "dataset.json") or {}


def _job(
    settings: Settings,
    source: Name,
    dataset: Name,
    run_id: str,
    program: tuple[str, ...],
    env: dict[str, str],
    *,
    cpu: bool,
) -> Job:
    """The run that fills a staging folder, which becomes the data set when all is there."""
    workspace = settings.workspace
    return Job(
        kind="make-dataset",
        owner=dataset.owner(settings.owner),
        name=str(dataset),
        folder=workspace.runs / run_id,
        argv=program,
        env=env,
        cwd=workspace.root,
        devices="cpu" if cpu else "auto",
        aside={
            "built": str(workspace.dataset_staging(dataset, run_id)),
            "place": str(workspace.dataset(dataset)),
            "must_hold": _RECORDS,
        },
        details={"input": str(source)},
    )


def _refuse_existing(workspace: Workspace, dataset: Name) -> None:
    folder = workspace.dataset(dataset)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir():
        raise UsageError(f"dataset_name={dataset}: {folder} is a file", "choose another name")
    raise BusyError(
        f"dataset_name={dataset} exists already: {folder}",
        f"choose another name: --dataset_name {dataset.sibling('-2')}   (nothing is overwritten)",
    )


def _clear_left_behind(workspace: Workspace, dataset: Name, host: Host) -> None:
    """Remove what killed makings left; refuse if one is going on."""
    import shutil

    place = workspace.dataset(dataset)
    for staging in place.parent.glob(f".{place.name}.partial-*"):
        run = read_run(workspace.runs / staging.name.rsplit("-", 1)[1], host)
        if run and (run.live or (run.child and host.is_alive(run.child))):
            raise BusyError(
                f"dataset_name={dataset} is being made by run {run.id} of {run.owner}",
                f"./dlwa.py logs -f {run.id}   or   ./dlwa.py stop {run.id}",
            )
        shutil.rmtree(staging, ignore_errors=True)


def log_of(workspace: Workspace, run_id: str) -> Path:
    """The log of a making."""
    return RunPaths(workspace.runs / run_id, "make-dataset").log
