"""How `status` shows runs and GPUs."""

import time
from dataclasses import asdict, fields
from typing import Any

from dlwa.actions import (
    deadline,
    durations,
    gpus,
    keepers,
    progress,
    receipts,
    runs,
    users,
    waiting,
)
from dlwa.actions.monitor import finite
from dlwa.actions.remarks import remarks_of
from dlwa.actions.runs import Run
from dlwa.claims import Claims
from dlwa.cli import _runs, options, output
from dlwa.hosts.local import LocalHost
from dlwa.settings import Settings
from dlwa.words import span
from dlwa.workspace import machine_locks

_RECENT_S = 2 * 86400.0
_RECENT_ENOUGH = 8
_LONGEST_NOTE = 400
_IDLE_AFTER_S, _IDLE_PERCENT = 600.0, 5


def show_all(everything: bool) -> None:
    """The table of runs and, where there are GPUs, who uses them."""
    import os

    settings = options.settings()
    found = _runs.all_of(settings)
    shown = found if everything else _recent(found)
    seen = gpus.survey(LocalHost())
    used = gpus.uses(seen, Claims(machine_locks(os.environ))) if seen.usable else []
    if output.json_mode():
        output.answer(
            {"runs": [_document(run) for run in shown], "gpus": [use.document() for use in used]}
        )
        return
    if not shown:
        output.say(f"No runs here yet. Begin with: {_runs.PROGRAM} ddsp make-dataset --help")
    else:
        columns = ["run", "owner", "id", "kind", "state", "how far", "note"]
        output.table("", columns, _rows(shown, settings))
    if used:
        output.text()
        output.table("", ["GPU", "name", "memory", "busy", "used by"], [_gpu_row(u) for u in used])
        _tell_idle(used, found)
    elif seen.broken and keepers.here(settings.workspace, LocalHost()).shares_this_machine:
        output.warn(f"the GPUs do not answer: {seen.said}")
    if len(shown) < len(found):
        output.say(f"{len(found) - len(shown)} older runs: {_runs.PROGRAM} status --all")


def show_csv(text: str | None, everything: bool) -> None:
    """The receipts of runs as a spreadsheet reads them."""
    found = _runs.all_of(options.settings())
    shown = [runs.find_run(found, text)] if text else found if everything else _recent(found)
    if text or everything:  # also what was stopped and gone on with
        shown = [one for run in shown for one in (run, *reversed(users.earlier(run)))]
    told = [asdict(receipts.receipt(run)) for run in shown]
    if output.json_mode():
        output.answer(told)
    else:
        columns = [field.name for field in fields(receipts.Receipt)]
        output.spreadsheet(columns, [[_cell(*item) for item in one.items()] for one in told])


def _cell(key: str, value: object) -> object:
    """A value as a person reads it in a spreadsheet: times of day, no invented digits."""
    if not isinstance(value, float):
        return value
    if key.endswith("_at"):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"


def show_one(text: str) -> None:
    """Everything about one run."""
    settings = options.settings()
    run = runs.find_run(_runs.all_of(settings), text)
    if output.json_mode():
        output.answer({**_document(run), "receipt": asdict(receipts.receipt(run))})
        return
    for word, value in _facts(run, settings):
        if value:
            output.text(f"{word:>9}: {value}")
    for remark in remarks_of(run):
        at = "" if remark.step is None else f"at step {remark.step}: "
        output.warn(f"{at}{remark.text}")
    if run.live:
        _runs.tell_how_to_go_on(run)
    else:
        _runs.tell_end(run, receipt=False)  # it stands above


def _recent(found: list[Run]) -> list[Run]:
    """What goes on, what ended lately, and never fewer than a handful."""
    cut = time.time() - _RECENT_S
    return [
        run
        for place, run in enumerate(found)
        if run.live or place < _RECENT_ENOUGH or float(run.record.get("ended_at") or 0) > cut
    ]


