"""Who computes on what, and whose turn it is: claims on GPUs and on the CPU.

Every run takes a ticket, a file it keeps locked as long as it lives. Under one short lock (the
gate) all tickets are read and it is decided whose turn it is; whoever's turn it is locks the
devices. A run that dies, however, gives everything back, because the kernel drops its locks.

Turns go round the owners, not the runs: who has nothing comes before who has something, and of
those who have nothing, who had their last turn longest ago.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dlwa.locks import FileLock, is_locked, make_shared_folder, refuse_link
from dlwa.words import counted

# A waiting run shows a sign of life at every look; one that was halted loses its turn meanwhile.
STALE_AFTER_S = 60.0
# nothing else is ever removed
_TICKETS = f"{'[0-9]' * 20}-*.json"


@dataclass(frozen=True)
class Device:
    """Something to claim: a GPU by UUID, or a turn on the CPU."""

    key: str
    label: str
    foreign: str = ""  # who uses it from outside dlwa, empty if nobody


@dataclass(frozen=True)
class Want:
    """What a run asks for."""

    run_id: str
    owner: str
    name: str
    folder: str
    pool: str = "cpu"
    count: int = 1
    runs_per_owner: int | None = None
    pid: int = 0
    since: float = 0.0


@dataclass(frozen=True)
class Entry:
    """A ticket as others see it: what is wanted and what is held."""

    want: Want
    held: tuple[str, ...] = ()
    fresh: bool = True

    @property
    def waits(self) -> bool:
        """Whether it still stands in line."""
        return len(self.held) < self.want.count


@dataclass(frozen=True)
class Answer:
    """What came of asking: the devices, or why not yet."""

    granted: tuple[Device, ...] | None
    reason: str = ""
    position: int = 0
    blockers: tuple[Want, ...] = ()
    own_limit: bool = False  # any of the owner's runs that ends makes room


@dataclass
class Ticket:
    """A run's place in the line and, later, its hold on devices."""

    want: Want
    lock: FileLock
    devices: list[FileLock] = field(default_factory=list)

    def write(self, held: Sequence[str] = ()) -> None:
        """Put down what is wanted and held, for others to read."""
        self.lock.write(json.dumps({"want": asdict(self.want), "held": list(held)}))


