"""Whose a name or a place is, and what one may do with what is somebody else's."""

from pathlib import Path

from dlwa.errors import AccessError
from dlwa.names import Name
from dlwa.settings import Settings
from dlwa.workspace import Workspace


def owner_of(name: Name, settings: Settings) -> str:
    """Whose a name is: one's own if it names nobody, unless it is a person's whole folder."""
    theirs = len(name.parts) == 1 and _is_person(settings.workspace, name.leaf)
    return name.leaf if theirs else name.owner(settings.owner)


def is_own(name: Name, settings: Settings) -> bool:
    """Whether one may write under a name unasked; where nobody said who works, all is one's own."""
    return owner_of(name, settings) == settings.owner or not settings.owner_is_known


def results_of(model: Name, settings: Settings) -> Path:
    """Where what one makes of a model goes: outputs/OWNER/NAME.

    What is made of somebody else's model goes under one's own name: outputs/ME/OWNER/NAME.
    """
    mine = is_own(model, settings)
    return settings.workspace.output(model if mine else Name((settings.owner, *model.parts)))


def require_own(name: Name, settings: Settings, *, as_admin: bool) -> str:
    """Return the question to be answered with yes before writing under a name, empty for one's own.

    Raises `AccessError` for somebody else's without `as_admin`.
    """
    if is_own(name, settings):
        return ""
    owner = owner_of(name, settings)
    if as_admin:
        return f"{name} belongs to {owner}. Write there all the same?"
    raise AccessError(
        f"name={name} belongs to {owner}, you are {settings.owner}",
        hint=f"write: {settings.owner}/{'/'.join(name.parts[1:]) or name}; or add --as-admin, if "
        "you look after this machine",
    )


def refuse_others_place(place: Path, settings: Settings) -> None:
    """Raise `AccessError` for a file or folder that would lie among somebody else's things here."""
    if not settings.owner_is_known:
        return
    for home in settings.workspace.homes().values():
        for seen, root in ((place.absolute(), home.absolute()), (place.resolve(), home.resolve())):
            owner = seen.relative_to(root).parts[:1] if seen.is_relative_to(root) else ()
            if owner and owner[0] != settings.owner and _is_person(settings.workspace, owner[0]):
                raise AccessError(
                    f"{place} belongs to {owner[0]}, you are {settings.owner}",
                    hint="name a place of your own",
                )


def _is_person(workspace: Workspace, name: str) -> bool:
    """Whether a name of one part is a person's: where others have files, there are only folders."""
    homes = workspace.homes()
    inside = {kind: _seen_in(home / name) for kind, home in homes.items() if (home / name).is_dir()}
    is_new = inside.keys() == homes.keys() and not any(inside.values())  # as `add` makes them
    inside.pop("outputs", None)  # a model's, too, may hold folders only
    return is_new or any(these and all(map(Path.is_dir, these)) for these in inside.values())


def _seen_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]
