"""Translating gin files written for older versions of the field's package."""

from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions import attended, launch
from dlwa.errors import BusyError, NotFoundError

MODULE = "dlwa.ddsp.training.convert_gin"


def check(old: Path, new: Path | None, *, overwrite: bool = False) -> None:
    """Raise the `DlwaError` that fits if the files cannot be what they are said to be."""
    if not old.is_file():
        raise NotFoundError(f"file={old} does not exist", "name a gin file, e.g. solo_32k.gin")
    if new is not None and new.exists() and not overwrite:
        raise BusyError(f"file={new} exists already", "name another file, or add --yes")


def argv(old: Path) -> tuple[str, ...]:
    """The command that translates, all but where its report goes."""
    return launch.module_argv(MODULE, (str(old),))


def run(old: Path, new: Path | None) -> dict[str, Any]:
    """Translate a file and write the new one, whole or not at all; return the report.

    The report holds text, changes, problem and hint. Raises `DlwaError` if there is none.
    """
    report = attended.run_module(argv(old), lambda *_: None).report
    if new is not None:
        new.parent.mkdir(parents=True, exist_ok=True)
        with runfiles.written_aside(new) as aside:
            aside.write_text(str(report["text"]), encoding="utf-8")
    return report
