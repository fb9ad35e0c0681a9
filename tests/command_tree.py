"""The real command line, walked through or asked to parse without doing anything."""

from collections.abc import Iterator
from typing import Any

import typer

from dlwa.cli._argv import normalise
from dlwa.cli._root import build


def walk(command: Any = None, path: tuple[str, ...] = ("dlwa",)) -> Iterator[tuple[str, Any]]:
    """Every command and group with the words that lead to it."""
    command = command or build()
    yield " ".join(path), command
    if hasattr(command, "list_commands"):
        context = typer.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name), (*path, name))


def parse(words: list[str]) -> None:
    """Parse what follows `dlwa` with the real commands; raises typer's errors if it is wrong."""
    command, rest, context, name = build(), normalise(words), None, "dlwa"
    while True:
        context = command.make_context(name, list(rest), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, rest = command.resolve_command(context, rest)
