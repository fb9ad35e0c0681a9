"""What the lab says of each file, heard while others are still being sent."""

import queue
import threading
from typing import Any

from dlwa.actions.sync.files import Entry
from dlwa.actions.sync.near._answers import checked
from dlwa.actions.sync.near._result import Result
from dlwa.actions.sync.wire import Wire


class Acks:
    """Reads what the lab says about each file while others are still being sent."""

    def __init__(self, wire: Wire, entries: list[Entry], result: Result) -> None:
        self.same: set[int] = set()
        self.entries = entries
        self._wire, self._result = wire, result
        self._end: queue.Queue[BaseException | None] = queue.Queue()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def lost(self, number: int, reason: str) -> None:
        """Note that one of ours cannot be sent."""
        self._result.refused[self.entries[number].path] = reason

    def require_alive(self) -> None:
        """Raise what the lab has said that ends it all."""
        if self._failure:
            raise self._failure

    def wait(self) -> None:
        """Wait for the last word; raises what it is if it is an error."""
        failure = self._end.get()
        if failure:
            raise failure

    def _read(self) -> None:
        try:
            while not self._take(checked(self._wire.message())):
                pass
        except BaseException as error:
            self._failure = error
            self._end.put(error)
        else:
            self._end.put(None)

    def _take(self, message: dict[str, Any]) -> bool:
        result = self._result
        if "done" in message:
            number = int(message["done"])
            (result.same if number in self.same else result.sent).append(self._path(number))
        elif "bad" in message:
            result.bad.append(self._path(int(message["bad"])))
        elif "failed" in message:
            result.refused[self._path(int(message["failed"]))] = str(message["reason"])
        elif "finished" in message:
            result.deleted = [str(path) for path in message["deleted"]]
            return True
        return False

    def _path(self, number: int) -> str:
        return self.entries[number].path
