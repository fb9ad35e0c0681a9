"""A start that breaks leaves everything as it was."""

import errno
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dlwa import runfiles
from dlwa.actions import keepers, launch
from dlwa.actions.keepers._base import Room
from dlwa.errors import BusyError, DlwaError
from dlwa.hosts.base import Completed
from dlwa.hosts.local import LocalHost
from dlwa.labs import Limits
from dlwa.settings import Settings
from dlwa.shell import Command
from tests.made_runs import make_run

SAID = {"sbatch": Completed(0, "12\n"), "squeue": Completed(0, "")}


class Machine(LocalHost):
    """It has screen and Slurm, and starts nothing."""

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}"

    def run(self, command: Command, timeout_s: float = 20.0) -> Completed:
        return SAID.get(command.argv[0], Completed(1, "No Sockets found in /run/screen/S-ann.\n"))


class Breaks:
    """Who keeps runs, with a way to break in the middle of starting one."""

    name, shares_this_machine = "screen", True

    def __init__(self, error: BaseException, *, has_begun: bool = False) -> None:
        self._error, self._has_begun = error, has_begun

    def require(self) -> None: ...

    def reserve(self, job: launch.Job, run_id: str) -> dict[str, Any]:
        return {"session": f"dlwa.ann.violin.{run_id}"}

    def open(self, job: launch.Job, record: dict[str, Any], *_: Any) -> dict[str, Any]:
        self.session = record["session"]
        raise self._error

    def rooms(self, _: Any) -> list[Room]:
        return [Room("1.x", "Detached", self.session)] if self._has_begun else []


def job_in(folder: Path) -> launch.Job:
    return launch.Job("train", "ann", "ann/violin", folder, ("python", "x"))


def start(settings: Settings, folder: Path) -> None:
    launch.launch(job_in(folder), settings.workspace, Machine(), Limits())


def held(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name != ".start.lock"}


@pytest.fixture
def folder(settings: Settings) -> Path:
    """One that has a finished run and one before that."""
    made = make_run(settings.workspace.root, state="finished", ended_at=1.0)
    (made / "history.jsonl").write_text('{"id": "00000000"}\n')
    return made


@pytest.mark.parametrize("scheduler", ["screen", "slurm"])
def test_a_file_that_cannot_be_written_leaves_no_phantom(
    settings: Settings, folder: Path, scheduler: str
) -> None:
    workspace = settings.workspace
    workspace.labs.mkdir()
    (workspace.labs / "local.yaml").write_text(json.dumps({"scheduler": scheduler}))
    in_the_way = workspace.screenrc if scheduler == "screen" else workspace.slurm_script
    (in_the_way / "full").mkdir(parents=True)
    before = held(folder)
    with pytest.raises(DlwaError, match="cannot be written") as caught:
        start(settings, folder)
    assert str(in_the_way) in caught.value.message and "df -h" in caught.value.hint
    assert held(folder) == before
    assert not list(workspace.state.glob(".*.tmp"))


def test_a_file_of_another_login_is_replaced(tmp_path: Path, monkeypatch) -> None:
    from dlwa.actions.keepers._files import keep_file

    path = tmp_path / "screenrc"
    path.write_bytes(b"old \xff")
    before = path.stat().st_ino
    monkeypatch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(PermissionError()))
    keep_file(path, "new")
    assert path.read_text() == "new" and path.stat().st_ino != before


def test_many_write_the_same_file_at_once(tmp_path: Path) -> None:
    from dlwa.actions.keepers._files import keep_file

    path = tmp_path / ".dlwa" / "screenrc"
    with ThreadPoolExecutor(16) as pool:
        for _ in range(20):
            path.unlink(missing_ok=True)
            list(pool.map(lambda _: keep_file(path, "startup_message off\n"), range(16)))
            assert path.read_text() == "startup_message off\n"
    assert [one.name for one in path.parent.iterdir()] == ["screenrc"]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt(), ValueError("x")]
)
def test_whatever_breaks_a_start_it_never_was(
    settings: Settings, folder: Path, monkeypatch, error: BaseException
) -> None:
    monkeypatch.setattr(keepers, "here", lambda *_: Breaks(error))
    before = held(folder)
    with pytest.raises(type(error)):
        start(settings, folder)
    assert held(folder) == before
    new = settings.workspace.models / "ann" / "new"
    with pytest.raises(type(error)):
        start(settings, new)
    assert not new.exists()


def test_what_has_begun_all_the_same_keeps_its_record(
    settings: Settings, folder: Path, monkeypatch
) -> None:
    monkeypatch.setattr(keepers, "here", lambda *_: Breaks(KeyboardInterrupt(), has_begun=True))
    with pytest.raises(KeyboardInterrupt):
        start(settings, folder)
    record = runfiles.read_json(folder / "run.json") or {}
    assert record["state"] == "queued" and record["id"] != "0badcafe"
    assert len((folder / "history.jsonl").read_text().splitlines()) == 2


def test_a_disk_too_full_for_the_new_record_leaves_the_history(
    settings: Settings, folder: Path, monkeypatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keepers, "here", lambda *_: Breaks(AssertionError("not asked")))
    monkeypatch.setattr(runfiles, "write_json", full)
    before = held(folder)
    with pytest.raises(OSError, match="No space left"):
        start(settings, folder)
    assert held(folder) == before


def test_who_is_not_known_to_have_ended_is_not_trained_over(settings: Settings) -> None:
    silent = Completed(124, "", "squeue did not answer within 4 s")
    folder = make_run(settings.workspace.root, keeper="slurm", slurm_job_id="12")

    class Silent(Machine):
        def run(self, command: Command, timeout_s: float = 20.0) -> Completed:
            return silent

    host = Silent()
    host.name = "silent"
    with pytest.raises(BusyError, match="unknown"):
        launch.refuse_if_live(folder, host)
