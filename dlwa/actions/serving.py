"""Programs that stay in the foreground and let others play with the models: serve, studio, live."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

from dlwa.actions import launch
from dlwa.actions.models import chosen
from dlwa.errors import UsageError
from dlwa.hosts.local import LocalHost
from dlwa.settings import Settings
from dlwa.shell import Command

SERVE, STUDIO, LIVE = "dlwa.ddsp.serve", "dlwa.ddsp.studio", "dlwa.ddsp.live"


def command(settings: Settings, module: str, words: Sequence[str] = ()) -> Command:
    """The command of a program that plays the models of the workspace."""
    models = settings.workspace.models
    models.mkdir(parents=True, exist_ok=True)
    argv = launch.module_argv(module, [f"--models={models}", *words])
    return Command(argv, launch.where_dlwa_is(), settings.workspace.root)


def live_command(settings: Settings, model_name: str, words: Sequence[str]) -> Command:
    """The command that lets a model play along.

    Raises `DlwaError` where there is no such model.
    """
    _, folder = chosen(settings, model_name)
    argv = launch.module_argv(LIVE, [f"--model_dir={folder}", *words])
    return Command(argv, launch.where_dlwa_is(), Path.cwd())


def run(asked: Command) -> int:
    """Run it where the user sees it, until it ends or Ctrl-C; returns its exit code."""
    return LocalHost().attach(asked)


def check_address(host: str, port: int) -> None:
    """Refuse an address nobody can listen at.

    Raises `UsageError`.
    """
    if not 0 <= port <= 65535:
        raise UsageError(f"port={port} must be from 0 to 65535", "0 takes a free one")
    if host != "localhost" and not _is_address(host):
        raise UsageError(f"host={host} must be an address such as 127.0.0.1")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


def patch() -> Path | None:
    """The Pure Data patch that comes with dlwa, where it is unpacked."""
    place = Path(__file__).resolve().parent.parent.parent / "pd" / "timbre_transfer.pd"
    return place if place.is_file() else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