class Claims:
    """The claims on one machine, kept in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._queue = folder / "queue"

    def enter(self, want: Want) -> Ticket:
        """Stand in line."""
        make_shared_folder(self.folder)
        make_shared_folder(self._queue)
        want = replace(want, since=want.since or time.time())
        with self._gate():
            path = self._queue / f"{self._next_number():020d}-{want.run_id}.json"
            ticket = Ticket(want, FileLock(path))
            if not ticket.lock.try_acquire():
                raise RuntimeError(f"{path} is somebody else's ticket")
            ticket.write()
        return ticket

    def ask(self, ticket: Ticket, devices: Sequence[Device], *, take: bool = True) -> Answer:
        """Take the devices if it is this ticket's turn; else say why it is not.

        Without `take` it is only told what the answer would be.
        """
        with self._gate():
            ticket.lock.touch()
            entries = list(self._entries())
            answer = _decide(entries, ticket.want, devices, self._turns())
            if answer.granted is None or not take:
                return answer
            if not self._lock(ticket, answer.granted):
                return Answer(None, "a device was taken this very moment", answer.position)
            try:
                ticket.write([device.key for device in answer.granted])
            except OSError as error:
                _release(ticket)
                return Answer(None, f"{self.folder}: {error.strerror}", answer.position)
            self._note_turn(ticket.want)
        return answer

    def leave(self, ticket: Ticket) -> None:
        """Give everything back and step out of the line."""
        _release(ticket)
        ticket.lock.path.unlink(missing_ok=True)
        ticket.lock.release()

    def look(self) -> list[Entry]:
        """Every living ticket, oldest first."""
        if not self._queue.is_dir():
            return []
        refuse_link(self.folder)
        refuse_link(self._queue)
        with self._gate():
            return list(self._entries())

    def _next_number(self) -> int:
        """The time, unless somebody set the clock back since the last ticket."""
        numbers = (path.name.partition("-")[0] for path in self._queue.glob("*.json"))
        last = max((int(number) for number in numbers if number.isdigit()), default=0)
        return max(time.time_ns(), last + 1)

    def _lock(self, ticket: Ticket, devices: Iterable[Device]) -> bool:
        taken = [FileLock(self.folder / _lock_name(device.key)) for device in devices]
        if all(lock.try_acquire() for lock in taken):
            ticket.devices = taken
            for lock in taken:
                with suppress(OSError):  # for people only: a full disk keeps nobody waiting
                    lock.write(f"{ticket.want.owner} {ticket.want.name} pid {ticket.want.pid}\n")
            return True
        for lock in taken:
            lock.release()
        return False

    def _turns(self) -> dict[str, int]:
        """Who had the how-manieth turn last, by pool and owner."""
        try:
            document = json.loads((self.folder / "turns").read_text(encoding="utf-8"))
            return {str(who): int(turn) for who, turn in document.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _note_turn(self, want: Want) -> None:
        turns = self._turns()
        turns[_who(want)] = max(turns.values(), default=0) + 1
        with suppress(OSError), FileLock(self.folder / "turns") as file:
            file.write(json.dumps(turns))

    def _entries(self) -> Iterator[Entry]:
        for path in sorted(self._queue.glob(_TICKETS)):
            if not is_locked(path):
                _forget(path)
                continue
            entry = _read(path)
            if entry:
                yield entry

    @contextmanager
    def _gate(self) -> Iterator[None]:
        with FileLock(self.folder / "gate.lock"):
            yield


def _release(ticket: Ticket) -> None:
    for lock in ticket.devices:
        lock.release()
    ticket.devices.clear()


def _lock_name(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", key) + ".lock"


def _who(want: Want) -> str:
    return f"{want.pool} {want.owner}"


def _decide(
    entries: Sequence[Entry], mine: Want, devices: Sequence[Device], turns: Mapping[str, int]
) -> Answer:
    """Serve the line in order with what is free, until `mine` is reached."""
    held = {key for entry in entries for key in entry.held}
    free = [device for device in devices if device.key not in held and not device.foreign]
    running = Counter(entry.want.owner for entry in entries if not entry.waits)
    position = 0
    for want in _line(entries, running, turns):
        if want.pool != mine.pool:
            continue
        over = want.runs_per_owner is not None and running[want.owner] >= want.runs_per_owner
        if want.run_id == mine.run_id:
            position += 1
            if over:
                return _over_limit(entries, mine, position)
            if len(free) >= want.count:
                return Answer(tuple(free[: want.count]), position=position)
            return _no_device(entries, mine, devices, position)
        # who is over the limit, or needs more than there is, is in nobody's way
        if not over and want.count <= len(devices):
            position += 1
            # who comes first keeps what there is, even if it is not enough yet
            free = free[want.count :]
            running[want.owner] += 1
    return Answer(None, "has no ticket", position)


def _line(entries: Sequence[Entry], running: Counter[str], turns: Mapping[str, int]) -> list[Want]:
    """The waiting runs in the order of their turns: round the owners, then by age."""
    rounds: Counter[str] = Counter(running)
    keyed = []
    for order, entry in enumerate(entries):
        if entry.waits and entry.fresh:
            turn = (rounds[entry.want.owner], turns.get(_who(entry.want), 0), order)
            keyed.append((turn, entry.want))
            rounds[entry.want.owner] += 1
    return [want for _, want in sorted(keyed, key=lambda item: item[0])]


def _over_limit(entries: Sequence[Entry], mine: Want, position: int) -> Answer:
    own = [entry.want for entry in entries if entry.want.owner == mine.owner and not entry.waits]
    names = ", ".join(want.name for want in own)
    reason = f"{mine.owner} already has {len(own)} of {mine.runs_per_owner} runs: {names}"
    return Answer(None, reason, position, tuple(own), own_limit=True)


def _no_device(
    entries: Sequence[Entry], mine: Want, devices: Sequence[Device], position: int
) -> Answer:
    if len(devices) < mine.count:
        reason = f"needs {counted(mine.count, mine.pool.upper())}, the machine has {len(devices)}"
        return Answer(None, reason, position)
    holders = {key: entry.want for entry in entries for key in entry.held}
    uses = [
        f"{device.label} is used by {_user(device, holders.get(device.key))}"
        for device in devices
        if device.foreign or device.key in holders
    ]
    keys = {device.key for device in devices}
    blockers = {want.run_id: want for key, want in holders.items() if key in keys}
    return Answer(None, "; ".join(uses) or "others are first", position, tuple(blockers.values()))


def _user(device: Device, holder: Want | None) -> str:
    return holder.name if holder else f"{device.foreign}, from outside dlwa"


def _read(path: Path) -> Entry | None:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        want = Want(**document["want"])
        fresh = time.time() - path.stat().st_mtime < STALE_AFTER_S
        return Entry(want, tuple(document["held"]), fresh)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _forget(path: Path) -> None:
    # somebody else's cannot be removed in a folder like /tmp: it stays, without effect
    with suppress(PermissionError):
        path.unlink(missing_ok=True)
