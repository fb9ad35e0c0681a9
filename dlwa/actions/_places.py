"""Checks that data sets and models share: names inside one another, room on the disk."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from dlwa.errors import BusyError, DlwaError, UsageError
from dlwa.labs import Limits
from dlwa.names import Name
from dlwa.workspace import Workspace

GB = 1e9


def refuse_nesting(
    name: Name, place: Callable[[Name], Path], is_one: Callable[[Path], bool], what: str
) -> None:
    """Raise `UsageError` if a name lies inside a thing of that kind, or has such things inside."""
    for depth in range(1, len(name.parts)):
        outer = Name(name.parts[:depth])
        if is_one(place(outer)):
            raise UsageError(
                f"{what}_name={name} lies inside the {what} {outer}",
                hint=f"choose a name beside it: {outer}-{'-'.join(name.parts[depth:])}",
            )
    folder = place(name)
    inner = next((path for path in _folders(folder) if path != folder and is_one(path)), None)
    if inner is not None and not is_one(folder):
        raise UsageError(
            f"{what}_name={name} is a folder of {what}s, {inner.relative_to(folder)} among them",
            hint=f"name one inside it: {name}/new",
        )


def things(root: Path, is_one: Callable[[Path], bool]) -> list[str]:
    """The names of all things of a kind under a folder."""
    return [str(path.relative_to(root)) for path in _folders(root) if is_one(path)]


def require_room(workspace: Workspace, needed_bytes: float, what: str) -> None:
    """Raise `DlwaError` if the disk of the workspace is too full for what is to be made."""
    free = shutil.disk_usage(workspace.root).free
    if free < needed_bytes:
        raise DlwaError(
            f"the disk is nearly full: {free / GB:.2f} GB free, {what} needs about "
            f"{needed_bytes / GB:.2f} GB",
            hint="make room: ./dlwa.py user usage shows who fills it",
        )


def require_share(workspace: Workspace, owner: str, limits: Limits) -> None:
    """Raise `BusyError` if an owner already fills as much disk as the lab allows."""
    if limits.disk_gb_per_owner is None:
        return
    used = sum(size_of(home / owner) for home in workspace.homes().values())
    if used > limits.disk_gb_per_owner * GB:
        raise BusyError(
            f"{owner} uses {used / GB:.1f} GB of the {limits.disk_gb_per_owner:g} GB allowed here",
            hint="fetch and remove old models: ./dlwa.py user usage",
        )


def size_of(folder: Path) -> int:
    """The bytes of all files under a folder; links are not followed."""
    total = 0
    for place, _, files in os.walk(folder):
        for file in files:
            try:
                total += (Path(place) / file).lstat().st_size
            except OSError:
                continue  # gone while we counted
    return total


def _folders(root: Path) -> Iterator[Path]:
    for place, folders, _ in os.walk(root):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        yield Path(place)
