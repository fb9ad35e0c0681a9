"""Everything dlwa prints goes through here.

stdout carries the answer, stderr tells the story. With `--json` the answer is one JSON
document, also when the command fails. Colour and drawing appear only on a terminal that wants
them (NO_COLOR and TERM=dumb are honoured); rich is imported when something is drawn.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from dlwa.cli import _relay
from dlwa.errors import UsageError
from dlwa.shell import Command

if TYPE_CHECKING:
    from dlwa.cli.progress import Progress, Tell

_state = {"json": False, "answered": False, "broken_off": False}
# how messages and hints everywhere begin their commands
LAUNCHER = "./dlwa.py"
# set by a laptop: what is typed there
PROGRAM_VARIABLE = "DLWA_PROGRAM"
_BOLD, _DIM, _RED, _GREEN, _YELLOW = "1", "2", "31", "32", "33"


def use_json(wanted: bool) -> None:
    """Choose between JSON and text for this process; also forgets that an answer was given."""
    _state.update(json=wanted, answered=False, broken_off=False)


def json_mode() -> bool:
    """Whether the answer must be one JSON document."""
    return _state["json"]


def answered() -> bool:
    """Whether the JSON document has been printed."""
    return _state["answered"]


def is_terminal(stream: IO[str] | None = None) -> bool:
    """Whether the stream (stderr if none is named) is a terminal one may redraw."""
    stream = stream or sys.stderr
    return stream.isatty() and os.environ.get("TERM", "") != "dumb"


def wants_colour(stream: IO[str]) -> bool:
    """Whether the stream is a terminal and nobody asked for plain text."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def answer(document: Any) -> None:
    """Print the JSON document of a `--json` command; without `--json` nothing.

    Raises `RuntimeError` when a command answers twice, because two documents are none.
    """
    if not json_mode():
        return
    if _state["answered"]:
        raise RuntimeError("a command prints one JSON document, this is the second")
    _state["answered"] = True
    if _relay.send("answer", document):
        return
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n")
    sys.stdout.flush()


def text(line: str = "") -> None:
    """Print a line of the answer on stdout; with `--json` nothing."""
    if not json_mode() and not _relay.send("text", line):
        print(as_typed(line), flush=True)


def as_typed(line: str) -> str:
    """A line whose commands begin as this user begins them (`dlwa` where installed)."""
    return line.replace(LAUNCHER, program()) if LAUNCHER in line else line


def program() -> str:
    """What the user types to start dlwa here."""
    if os.environ.get(PROGRAM_VARIABLE):
        return os.environ[PROGRAM_VARIABLE]
    started = sys.argv[0].replace("\\", "/").rsplit("/", 1)[-1].lower()
    if started in ("dlwa", "dlwa.exe", "dlwa-script.py"):
        return "dlwa"
    return LAUNCHER if os.name != "nt" else "python dlwa.py"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table as the answer: drawn on a terminal, aligned columns off it.

    With `--json` it answers with a list of objects keyed by the columns, unless the command has
    already given its document.
    """
    if json_mode():
        if not answered():
            answer([dict(zip(columns, row, strict=True)) for row in rows])
        return
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if _relay.send("table", title, list(columns), cells):
        return
    if is_terminal(sys.stdout):
        _draw_table(title, columns, cells)
    else:
        from dlwa.cli import _table

        print(*_table.plain_lines_of(columns, cells), sep="\n")
    sys.stdout.flush()


def spreadsheet(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table as comma-separated values, with nothing that a spreadsheet would compute."""
    from dlwa.cli import _table

    text(_table.comma_separated(columns, rows))


def say(message: str) -> None:
    """Tell what is happening, on stderr."""
    if not _relay.send("say", message):
        _story(message)


def done(message: str) -> None:
    """Tell that something has been achieved, on stderr."""
    if not _relay.send("done", message):
        _story(_styled(message, _GREEN))


def warn(message: str) -> None:
    """Tell what is not as it should be, on stderr, without failing."""
    if not _relay.send("warn", message):
        _story(_styled("warning: ", _YELLOW) + message)


