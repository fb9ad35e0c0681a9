"""The `dlwa` command itself: its own options, and the lazily loaded commands under it."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dlwa.cli import _commands, options
from dlwa.version import __version__


class LazyGroup(TyperGroup):
    """A group that knows the names and first lines of its commands before importing them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.homes = _commands.offered()
        # the mistyped-command suggestion looks at these keys
        self.commands = dict.fromkeys(self.homes)  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands of the first level."""
        return list(self.homes)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the module of one command and return the command; None if there is none."""
        home = self.homes.get(cmd_name)
        if home is None:
            return None
        if self.commands[cmd_name] is None:
            self.commands[cmd_name] = _resolve(home)
        return self.commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands on the help page without importing any."""
        rows = [(home.name, home.help) for home in self.homes.values()]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def build() -> Any:
    """Return the whole command line as one command object; its parts load when touched."""
    app = typer.Typer(cls=LazyGroup, rich_markup_mode=None, invoke_without_command=True)
    app.callback()(_dlwa)
    return typer.main.get_command(app)


def _resolve(home: _commands.Home) -> Any:
    app = _commands.load(home)
    group = typer.main.get_group(app)
    if home.is_group:
        group.name = home.name
        group.help = group.help or home.help
        group.no_args_is_help = True
        return group
    found = group.commands.get(home.name)
    if found is None and len(group.commands) == 1:
        found = next(iter(group.commands.values()))
    return found


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"dlwa {__version__}")
        raise typer.Exit


def _dlwa(
    ctx: typer.Context,
    root: Annotated[
        str | None, typer.Option("--root", metavar="DIR", help="The workspace to use.")
    ] = None,
    lab: Annotated[
        str | None, typer.Option("--lab", metavar="NAME", help="The lab to work on.")
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Train instrument models on your recordings and play them.

    New here? `dlwa demo` goes the whole way in a few minutes, on recordings that come with it.
    """
    options.remember(root=root, lab=lab)
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())
