"""`dlwa models`: what can be played here."""

from typing import TYPE_CHECKING, Annotated

import typer

from dlwa.cli import options, output

if TYPE_CHECKING:
    from dlwa.actions.models import Model


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("models")(models)


def models(
    owner: Annotated[str | None, typer.Argument(help="Only this person's.")] = None,
    json: options.Json = False,
) -> None:
    """List the models: whose, which notes they know, how far they were trained.

    The step is that of the checkpoint played by default: the best on sound it never heard.
    """
    from dlwa.actions import models as action
    from dlwa.words import size

    settings = options.settings()
    found = action.all_models(settings, owner)
    output.answer([model.document() for model in found])
    if not found:
        output.say("No models here yet. Train one: ./dlwa.py ddsp train --help")
        return
    columns = ["model", "kind", "notes", "rate", "step", "unheard loss", "loss", "size"]
    output.table("", columns, [_row(model, size(model.bytes)) for model in found])


def _row(model: "Model", size: str) -> list[object]:
    return [
        model.name,
        model.kind,
        model.notes,
        model.sample_rate or "",
        "" if model.step is None else model.step,
        "" if model.heldout_loss is None else f"{model.heldout_loss:.2f}",
        "" if model.loss is None else f"{model.loss:.2f}",
        size,
    ]
