"""The people of a workspace: their folders and what they use."""

from dataclasses import dataclass

from dlwa import runfiles
from dlwa.actions import durations
from dlwa.actions._places import size_of
from dlwa.actions.runs import LIVE, Run
from dlwa.errors import BusyError
from dlwa.names import parse_owner
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
    # where the next one began in the files that grow, this one had ended
    ends = [record.get("begins_at") for record in [*records, run.record][1:]]
    return [
        Run(
            run.paths,
            {**record, "ends_at": end},
            record.get("state", "lost"),
            str(record.get("reason") or ""),
        )
        for record, end in zip(records, ends, strict=True)
    ]
