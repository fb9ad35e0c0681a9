"""The near end of a command that runs in a lab: what it prints there is drawn here."""

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from dlwa.actions.lab import far
from dlwa.cli import _relay, options, output
from dlwa.cli._lab_door import open_fabric, open_lab
from dlwa.errors import DlwaError, ExitCode, NetworkError, UsageError
from dlwa.hosts import ssh
from dlwa.hosts.base import Completed
from dlwa.labs import Lab, read_lab
from dlwa.words import printable

_CHUNK = 1 << 16
_RETRY_FOR_S = 600.0
_RETRY_EVERY_S = (1.0, 2.0, 4.0, 8.0, 15.0)


def run(lab_name: str, words: Sequence[str]) -> int:
    """Run a command line in a lab and return its exit code.

    When the connection is lost it goes on where it was, if the command can; otherwise raises
    `NetworkError`.
    """
    lab = read_lab(options.settings().workspace.labs, lab_name)
    if lab.is_local:
        raise UsageError(f"lab={lab.name} names no host", "./dlwa.py lab list")
    if _wants_terminal(words):
        return _in_terminal(lab, words)
    return run_there(lab, words)


def run_there(lab: Lab, words: Sequence[str]) -> int:
    """Run a command that needs no terminal; see `run`."""
    connection = open_lab(lab, no_input="--no-input" in words)
    argv = list(words)
    while True:
        far_end = FarEnd(connection, lab, argv)
        try:
            return far_end.run()
        except KeyboardInterrupt:
            output.break_off()
            output.say(f"left {lab.name}; what runs there goes on")
            raise
        except NetworkError as error:
            if far_end.goes_on_with is None:
                raise NetworkError(
                    error.message, "runs go on without us; type the same command again"
                ) from error
            argv = far_end.goes_on_with
            connection = _again(lab, error, no_input="--no-input" in words)
        finally:
            far_end.close()


def _again(lab: Lab, lost: NetworkError, *, no_input: bool) -> ssh.Connection:
    """Connect again, patiently; raises what made it fail when that takes too long."""
    output.say(f"{lost.message}; the run goes on, connecting again ...")
    until = time.monotonic() + _RETRY_FOR_S
    tries = 0
    while True:
        time.sleep(_RETRY_EVERY_S[min(tries, len(_RETRY_EVERY_S) - 1)])
        tries += 1
        try:
            return open_lab(lab, no_input=no_input)
        except NetworkError:
            if time.monotonic() > until:
                raise


