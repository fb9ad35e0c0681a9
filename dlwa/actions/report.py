"""The report of a training: which model, how it stands, where the page goes."""

from pathlib import Path

from dlwa.actions import attended, launch, ownership
from dlwa.actions.attended import Plan
from dlwa.actions.models import unknown
from dlwa.actions.runs import Run, read_run
from dlwa.actions.training import dataset_of, is_model
from dlwa.errors import DlwaError, UsageError
from dlwa.hosts.base import Host
from dlwa.names import parse_name
from dlwa.settings import Settings
from dlwa.workspace import Workspace

MODULE = "dlwa.ddsp.report"


def plan(
    settings: Settings,
    host: Host,
    model_name: str,
    page: Path | None = None,
    *,
    sounds: bool = True,
) -> Plan:
    """Find a model, look how its training stands, and spell out the command.

    The page goes to `outputs/OWNER/NAME/report.html` unless `page` names a file; one that is there
    is replaced when the new one is whole. Raises `NotFoundError` if there is no such model.
    """
    workspace = settings.workspace
    model = parse_name(model_name, "model_name")
    folder = workspace.model(model)
    if not is_model(folder):
        raise unknown(workspace, model, is_model)
    page = page or ownership.results_of(model, settings) / "report.html"
    ownership.refuse_others_place(page, settings)
    run = read_run(folder, host, settings.stalled_after_s)
    words = [f"--model_dir={folder}", f"--out={page}", f"--name={model}"]
    if run is not None:
        words += [f"--state={run.state}", f"--reason={run.reason}"]
        dataset = _dataset_of(run, workspace)
        words += [f"--dataset_dir={dataset}"] if dataset else []
    words += [] if sounds else ["--no-sounds"]
    return Plan(model, page, launch.module_argv(MODULE, words))


def run(planned: Plan, tell: attended.Tell, cwd: Path) -> tuple[str, ...]:
    """Make a planned page and return what the program warned of.

    Raises `DlwaError` with what it said when it fails; Ctrl-C ends it and leaves nothing behind.
    """
    try:
        return attended.run_module(planned.argv, tell, cwd, "the report", reports=False).warnings
    except DlwaError as error:
        hint = f"without sounds it needs less: ./dlwa.py ddsp report {planned.model} --no-sounds"
        raise DlwaError(error.message, hint) from error


def _dataset_of(run: Run, workspace: Workspace) -> Path | None:
    """The data set a run was started with, wherever the workspace lies now."""
    name = dataset_of(run)
    try:
        return workspace.dataset(parse_name(name)) if name else None
    except UsageError:
        return None
