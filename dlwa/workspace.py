"""Where everything lies. The only place that spells the names of folders and files.

A workspace is a folder with
    inputs/OWNER/NAME           recordings
    datasets/ddsp/OWNER/NAME    what make-dataset makes of them
    models/ddsp/OWNER/NAME      trained models; also the record of their training
    outputs/OWNER/NAME          sounds
    labs/                       descriptions of machines
    .dlwa/                      settings, the records of other runs, locks
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dlwa import runfiles
from dlwa.names import Name

STATE = ".dlwa"
LAUNCHER = "dlwa.py"


@dataclass(frozen=True)
class RunPaths:
    """The files of one run, whose folder it keeps to itself."""

    folder: Path
    kind: str = "train"

    @property
    def record(self) -> Path:
        """Who, what, where and how it stands."""
        return self.folder / runfiles.RECORD_FILE

    @property
    def history(self) -> Path:
        """The records of earlier runs in the same folder, a line each."""
        return self.folder / "history.jsonl"

    @property
    def metrics(self) -> Path:
        """The progress the job reports."""
        return self.folder / runfiles.METRICS_FILE

    @property
    def events(self) -> Path:
        """The remarkable things the job reports."""
        return self.folder / runfiles.EVENTS_FILE

    @property
    def log(self) -> Path:
        """Everything the job printed."""
        return self.folder / f"dlwa_{self.kind.replace('-', '_')}.log"

    @property
    def wrapper_log(self) -> Path:
        """What the wrapper itself had to say, when it broke."""
        return self.folder / "dlwa_wrapper.log"

    @property
    def slurm_log(self) -> Path:
        """What was printed in its Slurm job before its wrapper came up, or when it broke."""
        return self.folder / "dlwa_slurm.log"

    @property
    def lock(self) -> Path:
        """Locked by the wrapper as long as it lives."""
        return self.folder / ".run.lock"

    @property
    def start_lock(self) -> Path:
        """Locked by a command while it starts a run here."""
        return self.folder / ".start.lock"

    @property
    def stop_request(self) -> Path:
        """Who asked the run to stop, and how."""
        return self.folder / ".stop.json"

    @property
    def reserve(self) -> Path:
        """A little disk, given back when the disk is full, so that the end can be recorded."""
        return self.folder / ".reserve"


@dataclass(frozen=True)
class Workspace:
    """A folder of inputs, data sets, models and outputs; every path in it is spelt here."""

    root: Path

    def input(self, name: Name) -> Path:
        """The folder of recordings of that name."""
        return self.root / "inputs" / name.path

    def dataset(self, name: Name) -> Path:
        """The folder of the data set of that name."""
        return self.datasets / name.path

    def dataset_staging(self, name: Name, run_id: str) -> Path:
        """Where a data set is built before it gets its name."""
        place = self.dataset(name)
        return place.with_name(f".{place.name}.partial-{run_id}")

    def dataset_lock(self, name: Name) -> Path:
        """Locked while somebody starts to make that data set."""
        return self.state / "locks" / f"dataset.{'+'.join(name.parts)}.lock"

    def model(self, name: Name) -> Path:
        """The folder of the model of that name."""
        return self.models / name.path

    def output(self, name: Name) -> Path:
        """The folder of sounds of that name."""
        return self.root / "outputs" / name.path

    @property
    def datasets(self) -> Path:
        """The folder of all DDSP data sets."""
        return self.root / "datasets" / "ddsp"

    @property
    def models(self) -> Path:
        """The folder of all DDSP models."""
        return self.root / "models" / "ddsp"

    @property
    def labs(self) -> Path:
        """The folder of lab files."""
        return self.root / "labs"

    @property
    def state(self) -> Path:
        """dlwa's own folder in the workspace."""
        return self.root / STATE

    @property
    def runs(self) -> Path:
        """The folder of records of runs that are not trainings."""
        return self.state / "runs"

    @property
    def cache(self) -> Path:
        """What was measured of recordings, kept by their content; it may be deleted at any time."""
        return self.state / "cache"

    @property
    def screenrc(self) -> Path:
        """The settings of our screen sessions."""
        return self.state / "screenrc"

    @property
    def slurm_script(self) -> Path:
        """The script of all our Slurm jobs."""
        return self.state / "slurm_job.sh"

    def homes(self) -> dict[str, Path]:
        """The four folders that hold one sub-folder an owner, by kind."""
        return {
            "inputs": self.root / "inputs",
            "datasets": self.datasets,
            "models": self.models,
            "outputs": self.root / "outputs",
        }

    def shown(self, path: Path) -> str:
        """A path as a person in the workspace would write it."""
        try:
            return str(path.relative_to(self.root))
        except ValueError:
            return str(path)


def share_with_group(root: Path) -> bool:
    """From now on let the group write what this process makes, if the workspace is the group's.

    It is where its folder has the set-group-ID bit and the group may write there; several logins
    can then work in it. Programs started from here make their files the same way.
    """
    shared = is_groups(root)
    if shared:
        os.umask(os.umask(0o077) & ~stat.S_IRWXG)
    return shared


def is_groups(folder: Path) -> bool:
    """Whether a folder is made for a group of logins: group-writable, with the set-group-ID bit."""
    needed = stat.S_ISGID | stat.S_IWGRP
    return folder.stat().st_mode & needed == needed


def project_settings(root: Path) -> Path:
    """The settings file of a workspace."""
    return root / STATE / "settings.yaml"


def user_settings(env: Mapping[str, str]) -> Path:
    """The settings file of a person, in the XDG configuration folder."""
    base = env.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    return Path(base) / "dlwa" / "settings.yaml"


def default_root(cwd: Path, project: Path | None = None) -> tuple[Path, str]:
    """The workspace to use when nobody named one, and how it was found.

    The nearest folder above `cwd` that holds `dlwa.py` or `.dlwa/`; else the folder dlwa itself
    was unpacked in; else `cwd`.
    """
    for folder in (cwd, *cwd.parents):
        if (folder / LAUNCHER).is_file() or (folder / STATE).is_dir():
            return folder, "the current folder" if folder == cwd else f"found above {cwd}"
    project = project or Path(__file__).resolve().parent.parent
    if (project / LAUNCHER).is_file():
        return project, "the folder of dlwa.py"
    return cwd, "the current folder"


def machine_locks(env: Mapping[str, str]) -> Path:
    """The folder of the locks on this machine's GPUs and turns.

    One for the whole machine, whatever the workspace or the login, because the GPUs are.
    `DLWA_LOCK_DIR` moves it.
    """
    if env.get("DLWA_LOCK_DIR"):
        return Path(env["DLWA_LOCK_DIR"])
    for base in (Path("/run/lock"), Path("/tmp")):
        if base.is_dir() and base.stat().st_mode & 0o1777 == 0o1777:
            return base / "dlwa"
    return Path(os.path.expanduser("~")) / ".cache" / "dlwa" / "locks"  # noqa: PTH111