class FarEnd:
    """One command over there: its lines are drawn, its questions answered."""

    def __init__(self, connection: ssh.Connection, lab: Lab, words: Sequence[str]) -> None:
        self.goes_on_with = list(words) if _follows(words) else None
        self._connection, self._lab = connection, lab
        self._held: list[tuple[str, list[Any]]] = []
        self._stack = ExitStack()
        self._progress: Any = None
        settings = options.settings()
        asks = sys.stdin.isatty() and not output.json_mode()
        env = {
            _relay.VARIABLE: _relay.TERMINAL if asks else "1",
            output.PROGRAM_VARIABLE: output.program(),
        }
        owner = settings.owner if settings.owner_is_known else ""
        self._line = far.command_line(lab, words, owner, env)
        self._said: list[str] = []

    def run(self) -> int:
        """Draw until the command ends; raises `NetworkError` when the line breaks before."""
        channel = self._connection.open_channel(self._line)
        self._channel = channel
        story = threading.Thread(target=self._read_story, args=(channel,), daemon=True)
        story.start()
        self._read(channel)
        code = self._connection.exit_code(channel)
        story.join(timeout=2.0)
        said = "\n".join(self._said)
        refused = far.refusal(self._lab, Completed(code, "", said))
        if refused:
            raise refused
        if code in far.CANNOT_START:
            raise far.not_starting(self._lab, _safe(said))
        self._show_held()
        return code

    def close(self) -> None:
        """Leave the command, and the connection."""
        self._stack.close()
        self._connection.close()

    def _read(self, channel: Any) -> None:
        rest = b""
        while data := _received(channel):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._take(line.decode("utf-8", "replace"))
        if rest:
            self._take(rest.decode("utf-8", "replace"))

    def _take(self, line: str) -> None:
        """One line from over there: a thing to draw, or something a login script printed."""
        try:
            document = json.loads(line)
            kind, arguments = next(iter(document.items()))
            known = len(document) == 1 and isinstance(arguments, list)
        except (ValueError, AttributeError, StopIteration):
            known = False
        if not known:
            if line.strip():
                output.say(_safe(line))
        elif kind == "mark":
            self._show_held()
            self.goes_on_with = [str(word) for word in arguments[0]]
        elif self.goes_on_with is not None and kind == "text":
            self._held.append((kind, arguments))  # shown once it is sure not to come again
        else:
            self._show_held()
            self._draw(kind, arguments)

    def _show_held(self) -> None:
        for kind, arguments in self._held:
            self._draw(kind, arguments)
        self._held.clear()

    def _draw(self, kind: str, arguments: list[Any]) -> None:
        if kind in ("confirm", "choose"):
            self._reply(getattr(output, kind)(*_safe(arguments)))
        elif kind == "error":
            message, hint, code, name = arguments
            output.error(_safe(message), _safe(hint), code, name)
        elif kind == "progress":
            self._progress = self._stack.enter_context(output.progress(*_safe(arguments)))
        elif kind == "progress_end":
            self._stack.close()
            self._progress = None
        elif kind.startswith("progress_") and self._progress:
            getattr(self._progress, kind.removeprefix("progress_"))(*_safe(arguments))
        elif kind in ("text", "table", "say", "done", "warn", "command"):
            getattr(output, kind)(*_safe(arguments))
        elif kind == "answer":
            output.answer(*arguments)

    def _reply(self, value: object) -> None:
        self._connection.send(self._channel, json.dumps(value).encode() + b"\n")

    def _read_story(self, channel: Any) -> None:
        """stderr over there: what the launcher, the shell or a bug says."""
        rest = b""
        try:
            while data := channel.recv_stderr(_CHUNK):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._tell(line.decode("utf-8", "replace"))
        except (OSError, EOFError):
            return
        if rest:
            self._tell(rest.decode("utf-8", "replace"))

    def _tell(self, line: str) -> None:
        self._said.append(line)
        if not line.startswith("dlwa-lab:") and line.strip():
            output.say(_safe(line))


def _received(channel: Any) -> bytes:
    """What came; nothing at the end and on a lost line, which the exit code's absence tells."""
    with suppress(OSError, EOFError):
        return bytes(channel.recv(_CHUNK))
    return b""


def _safe(value: Any) -> Any:
    """Text from another machine without what could steer this terminal."""
    if isinstance(value, str):
        return printable(value, kept="\n\t")
    if isinstance(value, list):
        return [_safe(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _safe(item) for key, item in value.items()}
    return value


def _follows(words: Sequence[str]) -> bool:
    """Whether a command only looks on, so that it may be begun again before it has said a word."""
    given = set(words)
    looks_on = words[0] == "watch" and not {"--once", "--json"} & given
    return looks_on or (words[0] == "logs" and bool({"-f", "--follow"} & given))


def _wants_terminal(words: Sequence[str]) -> bool:
    """Whether a command draws the whole screen: looking into a session, watching."""
    if list(words[:2]) == ["util", "screen-attach"]:
        return True
    watches = words[0] == "watch" and not {"--once", "--json"} & set(words)
    return watches and output.is_terminal(sys.stdout) and sys.stdin.isatty()


def _in_terminal(lab: Lab, words: Sequence[str]) -> int:
    """Give this terminal to the command over there; look in again when the line breaks."""
    if not sys.stdin.isatty():
        raise DlwaError("looking into a session needs a terminal", f"{output.LAUNCHER} logs -f RUN")
    settings = options.settings()
    env = {output.PROGRAM_VARIABLE: output.program()}
    env |= {name: os.environ[name] for name in ("NO_COLOR",) if os.environ.get(name)}
    owner = settings.owner if settings.owner_is_known else ""
    line = far.command_line(lab, words, owner, env)
    no_input = "--no-input" in words
    connection = open_lab(lab, no_input=no_input)
    while True:
        try:
            with connection:
                code = ssh.attach(connection, line)
        except NetworkError as error:
            connection = _again(lab, error, no_input=no_input)
            continue
        if code == far.REFUSED:
            return _explain(lab, words)
        return code


def _explain(lab: Lab, words: Sequence[str]) -> int:
    """Ask again without a terminal, where the refusal can be told from the program's words."""
    with open_fabric(lab) as connection:
        done = connection.collect(far.command_line(lab, ("--version",), "", {}))
    refused = far.refusal(lab, done)
    if refused:
        raise refused
    return ExitCode.FAILED
