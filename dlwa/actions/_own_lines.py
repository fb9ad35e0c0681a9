"""What a run itself reported, in files that runs of the same folder have grown before it.

Its record says where the files ended when it began, because clocks are set: a time before the
run's beginning may be the run's all the same.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlwa import runfiles


def own_lines(
    path: Path, record: Mapping[str, Any], *, all_turns: bool = False
) -> Iterator[dict[str, Any]]:
    """The lines of a file that belong to the run of that record.

    Of a run that was put back into the line, only those of its last turn, or of `all_turns`.
    """
    turns = record.get("turns") if all_turns else None
    after = _place(path, turns[0] if turns else record, "begins_at")
    before = _place(path, record, "ends_at")
    if after is not None:
        yield from runfiles.read_lines(path, after, before)
        return
    for line in runfiles.read_lines(path, before=before):
        if _is_since(line, record):
            yield line


def own_last(path: Path, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The last line of a file, if it belongs to the run of that record."""
    after = _place(path, record, "begins_at")
    if after is not None:
        return runfiles.last_line(path, after=after)
    last = runfiles.last_line(path)
    return last if last and _is_since(last, record) else None


def _place(path: Path, record: Mapping[str, Any], key: str) -> int | None:
    places = record.get(key)
    place = places.get(path.name) if isinstance(places, Mapping) else None
    return place if isinstance(place, int) else None


def _is_since(line: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    # it has not begun, or its record was written by hand
    since = record.get("started_at") or record.get("created_at")
    at = line.get("time")
    return bool(since) and isinstance(at, int | float) and at >= float(since or 0)
