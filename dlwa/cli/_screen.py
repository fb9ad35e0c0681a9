"""One look at a run, laid out as lines of text for a screen of any size."""

import re
import textwrap
from dataclasses import dataclass

from rich.cells import cell_len

from dlwa.actions.durations import computed_s
from dlwa.actions.gpus import GpuUse
from dlwa.actions.monitor import Snapshot
from dlwa.actions.waiting import wait_of
from dlwa.cli._plot import plot
from dlwa.words import span

_PREFIX = re.compile(r"^([IWEF])\d{4} (\d\d:\d\d:\d\d)\.\d+\s+\d+ [^\s\]]+:\d+\] ")
_SIGNS = {"finished": "green", "running": "green", "queued": "yellow", "starting": "yellow"}


@dataclass(frozen=True)
class Line:
    """A line and the style it is drawn in."""

    text: str
    style: str = ""


def screen(seen: Snapshot, width: int, height: int, *, unicode: bool = True) -> list[Line]:
    """Lay a snapshot out in at most `height` lines of `width` characters.

    Who and how far come first; the plot and the log share what is left.
    """
    head = [*_title(seen, width), *_state(seen, width, max(1, height // 8))]
    head += [_bar(seen, width, unicode), *_pace(seen, width)]
    head += _warnings(seen)[: max(1, height // 8)]
    head += [_event(seen)] if seen.event and height >= 16 else []
    gpus = [Line(_gpu(use, seen), "cyan") for use in seen.gpus][: max(1, height // 6)]
    foot = [Line("Ctrl-C leaves; the run goes on.", "dim")] if seen.run.live else []
    room = height - len(head) - len(gpus) - len(foot)
    points = [(point.step, point.value) for point in seen.curve]
    drawn = plot(points, width, min(8, room // 2), braille=unicode) if room >= 6 else []
    curve = [Line("loss, smoothed", "dim"), *map(Line, drawn)] if drawn else []
    free = room - len(curve) - 1
    log = [Line(f"-- log {'-' * width}", "dim"), *map(_log, seen.log[-free:])] if free > 0 else []
    lines = [*head, *gpus, *curve, *log]
    lines += [Line("")] * (height - len(lines) - len(foot))
    whole = [*lines, *foot][:height]
    return [Line(line.text[:width], line.style) for line in whole]


def plain(seen: Snapshot) -> str:
    """The same as one line of text, for a pipe or a log."""
    parts = [f"{seen.run.kind} {seen.run.name}", seen.run.state]
    if seen.fraction is not None:
        parts.append(f"{_count(seen)} {seen.fraction:.0%}")
    if seen.what:
        parts.append(seen.what)
    if seen.loss is not None:
        parts.append(f"loss {seen.loss:.4g}")
    parts += [_speed(seen)] if seen.rate else []
    parts += [f"{span(seen.eta_s)} left"] if seen.eta_s is not None else []
    parts += [f"warning: {remark.short}" for remark in seen.remarks]
    parts += [seen.run.reason] if seen.run.reason else []
    return "  ".join(parts)


def _log(line: str) -> Line:
    """A line without the process and the place in the code, which would fill half the screen."""
    return Line(_PREFIX.sub(r"\1 \2 ", line, count=1).expandtabs(4))


def _title(seen: Snapshot, width: int) -> list[Line]:
    run = seen.run
    since = f", {span(computed_s(run))}" if run.record.get("started_at") else ""
    about = f"({run.kind} of {run.owner}, id {run.id}{since})"
    if cell_len(f"{run.name}  {about}") <= width:
        return [Line(f"{run.name}  {about}", "bold")]
    return [Line(run.name, "bold"), Line(about, "bold")]


def _state(seen: Snapshot, width: int, most_lines: int) -> list[Line]:
    run, wait = seen.run, wait_of(seen.run)
    place = f", {wait.words()}" if wait else ""
    text = f"{run.state}{place}" + (f": {run.reason}" if run.reason else "")
    told = textwrap.wrap(text, width, subsequent_indent="  ", max_lines=most_lines, placeholder="~")
    return [Line(line, _SIGNS.get(run.state, "red")) for line in told]


def _bar(seen: Snapshot, width: int, unicode: bool) -> Line:
    if seen.fraction is None:
        return Line("no progress reported yet")
    label = f" {seen.fraction:4.0%}"
    room = max(4, width - len(label) - 2)
    filled = round(seen.fraction * room)
    full, empty = ("█", "░") if unicode else ("#", ".")
    return Line(f"[{full * filled}{empty * (room - filled)}]{label}")


def _pace(seen: Snapshot, width: int) -> list[Line]:
    parts = [_count(seen)] if seen.done is not None else []
    parts += [_speed(seen)] if seen.rate else []
    parts += [f"{span(seen.eta_s)} left"] if seen.eta_s is not None else []
    parts += [f"loss {seen.loss:.4g}"] if seen.loss is not None else []
    parts += [seen.what] if seen.what else []
    late = seen.reported_s_ago
    if seen.run.state == "running" and late is not None and late > 30:
        parts.append(f"last report {span(late)} ago")
    lines = [""]
    for part in parts:
        joined = f"{lines[-1]}  {part}" if lines[-1] else part
        lines[-1:] = [joined] if len(joined) <= width else [lines[-1], part]
    return [Line(line) for line in lines]


def _count(seen: Snapshot) -> str:
    total = f"/{seen.total:g}" if seen.total else ""
    unit = {"steps": "step"}.get(seen.unit, "")
    after = f" {seen.unit}" if seen.unit and not unit else ""
    return f"{unit} {seen.done:g}{total}{after}".strip()


def _speed(seen: Snapshot) -> str:
    rate = seen.rate or 0.0
    if rate < 1 and seen.unit == "steps":
        return f"{1 / rate:.2f} s/step" if rate else "0 steps/s"
    return f"{rate:.2f} {seen.unit or 'of it'}/s"


def _event(seen: Snapshot) -> Line:
    event = dict(seen.event or {})
    name, at = event.pop("event", ""), event.pop("time", None)
    ago = f", {span(max(0.0, seen.now - at))} ago" if isinstance(at, int | float) else ""
    text = str(event.get("text") or "").rstrip(".")
    more = text or ", ".join(word for item in event.items() if (word := _told(*item)))
    return Line(f"last event: {name}{ago}{': ' if more else ''}{more}", "dim")


def _told(key: str, value: object) -> str:
    """A fact of an event: `step 300`, `loss 5.2`, `best`; empty for what is not so."""
    if isinstance(value, bool):
        return key if value else ""
    if isinstance(value, float):
        return f"{key} {value:.4g}"
    return "" if value in ("", None) else f"{key} {value}"


def _warnings(seen: Snapshot) -> list[Line]:
    return [Line(f"warning: {remark.text}", "yellow") for remark in seen.remarks]


def _gpu(use: GpuUse, seen: Snapshot) -> str:
    gpu = use.gpu
    busy = "  ?%" if gpu.utilization_percent is None else f"{gpu.utilization_percent:3d}%"
    used, total = gpu.memory_used_mib, gpu.memory_total_mib
    memory = f"{(used or 0) / 1024:.1f}/{(total or 0) / 1024:.0f} GB"
    if use.run_id and use.run_id == seen.run.id:
        who = "this run"
    elif use.run_id:
        who = f"{use.owner}: {use.name}"
    else:
        who = use.foreign or "free"
    return f"GPU {gpu.index} {busy} {memory}  {who}"
