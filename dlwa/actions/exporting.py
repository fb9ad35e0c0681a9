"""Exporting a model and taking one in: names, places and the commands behind them."""

from collections.abc import Sequence
from pathlib import Path

from dlwa.actions import attended, launch, ownership
from dlwa.actions._places import refuse_nesting
from dlwa.actions.attended import Plan
from dlwa.actions.models import is_bundle, playable
from dlwa.actions.training import is_model
from dlwa.errors import BusyError, NotFoundError, UsageError
from dlwa.names import parse_name
from dlwa.settings import Settings

EXPORT = "dlwa.ddsp.training.ddsp_export"
IMPORT = "dlwa.ddsp.training.import_checkpoint"
FORMATS = ("savedmodel", "tflite", "bundle", "zip")


def plan_export(
    settings: Settings,
    model_name: str,
    formats: Sequence[str] = (),
    target: Path | None = None,
    *,
    checkpoint: str = "",
    overwrite: bool = False,
) -> Plan:
    """Find the model and spell out the command.

    The export goes to outputs/OWNER/NAME/export unless `target` names a folder. Raises the
    `DlwaError` that fits what is wrong.
    """
    for kind in formats:
        if kind not in FORMATS:
            raise UsageError(
                f"format={kind} must be one of {', '.join(FORMATS)}", "--format bundle"
            )
    model = parse_name(model_name, "model_name")
    folder = playable(settings.workspace, model)
    target = target or ownership.results_of(model, settings) / "export"
    ownership.refuse_others_place(target, settings)
    if target.exists() and not overwrite:
        raise BusyError(f"output={target} exists already", "add --yes to replace it, or --output")
    words = [f"--model_path={folder}", f"--save_dir={target}", f"--name={model.parts[-1]}"]
    words += [f"--format={','.join(formats)}"] if formats else []
    words += [f"--checkpoint={checkpoint}"] if checkpoint else []
    words += ["--overwrite"] if overwrite else []
    return Plan(model, target, launch.module_argv(EXPORT, words))


def plan_import(settings: Settings, source: Path, model_name: str) -> Plan:
    """Check the names and spell out the command; raises the `DlwaError` that fits."""
    model = parse_name(model_name, "model_name")
    target = settings.workspace.model(model)
    if not source.exists() and not source.with_name(f"{source.name}.index").exists():
        raise NotFoundError(
            f"path={source} does not exist", "name a folder with ckpt-*.index, or a bundle"
        )
    if target.exists():
        raise BusyError(f"model_name={model}: {target} exists already", "choose another name")
    refuse_nesting(model, settings.workspace.model, _holds_model, "model")
    return Plan(model, target, launch.module_argv(IMPORT, [str(source), f"--target={target}"]))


def run(planned: Plan, tell: attended.Tell, cwd: Path) -> attended.Outcome:
    """Do what was planned; returns the report and what the program warned of.

    `tell` is called with how far it is; Ctrl-C ends it.
    Raises `DlwaError` with what the program said when it fails; nothing is left behind then.
    """
    return attended.run_module(planned.argv, tell, cwd)


def _holds_model(folder: Path) -> bool:
    return is_model(folder) or is_bundle(folder)
