"""The far end of push and fetch: started in the lab, it serves one laptop over its pipe.

Everything that arrives is a claim and is checked: names, sizes, digests, whose folder it is.
"""

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions._places import GB, size_of
from dlwa.actions.sync import bundle, files, names
from dlwa.actions.sync.files import Arriving, Entry, Parts
from dlwa.actions.sync.wire import Wire
from dlwa.errors import AccessError, BusyError, DlwaError, NetworkError, UsageError
from dlwa.hosts.local import LocalHost
from dlwa.labs import Limits
from dlwa.locks import FileLock
from dlwa.names import Name, parse_name
from dlwa.settings import Settings
from dlwa.workspace import Workspace

MAGIC = b"\0dlwa-sync 1\n"
_TAKES_OVER_WITHIN_S = 10.0
_FULL = 28  # ENOSPC


def serve(wire: Wire, settings: Settings, limits: Limits) -> None:
    """Answer requests until the laptop goes."""
    while True:
        try:
            request = wire.message()
        except NetworkError:
            return
        try:
            _answer(wire, request, settings, limits)
        except NetworkError:
            return
        except (DlwaError, OSError, ValueError, LookupError, TypeError) as error:
            wire.send(error=_told(error))


def _told(error: Exception) -> dict[str, Any]:
    if isinstance(error, DlwaError):
        return {"message": error.message, "hint": error.hint, "code": int(error.exit_code)}
    return {"message": f"the lab: {error}", "hint": "", "code": 1}


def _answer(wire: Wire, request: dict[str, Any], settings: Settings, limits: Limits) -> None:
    if request["do"] == "push":
        Push(wire, request, settings, limits).run()
    elif request["do"] == "fetch":
        _fetch(wire, request, settings.workspace)
    else:
        raise UsageError(f"do={request['do']!r} is unknown here")


def _folder(request: dict[str, Any], workspace: Workspace) -> tuple[Name, Path]:
    name = parse_name(str(request["name"]))
    homes = workspace.homes()
    if request["home"] not in homes:
        raise UsageError(f"home={request['home']!r} must be one of {', '.join(homes)}")
    return name, homes[str(request["home"])] / name.path


def _fetch(wire: Wire, request: dict[str, Any], workspace: Workspace) -> None:
    name, folder = _folder(request, workspace)
    offered = bundle.offer(folder, str(request["what"]), str(name))
    try:
        listed = [entry.document() for entry in offered.entries]
        wire.send(files=listed, refused=offered.refused, step=offered.step)
        for number, blocks, sha256 in wire.message()["want"]:
            entry = offered.entries[number]
            _send(wire, offered, number, entry, (blocks, sha256))
        wire.send(finished=True)
    finally:
        offered.close()


def _send(
    wire: Wire, offered: bundle.Offer, number: int, entry: Entry, has: tuple[list[str], str]
) -> None:
    blocks, sha256 = has
    try:
        stream = offered.open(entry)
    except OSError:
        wire.send(gone=number)
        return
    if sha256:
        if files.digest_of_stream(stream) == sha256:
            wire.send(same=number)
            return
        stream.seek(0)
    try:
        files.send_file(wire, stream, number, entry, blocks, lambda count: None)
    finally:
        if entry.path not in offered.held:
            stream.close()


