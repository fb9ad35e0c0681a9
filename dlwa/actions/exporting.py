"""Exporting a model and taking one in: names, places and the commands behind them."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions import launch
from dlwa.actions._places import refuse_nesting
from dlwa.actions.training import is_model
from dlwa.actions.transfer import Tell, Teller, is_bundle, model_folder
from dlwa.errors import BusyError, DlwaError, NotFoundError, UsageError, VerificationError
from dlwa.hosts.attended import run_attended
from dlwa.logtext import reason_in
from dlwa.names import Name, parse_name
from dlwa.settings import Settings
from dlwa.shell import Command

EXPORT = "dlwa.ddsp.training.ddsp_export"
IMPORT = "dlwa.ddsp.training.import_checkpoint"
FORMATS = ("savedmodel", "tflite", "bundle", "zip")

_CODES: dict[int, type[DlwaError]] = {
    2: UsageError,
    3: NotFoundError,
    6: BusyError,
    7: VerificationError,
}


@dataclass(frozen=True)
class Plan:
    """What an export or import is about to do, checked but not begun."""

    model: Name
    target: Path
    argv: tuple[str, ...]


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
    folder = model_folder(settings, model)
    target = target or settings.workspace.output(model) / "export"
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
    refuse_nesting(model, settings.workspace.model, _plays, "model")
    return Plan(model, target, launch.module_argv(IMPORT, [str(source), f"--target={target}"]))


def run(planned: Plan, tell: Tell, cwd: Path) -> tuple[dict[str, Any], list[str]]:
    """Do what was planned; returns the report and what the program warned of.

    `tell` is called with how far it is; Ctrl-C ends it.
    Raises `DlwaError` with what the program said when it fails; nothing is left behind then.
    """
    with tempfile.TemporaryDirectory(prefix="dlwa-export-") as name:
        folder = Path(name)
        report = folder / "report.json"
        argv = (*planned.argv, f"--report={report}")
        done = run_attended(Command(argv, {"DLWA_RUN_DIR": name}, cwd), Teller(folder, tell))
        if not done.ok:
            raise _failure(folder, done.code, done.out)
        warnings = [line for line in done.out.splitlines() if line.startswith("warning: ")]
        told = [line.removeprefix("warning: ") for line in warnings]
        return runfiles.read_json(report) or {}, told


def _plays(folder: Path) -> bool:
    return is_model(folder) or is_bundle(folder)


def _failure(folder: Path, code: int, said: str) -> DlwaError:
    event = runfiles.last_line(folder / runfiles.EVENTS_FILE) or {}
    kind = _CODES.get(code, DlwaError)
    if event.get("event") == "failed":
        return kind(str(event.get("reason")), str(event.get("hint") or ""))
    return kind(reason_in(said) or f"it ended with exit code {code} and no word")
