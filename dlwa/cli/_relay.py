"""The far end of a command that a laptop runs here: what it would print becomes JSON lines.

The laptop draws them with its own `output` (its width, its colours, its `--json`), so a command
and its looks exist once. `DLWA_RELAY` switches it on: "terminal" if a person can be asked there.
Lines are `{"KIND": [arguments]}`; answers to questions come back as JSON lines on stdin.
"""

import _thread
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlwa.cli.progress import Progress

VARIABLE = "DLWA_RELAY"
TERMINAL = "terminal"
_PROGRESS_EVERY_S = 0.2

_lock = threading.Lock()
_replies: "Queue[Any]" = Queue()
_state = {"listening": False, "resumable": False}


def active() -> bool:
    """Whether what is printed goes to a laptop."""
    return bool(os.environ.get(VARIABLE))


def somebody_there() -> bool:
    """Whether a person sits at the laptop's terminal."""
    return os.environ.get(VARIABLE) == TERMINAL


def send(kind: str, *arguments: Any) -> bool:
    """Pass one thing on; False where nothing is to be passed on.

    A laptop that has gone is no reason to stop half-way: what cannot be sent is dropped.
    """
    if not active():
        return False
    line = json.dumps({kind: arguments}, ensure_ascii=True, default=str) + "\n"
    with _lock, suppress(OSError, ValueError):
        sys.stdout.write(line)
        sys.stdout.flush()
    return True


def ask(kind: str, *arguments: Any) -> Any:
    """Pass a question on and wait for its answer; None if the laptop has gone."""
    _listen()
    send(kind, *arguments)
    while True:
        with suppress(Empty):
            return _replies.get(timeout=0.5)  # in pieces, so that Ctrl-C is heard


def mark(argv: Sequence[str]) -> None:
    """All that was printed so far is whole; `argv` is the command that goes on from here.

    From the first mark on the command may be left at any time, which it is when the laptop goes.
    """
    if active():
        _state["resumable"] = True
        _listen()
        send("mark", list(argv))


@contextmanager
def progress(label: str, total: float | None, unit: str) -> "Iterator[Progress]":
    """A progress bar that is drawn on the laptop."""
    send("progress", label, total, unit)
    try:
        yield _Progress()
    finally:
        send("progress_end")


class _Progress:
    def __init__(self) -> None:
        self._told_s = 0.0

    def update(self, done: float, total: float | None = None) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= _PROGRESS_EVERY_S or (total is not None and done >= total):
            self._told_s = now_s
            send("progress_update", done, total)

    def describe(self, text: str) -> None:
        send("progress_describe", text)


def _listen() -> None:
    if not _state["listening"]:
        _state["listening"] = True
        threading.Thread(target=_read_replies, daemon=True).start()


def _read_replies() -> None:
    for line in sys.stdin:
        with suppress(ValueError):
            _replies.put(json.loads(line))
    _replies.put(None)
    if _state["resumable"]:
        _thread.interrupt_main()  # the laptop has gone: the same as Ctrl-C there
