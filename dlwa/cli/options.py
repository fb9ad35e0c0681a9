"""Options that many commands share, and the settings they lead to.

def status(json: Json = False) -> None:
    settings = options.settings()
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dlwa.labs import Lab
    from dlwa.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree to every question beforehand.")]
NoInput = Annotated[bool, typer.Option("--no-input", help="Never ask; fail instead.")]
AsAdmin = Annotated[bool, typer.Option("--as-admin", help="Also under others' names.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, do nothing.")]
Extra = Annotated[
    list[str] | None,
    typer.Argument(metavar="-- FLAGS", help="Extra flags, after --; later ones win."),
]
Custom = Annotated[
    bool, typer.Option("--custom", help="Drop the default flags; only where things lie stays.")
]

RunName = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="A run: its name, id or session.")
]
ModelName = Annotated[
    str, typer.Option("--model-name", metavar="OWNER/NAME", help="Name of the model.")
]


@dataclass(frozen=True)
class Consent:
    """What a command may do and ask; all that change something take these options."""

    dry_run: DryRun = False
    yes: Yes = False
    no_input: NoInput = False


@dataclass(frozen=True)
class Manner(Consent):
    """The same for a command that also answers in JSON."""

    json: Json = False


_flags: dict[str, str | None] = {"root": None, "lab": None}


def remember(**flags: str | None) -> None:
    """Keep the options given before the command's name (`--root`)."""
    _flags.update(flags)


def settings(**flags: str | None) -> "Settings":
    """Who works, where and on which lab, after files, environment and flags."""
    from dlwa import settings as place  # yaml is read only by commands that need it
    from dlwa.workspace import share_with_group

    found = place.load(flags={**_flags, **flags})
    share_with_group(found.root)
    return found


def lab(settings: "Settings") -> "Lab":
    """The lab in use, as its file describes it."""
    from dlwa.labs import read_lab

    return read_lab(settings.workspace.labs, settings.lab)
