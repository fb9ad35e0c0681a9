"""`dlwa watch`: look at one run live. It only reads; leaving it leaves the run alone."""

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from dlwa.actions.monitor import Snapshot, Watcher
from dlwa.actions.runs import Run, all_runs, find_run
from dlwa.claims import Claims
from dlwa.cli import options, output
from dlwa.cli._screen import plain, screen
from dlwa.errors import NotFoundError
from dlwa.hosts.local import LocalHost
from dlwa.settings import Settings
from dlwa.workspace import machine_locks

if TYPE_CHECKING:
    from rich.console import Console, Group

LIVE_INTERVAL_S = 1.0
PLAIN_INTERVAL_S = 5.0

app = typer.Typer()


@app.command("watch")
def watch(
    run: Annotated[
        str,
        typer.Argument(
            metavar="[RUN]", help="A run: its name or id; without, yours.", show_default=False
        ),
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Show it once and leave.")] = False,
    json: options.Json = False,
) -> None:
    """Watch one run live: progress, speed, time left, loss curve, GPU, log.

    Ctrl-C leaves the screen, never the run. Off a terminal it prints a line every few seconds.
    It ends when the run ends: with 1 if the run failed or was lost.
    """
    settings = options.settings()
    chosen = _choose(settings, run)
    watcher = Watcher(
        chosen.paths.folder,
        LocalHost(),
        Claims(machine_locks(os.environ)),
        settings.stalled_after_s,
    )
    if output.json_mode():
        output.answer(watcher.look().document())
        return
    if once:
        _show_once(watcher.look())
        return
    live = output.is_terminal(sys.stdout)
    try:
        last = _watch_live(watcher) if live else _watch_plainly(watcher)
    except KeyboardInterrupt:
        again = f"{output.LAUNCHER} watch {chosen.name}"
        output.say(f"left; {chosen.name} goes on. Look again: {again}")
        return
    if live:
        _show_once(last)
    if last.run.state in ("failed", "lost"):
        output.say(f"the whole log: {last.run.paths.log}")
        raise typer.Exit(1)


def _choose(settings: Settings, wanted: str) -> Run:
    runs = all_runs(settings.workspace, LocalHost(), settings.stalled_after_s)
    if wanted:
        return find_run(runs, wanted)
    if not runs:
        raise NotFoundError("there is no run to watch yet", f"{output.LAUNCHER} ddsp train --help")
    # mine before others', what lives before what has ended, the newest first
    return min(runs, key=lambda run: (not run.live, run.owner != settings.owner, -run.began))


def _watch_live(watcher: Watcher) -> Snapshot:
    """Redraw every second until the run ends."""
    from rich.live import Live

    console = output.console(sys.stdout)
    seen = watcher.look()
    with Live(console=console, screen=True, auto_refresh=False) as drawn:
        while True:
            drawn.update(_drawing(seen, console), refresh=True)
            if not seen.run.live:
                return seen
            time.sleep(LIVE_INTERVAL_S)
            seen = watcher.look()


def _watch_plainly(watcher: Watcher) -> Snapshot:
    """Print a line every few seconds until the run ends, each only if something changed."""
    told = ""
    while True:
        seen = watcher.look()
        line = plain(seen)
        if line != told:
            output.text(line)
            output.mark(["watch", seen.run.id])
            told = line
        if not seen.run.live:
            return seen
        time.sleep(PLAIN_INTERVAL_S)


def _show_once(seen: Snapshot) -> None:
    if output.is_terminal(sys.stdout):
        console = output.console(sys.stdout)
        console.print(_drawing(seen, console, spare_lines=2))
        return
    output.text(plain(seen))
    for line in seen.log[-5:]:
        output.text(f"  {line}")


def _drawing(seen: Snapshot, console: "Console", spare_lines: int = 0) -> "Group":
    from rich.console import Group
    from rich.text import Text

    unicode = (console.encoding or "").lower().startswith("utf")
    lines = screen(seen, console.width, console.height - spare_lines, unicode=unicode)
    return Group(*[Text(one.text, one.style, no_wrap=True, overflow="crop") for one in lines])
