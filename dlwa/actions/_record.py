"""The record of a run while it is being written."""

import time
from contextlib import suppress
from typing import Any

from dlwa import runfiles
from dlwa.workspace import RunPaths

_RESERVE_BYTES = 128 * 1024
_PATIENCE_S = 10.0


class Record:
    """run.json, held by the one process that writes it.

    A little disk is reserved at the start and given back when the disk is full, because the end
    of a run has to be recorded above all when the disk is full.
    """

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self.values: dict[str, Any] = runfiles.read_json(paths.record) or {}
        with suppress(OSError):
            paths.reserve.write_bytes(b"\0" * _RESERVE_BYTES)

    def update(self, **values: Any) -> None:
        """Change some values and save, if anything is different."""
        if any(self.values.get(key) != value for key, value in values.items()):
            self.values.update(values)
            self._save()

    def finish(self, **values: Any) -> None:
        """Save the end, trying for some seconds, and give the reserve back."""
        self.values.update(values)
        self.paths.reserve.unlink(missing_ok=True)
        deadline = time.monotonic() + _PATIENCE_S
        while not self._save() and time.monotonic() < deadline:
            time.sleep(0.5)

    def _save(self) -> bool:
        try:
            runfiles.write_json(self.paths.record, self.values)
        except OSError:
            self.paths.reserve.unlink(missing_ok=True)
            try:
                runfiles.write_json(self.paths.record, self.values)
            except OSError:
                return False
        return True
