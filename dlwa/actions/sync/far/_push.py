"""Receiving a folder: what is missing of it, whether it may come."""

import shutil
import stat
from pathlib import Path
from typing import Any

from dlwa.actions._places import GB, size_of
from dlwa.actions.ownership import owner_of
from dlwa.actions.sync import files, names
from dlwa.actions.sync.arriving import Parts
from dlwa.actions.sync.far._places import folder_of, reason_of, told_of
from dlwa.actions.sync.far._receiving import Receiving
from dlwa.actions.sync.far._turn import only_one
from dlwa.actions.sync.files import Entry
from dlwa.actions.sync.wire import Wire
from dlwa.errors import AccessError, BusyError, DlwaError, NetworkError, UsageError
from dlwa.labs import Limits
from dlwa.locks import is_locked
from dlwa.settings import Settings
from dlwa.workspace import RunPaths


class Push:
    """One folder that is received."""

    def __init__(
        self, wire: Wire, request: dict[str, Any], settings: Settings, limits: Limits
    ) -> None:
        self._wire, self._request = wire, request
        self._workspace, self._limits = settings.workspace, limits
        self._name, self._folder = folder_of(request, settings.workspace)
        self._owner = owner_of(self._name, settings)
        if self._owner != settings.owner and not request.get("as_admin"):
            raise AccessError(
                f"name={self._name} belongs to {self._owner}, you are {settings.owner}",
                hint=f"push to {settings.owner}/{self._name.leaf}, or add --as-admin",
            )
        self._entries = [files.entry_from(one) for one in request["files"]]
        twins = names.twins(entry.path for entry in self._entries)
        for entry in self._entries:
            wrong = names.problem_of(entry.path)
            if entry.path in twins:
                wrong = wrong or names.not_apart_from(twins[entry.path])
            if wrong:
                raise UsageError(f"file={entry.path!a} {wrong}")
        self._parts = Parts(self._folder)

    def run(self) -> None:
        """Say what is missing here, receive it, remove what is not wanted any more if asked."""
        needed, refused = self._compared()
        self._require_share([self._entries[number] for number, _, _ in needed])
        extras = self._extras()
        loose = sum(self._parts.loose(self._entries[number], have) for number, have, _ in needed)
        self._wire.send(
            needed=needed,
            refused=refused,
            extras=extras,
            free=shutil.disk_usage(self._existing()).free + loose,
        )
        go = self._wire.message()
        if not go.get("go"):
            return
        try:
            deleted = self._take_all(set(extras) & set(go.get("delete") or ()))
            self._wire.send(finished=True, deleted=deleted)
        except NetworkError:
            raise
        except (DlwaError, OSError, ValueError, LookupError, TypeError) as error:
            self._wire.send(error=told_of(error))
            self._read_the_rest()

    def _take_all(self, extras: set[str]) -> list[str]:
        with only_one(self._workspace, str(self._request["home"]), self._name, self._client()):
            if is_locked(RunPaths(self._folder).lock):
                raise BusyError(f"name={self._name}: a run goes on in it", "stop it first")
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._parts.opened():
                deleted = Receiving(self._wire, self._entries, self._parts).receive(extras)
                self._parts.tidy()
        return deleted

    def _read_the_rest(self) -> None:
        """What is on its way is read and forgotten, so that the laptop gets to hear the error."""
        while True:
            frame = self._wire.receive()
            if isinstance(frame, dict) and "finish" in frame:
                return

    def _client(self) -> str:
        return str(self._request.get("client", ""))

    def _compared(self) -> tuple[list[list[Any]], list[tuple[int, str]]]:
        """What is missing here, and the files that cannot come, each with its reason."""
        needed, refused = [], []
        for number, entry in enumerate(self._entries):
            try:
                told = self._state(number, entry)
            except (OSError, ValueError) as error:
                refused.append((number, reason_of(error)))
            else:
                needed += [told] if told else []
        return needed, refused

    def _state(self, number: int, entry: Entry) -> list[Any] | None:
        """What is missing of a file: blocks that are there, or the digest of a likely twin."""
        place = names.inside(self._folder, entry.path)
        try:
            info = place.lstat()
        except OSError:
            return [number, self._parts.blocks(entry), ""]
        if not stat.S_ISREG(info.st_mode):
            raise ValueError("is no ordinary file there")
        if info.st_size != entry.size:
            return [number, self._parts.blocks(entry), ""]
        if info.st_mtime_ns // 1000 == entry.mtime_ns // 1000:
            return None
        return [number, self._parts.blocks(entry), files.digest_of(place)]

    def _lies_here(self, entry: Entry) -> int:
        """What a file takes here already: the old one, and what came before a cut."""
        places = (self._folder / entry.path, self._parts.part_of(entry.path))
        return sum(place.lstat().st_size for place in places if place.is_file())

    def _extras(self) -> list[str]:
        """What lies here and not on the laptop, be it sent or not."""
        lies_here, _ = files.scan(self._folder, lambda path: True)
        there = {entry.path for entry in self._entries} | set(self._request.get("here", ()))
        return [entry.source for entry in lies_here if entry.path not in there]

    def _existing(self) -> Path:
        place = self._folder
        while not place.exists():
            place = place.parent
        return place

    def _require_share(self, coming: list[Entry]) -> None:
        """Raise `BusyError` if the owner would have too much once all of that is there."""
        allowed = self._limits.disk_gb_per_owner
        if allowed is None:
            return
        homes = self._workspace.homes().values()
        used = sum(size_of(home / self._owner) for home in homes)
        used += sum(entry.size - self._lies_here(entry) for entry in coming)
        if used > allowed * GB:
            raise BusyError(
                f"{self._owner} would use {used / GB:.2f} GB of the {allowed:g} GB allowed here",
                hint="fetch and remove old models: ./dlwa.py user usage",
            )
