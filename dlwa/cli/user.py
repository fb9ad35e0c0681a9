"""`dlwa user`: the people of a workspace."""

from typing import TYPE_CHECKING, Annotated

import typer

from dlwa.cli import options, output

if TYPE_CHECKING:
    from dlwa.actions.users import Usage

app = typer.Typer()


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Name of the person, one word.")],
    *,
    how: options.Manner,
) -> None:
    """Make a person's folders in inputs, datasets, models and outputs."""
    from dlwa.actions import users
    from dlwa.names import parse_owner

    workspace = options.settings().workspace
    if how.dry_run:
        owner = parse_owner(name, "name")
        made = [workspace.shown(home / owner) for home in workspace.homes().values()]
        output.say("would make: " + ", ".join(made))
    else:
        made = users.add(workspace, name)
        output.done(f"{name} may begin: put recordings into {made[0]}/NAME")
    output.answer({"name": name, "folders": made, "dry_run": how.dry_run})


@app.command("list")
def list_users(json: options.Json = False) -> None:
    """List the people of this workspace."""
    from dlwa.actions import users

    settings = options.settings()
    names = users.owners(settings.workspace)
    output.table("", ["owner", "you"], [[n, "yes" if n == settings.owner else ""] for n in names])


@app.command("usage")
def usage(
    name: Annotated[str | None, typer.Argument(help="Only this person.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print it as a spreadsheet reads it.")] = False,
    json: options.Json = False,
) -> None:
    """Show what people fill on the disk, have computed and have waited."""
    from dlwa.actions import users
    from dlwa.cli import _runs
    from dlwa.errors import NotFoundError
    from dlwa.names import parse_owner
    from dlwa.settings import nearest
    from dlwa.words import size

    settings = options.settings()
    found = _runs.all_of(settings)
    known = sorted({*users.owners(settings.workspace), *(run.owner for run in found)})
    if name is not None and parse_owner(name, "name") not in known:
        raise NotFoundError(f"name={name} has nothing here", nearest(name, known) if known else "")
    used = [users.usage(settings.workspace, found, owner) for owner in ([name] if name else known)]
    output.answer([{**vars(item), "total_bytes": item.total_bytes} for item in used])
    rows = [
        [
            item.owner,
            *(size(item.bytes_by_home[home]) for home in settings.workspace.homes()),
            item.runs,
            item.live,
            f"{item.hours:.1f}",
            f"{item.gpu_hours:.1f}",
            f"{item.waited_hours:.1f}",
        ]
        for item in used
    ]
    homes = settings.workspace.homes()
    columns = ["owner", *homes, "runs", "live", "hours", "GPU h", "waited h"]
    if csv:
        _print_csv(used)
    elif not output.json_mode():
        output.table("", columns, rows)


def _print_csv(used: "list[Usage]") -> None:
    homes = list(used[0].bytes_by_home) if used else []
    sizes = [f"{home}_bytes" for home in homes]
    columns = ["owner", *sizes, "runs", "going_on", "hours", "gpu_hours", "waited_hours"]
    rows: list[list[object]] = []
    for item in used:
        hours = [round(item.hours, 3), round(item.gpu_hours, 3), round(item.waited_hours, 3)]
        bytes_ = [item.bytes_by_home[home] for home in homes]
        rows.append([item.owner, *bytes_, item.runs, item.live, *hours])
    output.spreadsheet(columns, rows)
