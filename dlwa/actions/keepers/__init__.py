"""Who keeps runs alive: GNU screen on this machine, or a Slurm cluster.

Starting, looking in, asking to stop and telling how a run really stands differ between them;
everything else of dlwa asks a `Keeper` and does not know which one it is.
"""

from collections.abc import Mapping
from typing import Any

from dlwa.actions.keepers._base import Keeper, Room
from dlwa.actions.keepers._screen import ScreenKeeper
from dlwa.actions.keepers._slurm import SlurmKeeper
from dlwa.hosts.base import Host
from dlwa.labs import LOCAL, read_lab
from dlwa.workspace import Workspace

__all__ = ["Keeper", "Room", "here", "of"]


def here(workspace: Workspace, host: Host) -> Keeper:
    """Who keeps the runs that are started in a workspace: `scheduler` of `labs/local.yaml`."""
    lab = read_lab(workspace.labs, LOCAL)
    return SlurmKeeper(host, lab.slurm) if lab.scheduler == "slurm" else ScreenKeeper(host)


def of(record: Mapping[str, Any], host: Host) -> Keeper:
    """Who keeps the run of a record."""
    return SlurmKeeper(host) if record.get("keeper") == SlurmKeeper.name else ScreenKeeper(host)