class Push:
    """One folder that is received."""

    def __init__(
        self, wire: Wire, request: dict[str, Any], settings: Settings, limits: Limits
    ) -> None:
        self._wire, self._request = wire, request
        self._workspace, self._limits = settings.workspace, limits
        self._name, self._folder = _folder(request, settings.workspace)
        self._owner = self._name.owner(settings.owner)
        if self._owner != settings.owner and not request.get("as_admin"):
            raise AccessError(
                f"name={self._name} belongs to {self._owner}, you are {settings.owner}",
                hint=f"push to {settings.owner}/{self._name.leaf}, or add --as-admin",
            )
        self._entries = [files.entry_from(one) for one in request["files"]]
        wrong = names.twins(entry.path for entry in self._entries)
        for entry in self._entries:
            if reason := names.problem_of(entry.path) or wrong.get(entry.path):
                raise UsageError(f"file={entry.path!a} {reason}")
        self._parts = Parts(self._folder)

    def run(self) -> None:
        """Say what is missing here, receive it, remove what is not wanted any more if asked."""
        needed = [
            told
            for number, entry in enumerate(self._entries)
            if (told := self._state(number, entry))
        ]
        self._require_share(sum(self._entries[number].size for number, _, _ in needed))
        extras = self._extras()
        self._wire.send(
            needed=needed,
            extras=extras,
            free=shutil.disk_usage(self._existing()).free,
        )
        go = self._wire.message()
        if not go.get("go"):
            return
        try:
            self._take_all(set(extras) if go.get("delete") else set())
        except NetworkError:
            raise
        except (DlwaError, OSError, ValueError, LookupError, TypeError) as error:
            self._wire.send(error=_told(error))
            self._read_the_rest()

    def _take_all(self, extras: set[str]) -> None:
        with _only_one(self._workspace, str(self._request["home"]), self._name, self._client()):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._parts.open()
            self._receive(extras)
            self._parts.close()

    def _read_the_rest(self) -> None:
        """What is on its way is read and forgotten, so that the laptop gets to hear the error."""
        while True:
            frame = self._wire.receive()
            if isinstance(frame, dict) and "finish" in frame:
                return

    def _client(self) -> str:
        return str(self._request.get("client", ""))

    def _state(self, number: int, entry: Entry) -> list[Any] | None:
        """What is missing of a file: blocks that are there, or the digest of a likely twin."""
        place = names.inside(self._folder, entry.path)
        try:
            info = place.lstat()
        except OSError:
            return [number, self._parts.blocks(entry), ""]
        if info.st_size != entry.size:
            return [number, self._parts.blocks(entry), ""]
        if info.st_mtime_ns // 1000 == entry.mtime_ns // 1000:
            return None
        return [number, self._parts.blocks(entry), files.digest_of(place)]

    def _extras(self) -> list[str]:
        here, _ = files.scan(self._folder, lambda path: True)
        sent = {entry.path for entry in self._entries}
        return [entry.source for entry in here if entry.path not in sent]

    def _existing(self) -> Path:
        place = self._folder
        while not place.exists():
            place = place.parent
        return place

    def _require_share(self, more_bytes: int) -> None:
        allowed = self._limits.disk_gb_per_owner
        if allowed is None:
            return
        homes = self._workspace.homes().values()
        used = sum(size_of(home / self._owner) for home in homes) + more_bytes
        if used > allowed * GB:
            raise BusyError(
                f"{self._owner} would use {used / GB:.2f} GB of the {allowed:g} GB allowed here",
                hint="fetch and remove old models: ./dlwa.py user usage",
            )

    def _receive(self, extras: set[str]) -> None:
        arriving: Arriving | None = None
        try:
            while True:
                frame = self._wire.receive()
                if isinstance(frame, bytes):
                    arriving = self._write(arriving, frame)
                elif "file" in frame:
                    arriving = self._begin(int(frame["file"]), int(frame["offset"]))
                elif "end" in frame:
                    self._end(arriving, int(frame["end"]), str(frame["sha256"]))
                    arriving = None
                elif "touch" in frame:
                    self._touch(int(frame["touch"]))
                elif "finish" in frame:
                    self._wire.send(finished=True, deleted=self._delete(extras))
                    return
        finally:
            if arriving:
                arriving.close()

    def _begin(self, number: int, offset: int) -> Arriving | None:
        try:
            return Arriving(self._parts, self._entries[number], offset)
        except (OSError, ValueError) as error:
            self._wire.send(failed=number, reason=_reason(error))
            return None

    def _write(self, arriving: Arriving | None, data: bytes) -> Arriving | None:
        if arriving is None:
            return None  # it has failed; the rest of it is read and forgotten
        try:
            arriving.take(data)
        except (OSError, ValueError) as error:
            with contextlib.suppress(OSError):
                arriving.close()
            number = self._entries.index(arriving.entry)
            self._wire.send(failed=number, reason=_reason(error))
            return None
        return arriving

    def _end(self, arriving: Arriving | None, number: int, sha256: str) -> None:
        if arriving is None:
            return
        try:
            if arriving.is_whole(sha256):
                arriving.put()
                self._wire.send(done=number)
            else:
                self._wire.send(bad=number)
        except (OSError, ValueError) as error:
            self._wire.send(failed=number, reason=_reason(error))

    def _touch(self, number: int) -> None:
        entry = self._entries[number]
        with contextlib.suppress(OSError):
            place = names.inside(self._folder, entry.path)
            os.utime(place, ns=(entry.mtime_ns, entry.mtime_ns))
        self._wire.send(done=number)

    def _delete(self, extras: set[str]) -> list[str]:
        gone = []
        for path in sorted(extras):
            with contextlib.suppress(OSError, ValueError):
                names.inside(self._folder, path).unlink()
                gone.append(path)
        if gone:
            files.remove_empty_folders(self._folder)
        return gone


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return "the disk of the lab is full" if error.errno == _FULL else str(error.strerror)
    return str(error)


@contextlib.contextmanager
def _only_one(workspace: Workspace, home: str, name: Name, client: str) -> Any:
    """One pushes to a folder at a time; a laptop that lost its line takes over from itself."""
    title = f"sync.{home}.{'+'.join(name.parts)}"
    lock = FileLock(workspace.state / "locks" / f"{title}.lock")
    holder = lock.path.with_suffix(".json")
    lock.path.parent.mkdir(parents=True, exist_ok=True)
    host = LocalHost()
    deadline = time.monotonic() + _TAKES_OVER_WITHIN_S
    while not lock.try_acquire():
        other = runfiles.read_json(holder) or {}
        mine = bool(client) and other.get("client") == client
        process = host.identify(int(other.get("pid", 0)))
        if mine and process and process.start == other.get("start"):
            host.signal(process, signal.SIGTERM)
        if not mine or time.monotonic() > deadline:
            raise BusyError(f"name={name}: somebody is pushing to it now", "try again later")
        time.sleep(0.05)
    try:
        me = host.identify(os.getpid())
        start = me.start if me else 0
        runfiles.write_json(holder, {"pid": os.getpid(), "start": start, "client": client})
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