def command(argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    """Show the command that is being run, ready to paste into a shell."""
    if _relay.send("command", [str(word) for word in argv], dict(env or {})):
        return
    shown = Command(tuple(str(word) for word in argv), env or {})
    _story(_styled(f"$ {shown}", _DIM))


def only_shown(argv: Sequence[str], dry_run: bool) -> bool:
    """Show the command; whether that is all, because this is a dry run (which it answers then)."""
    command(argv)
    if dry_run:
        answer({"dry_run": True, "command": list(argv)})
    return dry_run


def mark(argv: Sequence[str]) -> None:
    """Say that `argv` would go on exactly from here, should the line to a laptop break."""
    _relay.mark(argv)


def error(message: str, hint: str = "", exit_code: int = 1, kind: str = "DlwaError") -> None:
    """Report a failure: two lines on stderr, or the JSON document on stdout."""
    if json_mode() and not answered():
        told = {"message": message, "hint": as_typed(hint)}
        answer({"error": {**told, "kind": kind, "exit_code": int(exit_code)}})
        return
    if _relay.send("error", message, hint, int(exit_code), kind):
        return
    _story(_styled("error: ", _RED) + message)
    if hint:
        _story(_styled("hint: ", _BOLD) + hint)


def break_off() -> None:
    """Begin a new line after the ^C that a terminal has shown; once, whoever hears it first."""
    if not _state["broken_off"] and sys.stderr.isatty():
        print(file=sys.stderr, flush=True)
    _state["broken_off"] = True


def confirm(question: str, *, assume_yes: bool = False, no_input: bool = False) -> bool:
    """Ask yes or no on the terminal; `--yes` answers it.

    Raises `UsageError` where nobody can answer (`--no-input`, `--json`, no terminal).
    """
    if assume_yes:
        return True
    _require_somebody(question, no_input, "add --yes to agree beforehand")
    if _relay.active():
        return _relay.ask("confirm", question) is True
    return _typed(f"{question} [y/N] ").lower() in {"y", "yes"}


def choose(question: str, options: Sequence[str], *, no_input: bool = False) -> int:
    """Let the user pick one of several; returns its index.

    Raises `UsageError` where nobody can answer, or when the answer is none of the options.
    """
    names = ", ".join(options)
    _require_somebody(question, no_input, f"name one of: {names}")
    if _relay.active():
        return _picked(_relay.ask("choose", question, list(options)), options)
    for number, option in enumerate(options, 1):
        _story(f"  {number}  {option}")
    reply = _typed(f"{question} [1-{len(options)}] ")
    if reply in options:
        return list(options).index(reply)
    if reply.isdecimal() and 1 <= int(reply) <= len(options):
        return int(reply) - 1
    raise UsageError(
        f"answer={reply!r} must be a number from 1 to {len(options)}", f"one of {names}"
    )


@contextmanager
def progress(label: str, total: float | None = None, unit: str = "") -> "Iterator[Progress]":
    """Show how far something has come: a bar on a terminal, a line every few seconds off it.

    Inside the block call `.update(done)`, and `.describe(text)` for what is being done.
    """
    from dlwa.cli.progress import open_progress  # draws with rich, on a terminal only

    if _relay.active():
        with _relay.progress(label, total, unit) as passed_on:
            yield passed_on
        return
    canvas = console(sys.stderr) if is_terminal() else None
    with open_progress(label, total, unit, canvas) as shown:
        yield shown


@contextmanager
def telling(label: str, unit: str = "") -> "Iterator[Tell]":
    """Progress as a function of how much is done, of how much, and what is being done.

    Without a unit only what is being done is shown.
    """
    with progress(label, unit=unit) as shown:

        def tell(done: float, total: float | None, what: str) -> None:
            shown.describe(what)
            if unit:
                shown.update(done, total)

        yield tell


def console(stream: IO[str] | None = None) -> Any:
    """A rich console on stdout (or the stream), without colour where none is wanted."""
    from rich.console import Console

    stream = stream or sys.stdout
    # without a colour system rich leaves out bold and italics too, which NO_COLOR alone would not
    colours: Any = "auto" if wants_colour(stream) else None
    return Console(file=stream, color_system=colours, highlight=False)


def _story(message: str) -> None:
    message = as_typed(message)
    try:
        print(message, file=sys.stderr, flush=True)
    except UnicodeEncodeError:
        encoding = sys.stderr.encoding or "ascii"
        print(message.encode(encoding, "replace").decode(encoding), file=sys.stderr, flush=True)


def _styled(message: str, code: str) -> str:
    return f"\x1b[{code}m{message}\x1b[0m" if wants_colour(sys.stderr) else message


def _typed(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:  # Ctrl-D leaves the cursor behind the question
        print(file=sys.stderr)
    return line.strip()


def _require_somebody(question: str, no_input: bool, hint: str) -> None:
    somebody = _relay.somebody_there() if _relay.active() else sys.stdin.isatty()
    if no_input or json_mode() or not somebody:
        raise UsageError(f"this needs an answer and nobody can be asked: {question}", hint)


def _picked(reply: object, options: Sequence[str]) -> int:
    if not isinstance(reply, int) or not 0 <= reply < len(options):
        raise UsageError("nothing was chosen", f"one of {', '.join(options)}")
    return reply


def _draw_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.text import Text

    from dlwa.cli import _table

    canvas = console()
    if title:
        canvas.print(Text(title, "italic"))
    for line in _table.lines_of(columns, rows, canvas.width):
        style = {"head": "bold", "beneath": "dim"}.get(line.kind, "")
        canvas.print(Text(line.text, style, no_wrap=True, overflow="ignore"), crop=False)
