"""A run's turn: standing in line for a GPU or the CPU, and saying why it stands there."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from dlwa.actions import gpus
from dlwa.actions._record import Record
from dlwa.actions._tee import Tee
from dlwa.claims import Answer, Claims, Device, Ticket, Want
from dlwa.hosts.base import Host
from dlwa.workspace import machine_locks

TICK_S = 0.2
ASK_EVERY_S = 1.0  # who stands far behind; those in front look at every tick
IN_FRONT = 3
LOOK_EVERY_S = 10.0  # asking nvidia-smi costs far more than looking at the tickets


class Turn:
    """One run's place in the line and, later, its hold on devices."""

    def __init__(self, record: Record, tee: Tee, host: Host) -> None:
        self._record, self._tee, self._host = record, tee, host
        self._claims = Claims(machine_locks(os.environ))
        self._ticket: Ticket | None = None
        self._silent = ""

    def wait(self, is_stopped: Callable[[], bool]) -> Sequence[Device] | None:
        """Return the claimed devices, or None when asked to stop before."""
        pool, count = self._pool(), int(self._record.values.get("gpus", 1))
        if pool == "none" or (pool == "gpu" and count == 0):
            return ()
        self._ticket = self._claims.enter(self._want(pool, count))
        return self._wait_in_line(self._ticket, is_stopped)

    def give_back(self) -> None:
        """Leave the line and release the devices."""
        if self._ticket:
            self._claims.leave(self._ticket)

    def _pool(self) -> str:
        wanted = str(self._record.values.get("devices", "auto"))
        if wanted == "auto":
            seen = gpus.survey(self._host)
            wanted = "gpu" if seen.usable or seen.broken else "cpu"
        return wanted

    def _want(self, pool: str, count: int) -> Want:
        values = self._record.values
        return Want(
            run_id=str(values.get("id")),
            owner=str(values.get("owner")),
            name=str(values.get("name")),
            folder=str(self._record.paths.folder),
            pool=pool,
            count=count if pool == "gpu" else 1,
            runs_per_owner=self._limits().get("runs_per_owner"),
            pid=os.getpid(),
        )

    def _wait_in_line(
        self, ticket: Ticket, is_stopped: Callable[[], bool]
    ) -> Sequence[Device] | None:
        seen, look_at = self._devices(ticket.want.pool), time.monotonic()
        while not is_stopped():
            answer = self._claims.ask(ticket, seen, take=False)
            if answer.granted is not None or time.monotonic() > look_at:
                seen = self._devices(ticket.want.pool)
                look_at = time.monotonic() + LOOK_EVERY_S
                answer = self._claims.ask(ticket, seen)
            if answer.granted is not None:
                self._record.update(queue=None, reason="")
                return answer.granted
            # why a driver does not answer helps more than that there is no GPU now
            self._tell_why(replace(answer, reason=self._silent) if self._silent else answer)
            pause_s = TICK_S if answer.position <= IN_FRONT else ASK_EVERY_S
            until = time.monotonic() + pause_s
            while time.monotonic() < until and not is_stopped():
                time.sleep(TICK_S)
        return None

    def _tell_why(self, answer: Answer) -> None:
        blockers = [asdict(want) for want in answer.blockers]
        queue: dict[str, Any] = {
            "position": answer.position,
            "reason": answer.reason,
            "own_limit": answer.own_limit,
            "blockers": blockers,
        }
        if self._record.values.get("reason") != answer.reason:
            self._tee.say(f"waiting: {answer.reason}")
        self._record.update(queue=queue, reason=answer.reason)

    def _devices(self, pool: str) -> list[Device]:
        if pool == "cpu":
            return gpus.cpu_turns(int(self._limits().get("cpu_runs") or 1))
        seen = gpus.survey(self._host)
        self._silent = "" if seen.usable else f"nvidia-smi shows no GPU: {seen.said or seen.health}"
        return gpus.devices(seen)

    def _limits(self) -> dict[str, Any]:
        return self._record.values.get("limits") or {}
