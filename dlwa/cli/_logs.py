"""How `logs` shows what a run printed."""

import os
import time

from dlwa.actions.runs import Run
from dlwa.cli import _runs, options, output
from dlwa.errors import ExitCode, NotFoundError
from dlwa.logtext import Lines, last_lines, plain_lines
from dlwa.settings import Settings

_LOOK_EVERY_S = 0.2
_FRAME_EVERY_S = 2.0
_TAIL_BYTES = 65536


def show(
    text: str | None, *, follow: bool, lines: int, no_input: bool, from_byte: int | None = None
) -> int:
    """Show the end of a log, or what follows a byte of it, and perhaps follow it."""
    settings = options.settings()
    found = _runs.all_of(settings)
    one_live = [run for run in found if run.live]
    if text is None and not one_live and found:
        run = found[0]
    else:
        run = _runs.pick(
            found, text, "Whose log?", live=True, no_input=no_input, mine=settings.owner
        )
    if not run.paths.log.is_file():
        raise NotFoundError(f"run={run.name} has printed nothing yet", f"{_runs.PROGRAM} status")
    if from_byte is not None:
        return _follow(run, settings, from_byte)
    told, size = _tail(run, lines) if follow else (last_lines(run.paths.log, lines), 0)
    told = told if lines else []
    if output.json_mode():
        output.answer({**run.document(), "lines": told})
        return ExitCode.OK
    for line in told:
        output.text(line)
    if follow:
        _mark(run, size)
        return _follow(run, settings, size)
    return ExitCode.OK


def _tail(run: Run, count: int) -> tuple[list[str], int]:
    """The last whole lines of a log, and the byte at which the next one begins."""
    with run.paths.log.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        start = stream.seek(max(0, size - _TAIL_BYTES))
        data = stream.read(size - start)
    whole = data[: data.rfind(b"\n") + 1]
    lines = [line for line in plain_lines(whole.decode("utf-8", "replace")) if line.strip()]
    return lines[-count:], start + len(whole)


def _follow(run: Run, settings: Settings, offset: int) -> int:
    """Print what is added until the run ends; progress drawn over itself every other second."""
    lines, shown, shown_at = Lines(), "", time.monotonic()
    with run.paths.log.open("rb") as stream:
        stream.seek(offset)
        while True:
            ended = not _runs.again(run, settings).live
            data = stream.read(1 << 16)
            for line in lines.feed(data):
                output.text(line)
            if data:
                _mark(run, stream.tell() - lines.pending_bytes)
            pending, now_s = lines.pending, time.monotonic()
            if pending.strip() and pending != shown and now_s - shown_at > _FRAME_EVERY_S:
                output.text(pending)
                shown, shown_at = pending, now_s
            if not data and ended:
                break
            if not data:
                time.sleep(_LOOK_EVERY_S)
    now = _runs.again(run, settings)
    return _runs.tell_end(now, receipt=now.state == "lost")  # else it stands in the log


def _mark(run: Run, offset: int) -> None:
    output.mark(["logs", run.id, "--follow", "--from-byte", str(offset)])
