"""Remembering the lab in use and who we are, and describing new labs."""

from pathlib import Path
from typing import Any

import yaml

from dlwa import runfiles
from dlwa.errors import BusyError
from dlwa.labs import LOCAL, Lab, lab_from
from dlwa.names import parse_name, parse_owner
from dlwa.settings import read_yaml
from dlwa.workspace import Workspace, project_settings


def remember(workspace: Workspace, **values: str | None) -> Path:
    """Write settings into the workspace's settings file; others in it stay."""
    path = project_settings(workspace.root)
    document = read_yaml(path) or {}
    if values.get("owner") is not None:
        parse_owner(str(values["owner"]))
    document.update({key: value for key, value in values.items() if value is not None})
    _write(path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    return path


def describe(
    workspace: Workspace, name: str, values: dict[str, Any], *, dry_run: bool = False
) -> tuple[Lab, Path]:
    """Check a new lab and write its file, unless it is a dry run.

    Raises `UsageError` if it cannot be right, `BusyError` if there is one of that name.
    """
    parse_name(name, "lab")
    path = workspace.labs / f"{name}.yaml"
    if name == LOCAL or path.exists():
        raise BusyError(
            f"lab={name} exists already: {path}", f"edit {path}, or choose another name"
        )
    known = {key: value for key, value in values.items() if value is not None}
    lab = lab_from(known, name, str(path))
    if not dry_run:
        _write(path, yaml.safe_dump(known, sort_keys=False, allow_unicode=True))
    return lab, path


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with runfiles.written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")
