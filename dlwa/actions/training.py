"""Training a model: starting it, going on with it, starting over."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions import gpus, keepers, launch
from dlwa.actions._places import GB, refuse_nesting, require_room, require_share, things
from dlwa.actions._train_flags import MODULE, fixed, lasting, steps_in, training_argv
from dlwa.actions.datasets import is_dataset
from dlwa.actions.launch import Job
from dlwa.actions.runs import Run, read_run
from dlwa.errors import DlwaError, NotFoundError, UsageError
from dlwa.hosts.base import Host
from dlwa.labs import Limits
from dlwa.names import Name, parse_name
from dlwa.settings import Settings, nearest
from dlwa.workspace import Workspace

_NEEDED_BYTES = 1 * GB  # ten checkpoints of the default model


@dataclass(frozen=True)
class Plan:
    """What `train` is about to do, checked but not begun."""

    job: Job
    model: Name
    resumes: bool = False
    already_done: bool = False
    notes: tuple[str, ...] = ()


def plan(
    settings: Settings,
    host: Host,
    dataset_name: str,
    model_name: str,
    *,
    extra: Sequence[str] = (),
    custom: bool = False,
    fresh: bool = False,
    cpu: bool = False,
    hours: float | None = None,
    argv: Sequence[str] | None = None,
) -> Plan:
    """Check everything a training needs and say what would run.

    After `hours` it saves and stops; nobody is held to them the next time. `argv` replaces the
    training program (tests). Raises the `DlwaError` that fits what is wrong.
    """
    workspace = settings.workspace
    _require_hours(hours)
    dataset = _dataset(workspace, dataset_name)
    model = _model(workspace, model_name, fresh)
    folder = workspace.model(model)
    launch.refuse_if_live(folder, host)
    before = _before(folder, model, host)
    learnt = before if has_checkpoint(folder) else None  # else nothing stands in a change's way
    extra, custom, notes = _with_kept_flags(learnt, extra, custom)
    made = _what_it_learns(workspace, dataset, extra, custom)
    if learnt is not None:
        _require_same(learnt, made, model)
    words = training_argv(workspace.dataset(dataset), folder, extra, custom=custom, hours=hours)
    steps = steps_in(words)
    job = Job(
        kind="train",
        owner=model.owner(settings.owner),
        name=str(model),
        folder=folder,
        argv=tuple(argv) if argv is not None else launch.module_argv(MODULE, words),
        cwd=workspace.root,
        devices="cpu" if cpu else "auto",
        total_steps=steps,
        details={"training": made},
    )
    return Plan(job, model, has_checkpoint(folder), _is_done(learnt, steps), notes)


def start(planned: Plan, settings: Settings, host: Host, limits: Limits) -> Run:
    """Begin a planned training; raises `DlwaError` if it does not come up."""
    job = planned.job
    require_room(settings.workspace, _NEEDED_BYTES, "a training")
    require_share(settings.workspace, job.owner, limits)
    if keepers.here(settings.workspace, host).shares_this_machine:
        _require_working_driver(job, host)
    if limits.gpus_per_run != 1:
        job = Job(**{**vars(job), "gpus": limits.gpus_per_run})
    return launch.launch(job, settings.workspace, host, limits)


def is_model(folder: Path) -> bool:
    """Whether a folder holds a training: its record or checkpoints."""
    return (folder / runfiles.RECORD_FILE).is_file() or any(folder.glob("ckpt-*.index"))


def dataset_of(run: Run | None) -> str:
    """The name of the data set a training learns from; empty if nobody wrote it down."""
    return str(_recorded(run).get("dataset") or "")


def has_checkpoint(folder: Path) -> bool:
    """Whether anything has been learnt and saved in a folder; step 0 is before that."""
    return any(path.name != "ckpt-0.index" for path in folder.glob("ckpt-*.index"))


def _require_hours(hours: float | None) -> None:
    if hours is not None and not 0 < hours < float("inf"):
        raise UsageError(f"hours={hours:g} must be a positive number", "e.g. --hours 2.5")


def _dataset(workspace: Workspace, text: str) -> Name:
    dataset = parse_name(text, "dataset_name")
    folder = workspace.dataset(dataset)
    if any(char in str(folder) for char in "*?["):
        raise UsageError(
            f"the workspace {workspace.root} has one of * ? [ in its path, which file patterns "
            "cannot express",
            hint="move or rename the folder",
        )
    if is_dataset(folder):
        return dataset
    known = things(workspace.datasets, is_dataset)
    hint = (
        nearest(str(dataset), known)
        if known
        else f"make it first: ./dlwa.py ddsp make-dataset --input_name {dataset} "
        f"--dataset_name {dataset}"
    )
    made = folder.parent.glob(f".{folder.name}.partial-*")
    state = "is not finished yet" if any(made) else "does not exist"
    raise NotFoundError(f"dataset_name={dataset} {state}: no {folder}/data.tfrecord*", hint)


def _model(workspace: Workspace, text: str, fresh: bool) -> Name:
    model = parse_name(text, "model_name")
    refuse_nesting(model, workspace.model, is_model, "model")
    number, candidate = 2, model
    while fresh and workspace.model(candidate).exists():
        candidate = model.sibling(f"-{number}")
        number += 1
    return candidate


def _before(folder: Path, model: Name, host: Host) -> Run | None:
    """The training this folder already holds; a folder of other things is refused."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise UsageError(f"model_name={model}: {folder} is a file", "choose another name")
    others = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    if others and not is_model(folder):
        raise UsageError(
            f"model_name={model}: {folder} holds other things ({', '.join(sorted(others)[:3])})",
            "choose another name",
        )
    return read_run(folder, host)


