"""Programs of the DDSP half that one waits for: what they tell meanwhile, and what they report."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions._job import where_dlwa_is
from dlwa.errors import BusyError, DlwaError, NotFoundError, UsageError, VerificationError
from dlwa.hosts.attended import ended_like_ctrl_c, run_attended
from dlwa.logtext import reason_in
from dlwa.names import Name
from dlwa.shell import Command

Tell = Callable[[float, float | None, str], None]

_WARNING = "warning: "
_KINDS: dict[int, type[DlwaError]] = {
    int(kind.exit_code): kind for kind in (UsageError, NotFoundError, BusyError, VerificationError)
}


@dataclass(frozen=True)
class Plan:
    """What is about to be done with a model, checked but not begun; `target` is what it makes."""

    model: Name
    target: Path
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What a program reported, and what it warned of."""

    report: dict[str, Any]
    warnings: tuple[str, ...]


def run_module(
    argv: Sequence[str],
    tell: Tell,
    cwd: Path | None = None,
    what: str = "it",
    *,
    reports: bool = True,
) -> Outcome:
    """Run a program to its end; Ctrl-C or a closed terminal ends it and leaves nothing behind.

    `tell` hears how much is done, of how much, and what is being done. A program that `reports`
    takes `--report=FILE`. Raises the `DlwaError` that fits its exit code, with what it said.
    """
    with ended_like_ctrl_c(), tempfile.TemporaryDirectory(prefix="dlwa-") as name:
        folder = Path(name)
        report = folder / "report.json"
        words = (*argv, f"--report={report}") if reports else tuple(argv)
        command = Command(words, {**where_dlwa_is(), "DLWA_RUN_DIR": name}, cwd)
        done = run_attended(command, _Teller(folder, tell))
        found = runfiles.read_json(report) if reports else {}
        if not done.ok or found is None:
            raise _failure(folder, done.code, done.out, what)
    lines = [line for line in done.out.splitlines() if line.startswith(_WARNING)]
    return Outcome(found, tuple(line.removeprefix(_WARNING) for line in lines))


class _Teller:
    """Tells what a program last reported, each report once."""

    def __init__(self, folder: Path, tell: Tell) -> None:
        self._metrics = folder / runfiles.METRICS_FILE
        self._tell = tell
        self._told: dict[str, Any] = {}

    def __call__(self) -> None:
        """Look once."""
        last = runfiles.last_line(self._metrics) or {}
        if last == self._told or not isinstance(last.get("done"), int | float):
            return
        self._told, total = last, last.get("total")
        known = round(float(total), 1) if isinstance(total, int | float) else None
        self._tell(round(float(last["done"]), 1), known, str(last.get("what", "")))


def _failure(folder: Path, code: int, said: str, what: str) -> DlwaError:
    event = runfiles.last_line(folder / runfiles.EVENTS_FILE) or {}
    kind = _KINDS.get(code, DlwaError)
    if event.get("event") == "failed":
        return kind(str(event.get("reason")), str(event.get("hint") or ""))
    return kind(reason_in(said) or f"{what} ended with exit code {code} and no word")
