"""The files of a run: the only thing the two halves of dlwa share besides an argv.

A run's folder holds
    run.json        the record: who, what, where, state (written by the wrapper)
    metrics.jsonl   a line a report of progress (written by the job)
    events.jsonl    a line a remarkable event: checkpoint, rollback, plateau (written by the job)

Writers replace run.json as a whole (write aside, rename) and append lines with one system
call; readers accept a missing file and a last line cut short by a crash.
"""

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RECORD_FILE = "run.json"
METRICS_FILE = "metrics.jsonl"
EVENTS_FILE = "events.jsonl"


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A path beside a file to write to, which takes the file's place if all goes well.

    It is nobody else's: many threads, processes and machines may write the same file at once.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a JSON file so that a reader sees the old document or the new one, never a part."""
    with written_aside(path) as aside, aside.open("w", encoding="utf-8") as stream:
        json.dump(document, stream, indent=1, ensure_ascii=False)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the document, or None where there is none or it cannot be read as one."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def append_line(path: Path, document: Mapping[str, Any]) -> None:
    """Append one JSON line in a single write, so that lines of two writers never mix."""
    line = json.dumps(document, ensure_ascii=False, allow_nan=True) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o664)
    try:
        os.write(handle, line.encode("utf-8"))
    finally:
        os.close(handle)


def sizes(folder: Path) -> dict[str, int]:
    """Where the two growing files of a run end now; what comes after is a new run's."""
    found = {}
    for name in (METRICS_FILE, EVENTS_FILE):
        try:
            found[name] = (folder / name).stat().st_size
        except OSError:
            found[name] = 0
    return found


def read_lines(path: Path, after: int = 0, before: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines of a file after a byte; what is no whole document is skipped.

    With `before` only lines that begin before that byte. A file shorter than `after` was begun
    anew and is read from its start.
    """
    try:
        stream = path.open("rb")
    except OSError:
        return
    with stream:
        at = stream.seek(after if stream.seek(0, os.SEEK_END) >= after else 0)
        for line in stream:
            if before is not None and at >= before:
                return
            at += len(line)
            try:
                document = json.loads(line)
            except ValueError:
                continue
            if isinstance(document, dict):
                yield document


def run_dir() -> Path | None:
    """Return the folder of the run this process belongs to, or None if it belongs to none."""
    folder = os.environ.get("DLWA_RUN_DIR")
    return Path(folder) if folder and Path(folder).is_dir() else None


def report_step(
    folder: Path,
    step: int,
    total_steps: int,
    losses: Mapping[str, float],
    steps_per_s: float,
    **more: Any,
) -> None:
    """Append where a training is: step of total_steps, its losses and its speed."""
    append_line(
        folder / METRICS_FILE,
        {
            "step": step,
            "total_steps": total_steps,
            "losses": dict(losses),
            "steps_per_s": steps_per_s,
            "time": time.time(),
            **more,
        },
    )


def report_progress(
    folder: Path, done: float, total: float | None, unit: str, what: str = "", **more: Any
) -> None:
    """Append how far a job that is not a training has come, e.g. 12.5 of 90 "s of audio"."""
    append_line(
        folder / METRICS_FILE,
        {"done": done, "total": total, "unit": unit, "what": what, "time": time.time(), **more},
    )


def tell_progress(done: float, total: float | None, unit: str, what: str = "", **more: Any) -> None:
    """Report how far it is to the run this process belongs to, if it belongs to one."""
    if folder := run_dir():
        report_progress(folder, done, total, unit, what, **more)


def report_event(folder: Path, event: str, **more: Any) -> None:
    """Append something worth telling: "checkpoint", "restored", "rollback", "stopped" ..."""
    append_line(folder / EVENTS_FILE, {"event": event, "time": time.time(), **more})


def last_line(path: Path, max_bytes: int = 65536, after: int = 0) -> dict[str, Any] | None:
    """Return the last whole JSON line of a file, reading only its end; None if there is none.

    With `after` only lines after that byte count, unless the file is shorter.
    """
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(after if size >= after else 0, size - max_bytes))
            lines = stream.read(max_bytes).split(b"\n")
    except OSError:
        return None
    for line in reversed(lines):
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            return document
    return None