def _rows(shown: list[Run], settings: Settings) -> list[list[str]]:
    ordered = sorted(shown, key=lambda run: (not run.live, -run.began))
    stops_at = _stops_at(settings)
    return [
        [run.name, run.owner, run.id, run.kind, run.state, _runs.far(run), _note(run, stops_at)]
        for run in ordered
    ]


def _stops_at(settings: Settings) -> str | None:
    return options.lab(settings).stops_at


def _note(run: Run, stops_at: str | None) -> str:
    needs_s, limit_s = _needs_s(run), waiting.limit_s(run.record)
    late = deadline.too_long(stops_at, None if needs_s is None else min(needs_s, limit_s))
    cut = ""
    if run.state == "running" and not late and needs_s is not None and needs_s > limit_s:
        cut = f"its time limit ends it in {span(limit_s)}"
        cut += ", train again goes on" if run.kind == "train" else ""
    note = "; ".join(part for part in (_runs.standing(run), cut, late) if part)
    ended = run.record.get("ended_at")
    if not run.live and ended:
        note = "; ".join(part for part in (progress.since(float(ended)), note) if part)
    return note if len(note) <= _LONGEST_NOTE else note[: _LONGEST_NOTE - 3] + "..."


def _needs_s(run: Run) -> float | None:
    """How long a run still needs; of one that waits, at least how long it waits."""
    if wait := waiting.wait_of(run):
        return None if wait.at_most else wait.seconds
    now = progress.progress_of(run) if run.live else None
    return now.left_s if now else None


def _facts(run: Run, settings: Settings) -> list[tuple[str, str]]:
    record = run.record
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.began))
    return [
        ("run", f"{run.name} ({run.kind}, id {run.id})"),
        ("owner", run.owner),
        ("state", run.state),
        ("how far", _runs.far(run)),
        ("note", _note(run, _stops_at(settings))),
        ("since", began),
        *receipts.receipt(run).lines(),
        ("GPU", ", ".join(record.get("gpu_uuids") or [])),
        ("lives in", run.place if run.live else ""),
        ("folder", settings.workspace.shown(run.paths.folder)),
    ]


def _document(run: Run) -> dict[str, Any]:
    at, wait = progress.progress_of(run), waiting.wait_of(run)
    told = None
    if at:
        told = {
            "done": at.done,
            "total": at.total,
            "unit": at.unit,
            "per_s": at.per_s,
            "left_s": at.left_s,
            "losses": {name: finite(value) for name, value in at.losses},
        }
    return {
        **run.document(),
        "progress": told,
        "waiting_s": wait.seconds if wait else None,
        "waiting_at_least": bool(wait and wait.at_least),
        "waiting_at_most": bool(wait and wait.at_most),
        "warnings": [remark.document() for remark in remarks_of(run)],
    }


def _gpu_row(use: gpus.GpuUse) -> list[str]:
    gpu = use.gpu
    memory = f"{_or_unknown(gpu.memory_used_mib)}/{_or_unknown(gpu.memory_total_mib)} MiB"
    busy = f"{_or_unknown(gpu.utilization_percent)} %"
    tells_owner = not use.name or use.name.startswith(f"{use.owner}/")
    by = use.name if tells_owner else f"{use.name} ({use.owner})"
    return [str(gpu.index), gpu.name, memory, busy, by or use.foreign or "free"]


def _tell_idle(used: list[gpus.GpuUse], found: list[Run]) -> None:
    """Name the runs that hold a GPU and hardly use it."""
    long_enough = {run.id for run in found if durations.computed_s(run) > _IDLE_AFTER_S}
    for use in used:
        busy = use.gpu.utilization_percent
        if use.run_id in long_enough and busy is not None and busy <= _IDLE_PERCENT:
            output.warn(f"GPU {use.gpu.index} does nothing now ({busy} %), {use.name} holds it")


def _or_unknown(number: int | None) -> str:
    return "?" if number is None else str(number)
