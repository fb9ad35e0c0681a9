"""The SHA-256 of what arrives, found beside writing it."""

import functools
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dlwa.actions.sync.wire import Bytes

if TYPE_CHECKING:
    from concurrent.futures import Executor

_WORTH_BYTES = 1 << 18  # of less, the hand-over costs more than it saves


class Digest:
    """A SHA-256 that is brought up to date while something else is done with the same bytes."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    @contextmanager
    def updated(self, data: Bytes) -> Iterator[None]:
        """Count these bytes; they are counted when the block ends."""
        if len(data) < _WORTH_BYTES:
            self._sha256.update(data)
            yield
            return
        counting = _worker().submit(self._sha256.update, data)
        try:
            yield
        finally:
            counting.result()

    def hexdigest(self) -> str:
        """The digest of all that was counted."""
        return self._sha256.hexdigest()


@functools.cache
def _worker() -> "Executor":
    from concurrent.futures import ThreadPoolExecutor  # small transfers start without it

    return ThreadPoolExecutor(1, "sha256")
