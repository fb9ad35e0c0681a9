"""Which module holds which command. Modules are imported when their command is used.

`Home.modules` are files of this package. A module offers `app` (a `typer.Typer`) or
`register(app)`, which adds its commands to the given one. A home whose first module is missing
is not offered.
"""

import functools
import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

from dlwa.cli._spread import spread


@dataclass(frozen=True)
class Home:
    """Where a command or a group of commands of the first level lives."""

    name: str
    help: str
    modules: tuple[str, ...]
    is_group: bool = False


HOMES = (
    Home("demo", "Hear it all in one command, on recordings that come with dlwa.", ("demo",)),
    Home("setup", "Install the DDSP half: TensorFlow and the pitch networks.", ("setup",)),
    Home("doctor", "Check this machine and say what to mend.", ("doctor",)),
    Home(
        "ddsp",
        "Make data sets, train models, transfer timbre.",
        ("ddsp", "audit", "transfer", "serve", "evaluate", "report", "export"),
        True,
    ),
    Home("models", "List the models: whose, which notes, how far trained.", ("models",)),
    Home("status", "Show the runs: who, what, how far, why waiting.", ("status",)),
    Home("watch", "Watch one run live: progress, loss curve, GPU, log.", ("watch",)),
    Home("logs", "Show what a run printed.", ("status",)),
    Home("stop", "Stop a run after saving.", ("status",)),
    Home("util", "Screen sessions and other tools of the course.", ("util",), True),
    Home("push", "Send recordings to the lab, checked and resumable.", ("sync",)),
    Home("fetch", "Bring a model home, verified.", ("sync",)),
    Home("lab", "The machines you work on: choose, check, set up.", ("lab",), True),
    Home("user", "The people of this workspace and what they use.", ("user",), True),
)


def offered() -> dict[str, Home]:
    """The homes whose module exists, by command name, in the order of the help page."""
    return {home.name: home for home in HOMES if _exists(home.modules[0])}


@functools.cache
def load(home: Home) -> Any:
    """Import a home's modules and return the typer app that holds its commands."""
    import typer

    first = importlib.import_module(f"dlwa.cli.{home.modules[0]}")
    app = getattr(first, "app", None)
    if app is None:
        app = typer.Typer()
        first.register(app)
    for module in home.modules[1:]:
        if _exists(module):
            _merge(app, importlib.import_module(f"dlwa.cli.{module}"))
    for command in app.registered_commands:
        command.callback = command.callback and spread(command.callback)
    app.rich_markup_mode = None  # plain help pages: the same everywhere, and 60 ms sooner
    return app


def _merge(app: Any, module: Any) -> None:
    if hasattr(module, "register"):
        module.register(app)
    else:
        app.registered_commands += module.app.registered_commands


def _exists(module: str) -> bool:
    return importlib.util.find_spec(f"dlwa.cli.{module}") is not None
