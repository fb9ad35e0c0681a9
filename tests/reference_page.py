"""The reference page of the commands, written from the commands themselves: `make docs`."""

from collections.abc import Iterator
from typing import Any

import typer

from tests.command_tree import walk

_HEAD = """\
# Commands

Written by `make docs` from the commands themselves; a test keeps it true.

`./dlwa.py` and `dlwa` are the same. `--input_name` and `--input-name` are the same. `--root DIR`
chooses another workspace and may stand anywhere before `--`. What a command answers goes to
stdout, what it tells on the way to stderr; with `--json` stdout is one JSON document, also when
the command fails. The [exit codes](exit-codes.md) say how it ended.
"""


def page() -> str:
    """Return the whole page."""
    sections = [_HEAD]
    for path, command in walk():
        if hasattr(command, "list_commands"):
            continue
        sections.append(_section(path, command))
    return "\n".join(sections)


def _section(path: str, command: Any) -> str:
    context = typer.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    lines = [f"## {path}", "", f"```text\n{usage}\n```", "", *_paragraphs(command.help or "")]
    rows = list(_rows(command, context))
    if rows:
        lines += ["", "| option | meaning |", "|---|---|", *rows]
    return "\n".join([*lines, ""])


def _paragraphs(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def _rows(command: Any, context: Any) -> Iterator[str]:
    for param in command.params:
        record = param.get_help_record(context)
        if record is None:
            continue
        name, meaning = record
        cells = " ".join(meaning.split()).replace("|", "\\|")
        yield f"| `{name.strip()}` | {cells} |".replace("|` |", "` |")


if __name__ == "__main__":
    print(page(), end="")
