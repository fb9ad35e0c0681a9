"""The people of a workspace: their folders and what they use."""

from dataclasses import dataclass
from pathlib import Path

from dlwa import runfiles
from dlwa.actions import durations
from dlwa.actions._places import size_of
from dlwa.actions.runs import LIVE, Run
from dlwa.errors import AccessError, BusyError
from dlwa.names import Name, parse_owner
from dlwa.settings import Settings
from dlwa.workspace import Workspace


@dataclass(frozen=True)
class Usage:
    """What one person has and uses."""

    owner: str
    bytes_by_home: dict[str, int]
    runs: int
    live: int
    hours: float
    gpu_hours: float = 0.0
    waited_hours: float = 0.0

    @property
    def total_bytes(self) -> int:
        """All they have on the disk."""
        return sum(self.bytes_by_home.values())


def add(workspace: Workspace, owner: str) -> list[str]:
    """Make a person's folders and return them; raises `BusyError` if the name is taken."""
    owner = parse_owner(owner, "name")
    twins = {known for known in owners(workspace) if known.lower() == owner.lower()}
    if twins:
        raise BusyError(f"name={owner}: {twins.pop()} is here already", "choose another name")
    made = [home / owner for home in workspace.homes().values()]
    for folder in made:
        folder.mkdir(parents=True, exist_ok=True)
    return [workspace.shown(folder) for folder in made]


def owners(workspace: Workspace) -> list[str]:
    """Everybody who has a folder in the workspace."""
    found = {
        path.name
        for home in workspace.homes().values()
        if home.is_dir()
        for path in home.iterdir()
        if path.is_dir() and not path.name.startswith(".")
    }
    return sorted(found)


def usage(workspace: Workspace, runs: list[Run], owner: str) -> Usage:
    """What a person fills on the disk and has computed, earlier trainings of a model included."""
    last = [run for run in runs if run.owner == owner]
    own = [run for one in last for run in (one, *earlier(one))]
    return Usage(
        owner,
        {name: size_of(home / owner) for name, home in workspace.homes().items()},
        len(own),
        sum(run.live for run in own),
        sum(durations.computed_s(run) for run in own) / 3600,
        sum(durations.gpu_hours(run) for run in own),
        sum(durations.waited_s(run) for run in own) / 3600,
    )


def earlier(run: Run) -> list[Run]:
    """The runs that the same folder saw before: a training stopped and gone on with."""
    records = [
        record if record.get("ended_at") else {"computed_s": 0.0, **record}
        for record in runfiles.read_lines(run.paths.history)
        if record.get("state") not in LIVE
    ]
    return [
        Run(run.paths, record, record.get("state", "lost"), str(record.get("reason") or ""))
        for record in records
    ]


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
