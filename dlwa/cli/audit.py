"""`dlwa ddsp audit`: are these recordings worth training on?"""

import functools
import math
import sys
from typing import Annotated, Any

import typer

from dlwa.cli import _wrapped, needs, options, output
from dlwa.cli._unpacking import unpacking
from dlwa.errors import ExitCode

_SECONDS_A_MINUTE = 60


def register(app: typer.Typer) -> None:
    """Add the command to the group `ddsp`."""
    app.command("audit")(audit)


def audit(
    where: Annotated[
        str, typer.Argument(metavar="IN", help="OWNER/NAME in inputs/, or a folder or file here.")
    ],
    *,
    how: options.Manner,
) -> int:
    """Judge recordings before anything is sent or trained: a table, a verdict, what to do.

    Reads everything once (15 minutes of audio take about 10 s), changes nothing, needs no
    TensorFlow. Ends with 3 when there are no recordings.
    """
    from dlwa.actions import audit as action

    settings = options.settings()
    planned = unpacking(functools.partial(action.plan, settings), where, how)
    if output.only_shown(planned.argv, how.dry_run):
        return ExitCode.OK
    needs.audio(how)
    with output.telling("audit", "s of audio") as tell:
        found = action.run(planned, tell, settings.workspace.root)
    output.answer(found)
    tell_table(found)
    tell_verdict(found)
    return ExitCode.OK


def tell_table(found: dict[str, Any]) -> None:
    """A row for every recording; below it what is remarkable, and the files that are of no use."""
    if output.json_mode():
        return
    columns = ["file", "length", "kHz", "peak", "noise", "silent", "pitched", "clear", "chords"]
    output.table("", [*columns, "notes"], [_row(file) for file in found.get("files") or []])
    output.text("(peak and noise in dB; silent, pitched, clear and chords in %)")
    output.text()
    for file in found.get("files") or []:
        if file.get("remarks"):
            output.text(f"{file['file']}: {', '.join(file['remarks'])}")
    for refused in found.get("refused") or []:
        output.text(f"{refused['file']}: not usable: {refused['reason']}")


def tell_verdict(found: dict[str, Any]) -> None:
    """The map, the verdict, what is missing and what to do."""
    if output.json_mode():
        return
    if found.get("coverage"):
        from dlwa.cli import _heatmap

        output.text()
        output.text("How long which notes sound")
        for line in _heatmap.draw(found["coverage"], plain=not _can_shade()):
            output.text(line)
    output.text()
    _tell(f"{found.get('verdict', '?')}: {found.get('summary', '')}")
    for line in found.get("missing") or []:
        _tell(f"missing: {line}")
    for line in found.get("advice") or []:
        _tell(f"advice: {line}")


def _tell(sentence: str) -> None:
    for line in _wrapped.lines(sentence, sys.stdout):
        output.text(line)


def _row(file: dict[str, Any]) -> list[object]:
    low_high = file.get("f0_hz") or []
    return [
        file["file"],
        _length(file["seconds"]),
        f"{file['sample_rate'] / 1000:.4g}",
        _whole(file.get("peak_db")),
        _whole(file.get("noise_floor_db")),
        _whole(100 * file.get("silent_share", 1.0)),
        _whole(100 * file.get("voiced_share", 0.0)),
        _whole(100 * (file.get("pitch_confidence") or 0.0)),
        _whole(100 * file.get("chord_share", 0.0)),
        "-".join(_note(hz) for hz in low_high),
    ]


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), _SECONDS_A_MINUTE)
    return f"{minutes}:{rest:02d}" if seconds >= 10 else f"{seconds:.1f} s"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _note(hz: float) -> str:
    """Name of the note nearest to a frequency."""
    from dlwa.actions.models import note

    return note(69 + 12 * math.log2(hz / 440))


def _can_shade() -> bool:
    try:
        "░▒▓█".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
