"""The record of a run while it is being written."""

import json
import os
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.errors import DlwaError
from dlwa.workspace import RunPaths

_RESERVE_BYTES = 128 * 1024
_PATIENCE_S = 10.0
_SET_BY_S = 5.0  # the clock was set, not merely corrected


class Record:
    """run.json, held by the one process that writes it.

    A little disk is reserved at the start: on a full disk the record is written into that file,
    which then takes the record's place. The end of a run has to be recorded above all when the
    disk is full, and whatever fills it would take any space that is given back.

    Lengths of time are measured with a clock that nobody sets.
    """

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self.values: dict[str, Any] = runfiles.read_json(paths.record) or {}
        self._offset_s = time.time() - time.monotonic()
        self._began_s: float | None = None
        self._paused_gpus: list[str] = []
        self._reserve()

    def update(self, **values: Any) -> None:
        """Change some values and save, if anything is different."""
        if any(self.values.get(key) != value for key, value in values.items()):
            self.values.update(values)
            self._save()

    def begin(self, **values: Any) -> None:
        """Save that the turn has come: since when, after how long, and what is not of this run."""
        now, self._began_s = time.time(), time.monotonic()
        asked = self.values.get("created_at") or now
        self.update(
            state="starting",
            started_at=now,
            waited_s=max(0.0, now - asked - self._shift_s() - self._earlier_s()),
            clock_shift_s=0.0,
            begins_at=runfiles.sizes(self.paths.folder),
            **values,
        )

    def finish(self, **values: Any) -> None:
        """Save the end, trying for some seconds, and give the reserve back."""
        self.values.update(values)
        if self._began_s is not None:
            self.values["computed_s"] = self.computed_s()
        deadline = time.monotonic() + _PATIENCE_S
        while not self._save() and time.monotonic() < deadline:
            time.sleep(0.5)
        self.paths.reserve.unlink(missing_ok=True)

    def computed_s(self) -> float | None:
        """How long the run has computed until now, in all its turns; None if it has not begun."""
        if self._began_s is None:
            return None
        return self._earlier_s() + time.monotonic() - self._began_s

    def pause(self, ended: str, reason: str) -> None:
        """Save that this turn has ended, how, and that the run waits for another, and why."""
        values = self.values
        turn = {
            "started_at": values.get("started_at"),
            "begins_at": values.get("begins_at"),
            "computed_s": time.monotonic() - (self._began_s or time.monotonic()),
            "gpus": len(values.get("gpu_uuids") or []),
            "host": values.get("host"),
            "ended": ended,
        }
        turns = [*(values.get("turns") or []), turn]
        self._paused_gpus = values.get("gpu_uuids") or []
        self.update(state="queued", reason=reason, turns=turns, gpu_uuids=[])
        self.paths.reserve.unlink(missing_ok=True)

    def unpause(self) -> None:
        """Take `pause` back: there is no other turn, so this one counts as the last."""
        *turns, _ = self.values["turns"]
        self.update(turns=turns, gpu_uuids=self._paused_gpus)
        self._reserve()

    def mind_clock(self) -> float:
        """Note if the clock was set since the last look, and return by how many seconds."""
        offset_s = time.time() - time.monotonic()
        set_by_s = offset_s - self._offset_s
        if abs(set_by_s) < _SET_BY_S:
            return 0.0
        self._offset_s = offset_s
        self.update(clock_shift_s=self._shift_s() + set_by_s)
        return set_by_s

    def _shift_s(self) -> float:
        return float(self.values.get("clock_shift_s", 0.0))

    def _earlier_s(self) -> float:
        """What the run computed in its earlier turns."""
        return sum(float(turn["computed_s"]) for turn in self.values.get("turns") or [])

    def _reserve(self) -> None:
        with suppress(OSError):
            self.paths.reserve.write_bytes(b"\0" * _RESERVE_BYTES)

    def _save(self) -> bool:
        for write in (runfiles.write_json, self._write_into_reserve):
            try:
                write(self.paths.record, self.values)
            except OSError:
                continue
            return True
        return False

    def _write_into_reserve(self, path: Path, document: dict[str, Any]) -> None:
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        with self.paths.reserve.open("r+b") as stream:
            stream.write(text.encode("utf-8"))
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())
        self.paths.reserve.replace(path)
        self._reserve()


def record_breakdown(folder: Path, error: Exception) -> None:
    """Record that the wrapper itself broke, and keep where."""
    paths = RunPaths(folder)
    with suppress(OSError), paths.wrapper_log.open("a", encoding="utf-8") as stream:
        traceback.print_exception(error, file=stream)
    record: dict[str, Any] = {"state": "failed", "ended_at": time.time(), "exit_code": None}
    if isinstance(error, DlwaError):
        told = {"reason": error.message, "hint": error.hint}
    else:
        told = {"reason": f"dlwa itself broke: {error} (see {paths.wrapper_log.name})"}
    Record(paths).finish(**record, **told)
