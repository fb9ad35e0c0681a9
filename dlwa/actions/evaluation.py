"""Measuring a model, and letting it play what it has not heard: `ddsp eval` and `ddsp sample`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dlwa import runfiles
from dlwa.actions import followed, launch, ownership
from dlwa.actions._places import things
from dlwa.actions._train_flags import MODULE, gin_path
from dlwa.actions.datasets import is_dataset
from dlwa.actions.launch import Job
from dlwa.actions.models import playable
from dlwa.actions.runs import Run, read_run
from dlwa.actions.training import dataset_of
from dlwa.errors import NotFoundError, UsageError
from dlwa.hosts.base import Host
from dlwa.labs import Limits
from dlwa.names import Name, parse_name
from dlwa.settings import Settings, nearest
from dlwa.workspace import Workspace

REPORT_FILES = {"eval": "evaluation.json", "sample": "samples.json"}

Mode = Literal["eval", "sample"]
_GIN_NAME: dict[Mode, str] = {"eval": "evaluate", "sample": "sample"}
_HELD_OUT, _ALL = "heldout.tfrecord*", "data.tfrecord*"
# What a CPU hears in a minute or two; extra flags ask for more.
_BATCH_SIZE = 4
_NUM_BATCHES: dict[Mode, int] = {"eval": 4, "sample": 1}


@dataclass(frozen=True)
class Plan:
    """What is about to be measured or played, checked but not begun."""

    mode: Mode
    job: Job
    run_id: str
    model: Name
    dataset: Name
    is_held_out: bool
    report_dir: Path
    save_dir: Path  # of what TensorBoard shows: the model's folder, or `report_dir`
    notes: tuple[str, ...] = ()

    @property
    def report(self) -> Path:
        """The file that says what was found."""
        return self.report_dir / REPORT_FILES[self.mode]


def plan(
    settings: Settings,
    host: Host,
    mode: Mode,
    model_name: str,
    dataset_name: str = "",
    *,
    extra: Sequence[str] = (),
    custom: bool = False,
    follow: bool = False,
    gpu: bool = False,
) -> Plan:
    """Check the model and the data set and spell out the command.

    Without a data set it is the one the model learns from; sounds held out of it are used if there
    are any. `follow` takes each checkpoint a training writes; the last one if it is over. On the
    CPU nothing is waited for, so that a model can be looked at while it trains. To the folder of
    somebody else's model nothing is written. Raises the `DlwaError` that fits.
    """
    workspace = settings.workspace
    model = parse_name(model_name, "model_name")
    folder = playable(workspace, model)
    dataset = _dataset(workspace, model, read_run(folder, host), dataset_name)
    ended = followed.how_it_ended(folder, host) if follow else ""
    held_out = any(path.stat().st_size for path in workspace.dataset(dataset).glob(_HELD_OUT))
    run_id = launch.new_id()
    report_dir = ownership.results_of(model, settings)
    save_dir = folder if ownership.is_own(model, settings) else report_dir
    pattern = workspace.dataset(dataset) / (_HELD_OUT if held_out else _ALL)
    words = (
        *_places(mode, folder, pattern, save_dir, report_dir),
        *(() if follow and not ended else ("--run_once",)),
        *(() if custom else _usual(mode)),
    )
    job = Job(
        kind=mode,
        owner=settings.owner if settings.owner_is_known else model.owner(settings.owner),
        name=str(model),
        folder=workspace.runs / run_id,
        argv=launch.module_argv(MODULE, (*words, *extra)),
        env={} if gpu else {"CUDA_VISIBLE_DEVICES": ""},
        cwd=workspace.root,
        devices="gpu" if gpu else "none",
        details={"dataset": str(dataset)},
    )
    notes = (f"the training of {model} is {ended}; its last checkpoint is taken",) if ended else ()
    return Plan(mode, job, run_id, model, dataset, held_out, report_dir, save_dir, notes)


def start(planned: Plan, settings: Settings, host: Host, limits: Limits) -> Run:
    """Begin what is planned; raises `DlwaError` if it does not come up."""
    return launch.launch(planned.job, settings.workspace, host, limits, planned.run_id)


def bad_end(planned: Plan, settings: Settings, host: Host) -> str:
    """How the training of the model ended if it did not finish, in words; else empty."""
    ended = followed.how_it_ended(settings.workspace.model(planned.model), host)
    bad = ended and not ended.startswith("finished")
    return f"the training of {planned.model} is {ended}" if bad else ""


def outcome(planned: Plan, since: float) -> dict[str, Any]:
    """What was found and written since a moment; empty if nothing was."""
    found = runfiles.read_json(planned.report) or {}
    return found if float(found.get("time") or 0) >= since else {}


def _places(
    mode: Mode, folder: Path, pattern: Path, save_dir: Path, report_dir: Path
) -> tuple[str, ...]:
    return (
        f"--mode={mode}",
        "--alsologtostderr",
        f"--save_dir={save_dir}",
        f"--restore_dir={folder}",
        "--gin_file=datasets/tfrecord.gin",
        f"--gin_param=TFRecordProvider.file_pattern={gin_path(pattern)}",
        f"--gin_param={_GIN_NAME[mode]}.report_dir={gin_path(report_dir)}",
    )


def _usual(mode: Mode) -> tuple[str, ...]:
    name = _GIN_NAME[mode]
    return (
        "--allow_memory_growth",
        "--gin_file=eval/everything.gin",
        f"--gin_param={name}.batch_size={_BATCH_SIZE}",
        f"--gin_param={name}.num_batches={_NUM_BATCHES[mode]}",
        f"--gin_param={name}.repeats=1",
        f"--gin_param={name}.ckpt_delay_secs=0",
    )


def _dataset(workspace: Workspace, model: Name, training: Run | None, name: str) -> Name:
    """The data set that is named, or the one the model learns from."""
    known = things(workspace.datasets, is_dataset)
    if not name:
        name = dataset_of(training)
        if not name:
            raise UsageError(
                f"model_name={model}: nothing says which data set it learnt from",
                f"name one: --dataset_name {known[0] if known else 'your_name/violin'}",
            )
    dataset = parse_name(name, "dataset_name")
    if not is_dataset(workspace.dataset(dataset)):
        hint = nearest(str(dataset), known) if known else "./dlwa.py ddsp make-dataset --help"
        raise NotFoundError(
            f"dataset_name={dataset}: there is no data set in {workspace.dataset(dataset)}", hint
        )
    return dataset