def _with_kept_flags(
    before: Run | None, extra: Sequence[str], custom: bool
) -> tuple[Sequence[str], bool, tuple[str, ...]]:
    """The flags with those a model was started with, when it is resumed without any that matter.

    Flags that only say how long and how often come after them and win. The third is what to tell.
    """
    was = _recorded(before)
    recorded = lasting([str(word) for word in was.get("extra") or ()])
    recorded = [word for word in recorded if word not in extra]
    kept = bool(was.get("custom"))
    if fixed(extra) or custom or not (recorded or kept):
        return extra, custom, ()
    return [*recorded, *extra], kept, ("with the extra flags it was started with",)


def _recorded(run: Run | None) -> Mapping[str, Any]:
    """What a training wrote down of what it learns; empty if it wrote nothing."""
    made = run.record.get("training") if run else None
    return made if isinstance(made, dict) else {}


def _what_it_learns(
    workspace: Workspace, dataset: Name, extra: Sequence[str], custom: bool
) -> dict[str, Any]:
    return {
        "dataset": str(dataset),
        "dataset_fingerprint": _fingerprint(workspace.dataset(dataset)),
        "extra": list(extra),
        "custom": custom,
    }


def _fingerprint(folder: Path) -> str:
    """What changes when a data set is made anew: names, sizes and the paper of its making."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("data.tfrecord*")):
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
    paper = folder / "dataset.json"
    if paper.is_file():
        digest.update(paper.read_bytes())
    return digest.hexdigest()[:16]


def _require_same(before: Run, now: dict[str, Any], model: Name) -> None:
    was = _recorded(before)
    if not was:
        return
    over = f"add --fresh to train {model.sibling('-2')} beside it, or name another model"
    if was.get("dataset") != now["dataset"]:
        raise UsageError(
            f"dataset_name={now['dataset']}: the model {model} learns from {was.get('dataset')}",
            f"go on with --dataset_name {was.get('dataset')}; {over}",
        )
    if was.get("dataset_fingerprint") != now["dataset_fingerprint"]:
        raise UsageError(
            f"dataset_name={now['dataset']} was made anew since the model {model} began", over
        )
    old, new = fixed(was.get("extra") or []), fixed(now["extra"])
    if old != new or bool(was.get("custom")) != now["custom"]:
        told = " ".join((["--custom"] if was.get("custom") else []) + old) or "no extra flags"
        raise UsageError(
            f"model_name={model} was started with other settings: {told}",
            f"go on without extra flags (they are remembered); {over}",
        )


def _is_done(before: Run | None, steps: int | None) -> bool:
    if before is None or before.state != "finished" or steps is None:
        return False
    last = runfiles.last_line(before.paths.metrics) or {}
    reached = last.get("step", before.record.get("total_steps"))
    return isinstance(reached, int) and reached >= steps


def _require_working_driver(job: Job, host: Host) -> None:
    if job.devices != "auto":
        return
    seen = gpus.survey(host)
    if seen.broken:
        raise DlwaError(
            f"this machine has NVIDIA's tools but its GPUs do not answer: {seen.said}",
            "ask who looks after it to restart it; or add --cpu to train slowly on the CPU",
        )
